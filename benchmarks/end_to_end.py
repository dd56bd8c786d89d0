"""A whole analysis in a process of its own, watched from outside."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from time import perf_counter, sleep

import fer_batch
from fer_batch import Options
from fer_batch.types import Outcome, Source

POLLED_SECONDS = 0.05

STARTING = 0.1
"""Share of the frames that count as the start: until then every worker has compiled its nets."""


@dataclass(frozen=True)
class Whole:
    """What an analysis took."""

    frames: int
    frames_per_second: float
    """Without the start: over the last nine tenths of the frames."""
    start_seconds: float
    """From the start of the program to the first frames that were reported."""
    total_seconds: float
    """To the program's end, with tables and report."""
    main_megabytes: float
    """Highest resident memory of the main process."""
    worker_megabytes: float
    """Highest resident memory of any worker."""


def measure(path: Path, workers: int, options: str = "{}") -> Whole:
    """Analyse a film or a folder from nothing, with so many workers."""
    with tempfile.TemporaryDirectory() as out:
        began = perf_counter()
        command = [sys.executable, "-m", "benchmarks.end_to_end", str(path), out, str(workers), options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peaks: dict[int, float] = {}
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak(pid))
            sleep(POLLED_SECONDS)
        total = perf_counter() - began
        if process.returncode or process.stdout is None:
            raise RuntimeError(f"the analysis of {path.name} ended with {process.returncode}")
        signs: list[list[float]] = json.loads(process.stdout.read())
    done = list(accumulate(int(count) for _, count in signs))
    frames = done[-1]
    warm = next(at for at, count in enumerate(done) if count >= STARTING * frames)
    main = peaks.pop(process.pid)
    return Whole(
        frames,
        (frames - done[warm]) / max(signs[-1][0] - signs[warm][0], 1e-9),
        signs[0][0] - began,
        total,
        main,
        max(peaks.values(), default=0.0),
    )


class _Watch:
    """A Progress that notes when how many frames were reported."""

    def __init__(self) -> None:
        self.signs: list[tuple[float, int]] = []

    def begin(self, source: Source, frames: int) -> None:
        pass

    def advance(self, frames: int) -> None:
        self.signs.append((perf_counter(), frames))

    def end(self, source: Source, outcome: Outcome | None) -> None:
        pass


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _peak(pid: int) -> float:
    """Highest resident memory of a process so far, in megabytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), 0.0)


if __name__ == "__main__":
    watch = _Watch()
    settings = json.loads(sys.argv[4])
    fer_batch.analyze([sys.argv[1]], Options(workers=int(sys.argv[3]), **settings), out=sys.argv[2], progress=watch)
    print(json.dumps(watch.signs))
