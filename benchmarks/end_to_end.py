"""Speed and memory of a whole analysis, which runs in a process of its own."""

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

POLL_SECONDS = 0.05
"""Time between two readings of the processes' memory."""

START_SHARE = 0.1
"""Share of the frames that count as the start: by then every worker has compiled its nets."""


@dataclass(frozen=True)
class Analysis:
    """What an analysis took."""

    frames: int
    frames_per_second: float
    """Without the start: over the last nine tenths of the frames."""
    start_seconds: float
    """From the start of the program to the first frames that are reported."""
    total_seconds: float
    """From the start of the program to its end, with tables and report."""
    main_megabytes: float
    """Highest resident memory of the main process."""
    worker_megabytes: float
    """Highest resident memory of any worker."""


def measure(path: Path, workers: int, options: str = "{}") -> Analysis:
    """Analyse a video or a folder from scratch with so many workers; ``options`` are others, as JSON."""
    with tempfile.TemporaryDirectory() as out:
        began = perf_counter()
        command = [sys.executable, "-m", "benchmarks.end_to_end", str(path), out, str(workers), options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peaks: dict[int, float] = {}
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak(pid))
            sleep(POLL_SECONDS)
        total = perf_counter() - began
        if process.returncode or process.stdout is None:
            raise RuntimeError(f"the analysis of {path.name} ended with {process.returncode}")
        reports: list[list[float]] = json.loads(process.stdout.read())
    done = list(accumulate(int(count) for _, count in reports))
    frames = done[-1]
    warm = next(index for index, count in enumerate(done) if count >= START_SHARE * frames)
    main = peaks.pop(process.pid)
    return Analysis(
        frames,
        (frames - done[warm]) / max(reports[-1][0] - reports[warm][0], 1e-9),
        reports[0][0] - began,
        total,
        main,
        max(peaks.values(), default=0.0),
    )


class _Recorder:
    """A Progress that records every report: the time in seconds, and the number of frames."""

    def __init__(self) -> None:
        self.reports: list[tuple[float, int]] = []

    def begin(self, source: Source, frames: int) -> None:
        pass

    def advance(self, frames: int) -> None:
        self.reports.append((perf_counter(), frames))

    def end(self, source: Source, outcome: Outcome | None) -> None:
        pass

    def waiting(self, reason: str) -> None:
        pass

    def rendered(self, pages: int, of: int) -> None:
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
    recorder = _Recorder()
    settings = json.loads(sys.argv[4])
    fer_batch.analyze([sys.argv[1]], Options(workers=int(sys.argv[3]), **settings), out=sys.argv[2], progress=recorder)
    print(json.dumps(recorder.reports))
