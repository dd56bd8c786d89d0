"""``python -m benchmarks``: measure, print, and keep as JSON."""

import json
import os
import platform
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import end_to_end, parts, samples

PEER = """
import sys, time
from fer.classes import Video
from fer.fer import FER
detector, film = FER(), Video(sys.argv[1])
began = time.perf_counter()
frames = film.analyze(detector, display=False, save_frames=False, save_video=False, annotate_frames=False)
print(len(frames) / (time.perf_counter() - began))
"""
"""The package ``fer`` over a film, by the interpreter of an environment in which it is installed; start-up excluded."""


SAMPLES = Path(tempfile.gettempdir()) / "fer-batch-samples"

HEADINGS = ("sample", "workers", "per s", "share", "gain", "start s", "main MB", "worker MB")
ROW = "{:18} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>10}"


def main(
    folder: Annotated[Path, typer.Option(help="Where the samples are made, or were.")] = SAMPLES,
    seconds: Annotated[int, typer.Option(help="Length of each film.")] = 120,
    photographs: Annotated[int, typer.Option(help="How many of 12 MP.")] = 96,
    peer: Annotated[Path | None, typer.Option(help="A Python in which the package fer is installed.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure there.")] = None,
) -> None:
    """Analyse samples from nothing, and hold it against what their parts take alone."""
    cores = len(os.sched_getaffinity(0))
    paths = samples.make(folder, seconds, photographs)
    counts = sorted({1, 2, cores})
    figures: dict[str, Any] = {"machine": _machine(cores), "seconds": seconds, "samples": {}}
    typer.echo(f"{figures['machine']}\n")
    typer.echo(ROW.format(*HEADINGS))
    for name, path in paths.items():
        alone = parts.measure(path)
        found: dict[str, Any] = {"core milliseconds": {**asdict(alone), "total": alone.total}, "workers": {}}
        figures["samples"][name] = found
        for workers in counts:
            whole = end_to_end.measure(path, workers)
            share = whole.frames_per_second * alone.total / 1000 / min(workers, cores)
            found["workers"][workers] = {**asdict(whole), "share of the parts": share}
            gain = whole.frames_per_second / found["workers"][counts[0]]["frames_per_second"]
            numbers = f"{whole.frames_per_second:.1f}", f"{share:.0%}", f"{gain:.2f}", f"{whole.start_seconds:.1f}"
            memory = f"{whole.main_megabytes:.0f}", f"{whole.worker_megabytes:.0f}"
            typer.echo(ROW.format(name, workers, *numbers, *memory))
        typer.echo(
            f"{'':18} alone, ms of one core: decoding {alone.decoding:.2f}, detecting {alone.detecting:.2f}, "
            f"classifying {alone.classifying:.2f}"
        )
    if peer is not None:
        film = paths["1 face 640x480"]
        with tempfile.TemporaryDirectory() as elsewhere:  # it writes a file where it stands
            command = [str(peer.absolute()), "-c", PEER, str(film.absolute())]
            said = subprocess.check_output(command, cwd=elsewhere, stderr=subprocess.DEVNULL)
        rate = float(said.split()[-1])
        ours = figures["samples"]["1 face 640x480"]["workers"][cores]["frames_per_second"]
        figures["fer"] = {"frames_per_second": rate, "ratio": ours / rate}
        typer.echo(f"\nfer on 1 face 640x480: {rate:.1f} frames/s; fer-batch is {ours / rate:.1f} times as fast")
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n")


def _machine(cores: int) -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return (
        f"{names[0].partition(':')[2].strip() if names else platform.processor()}, {cores} cores, {platform.system()}"
    )


typer.run(main)
