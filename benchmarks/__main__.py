"""``python -m benchmarks``: measure the speed, print it, and write it as JSON."""

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
from fer_batch import detection

PEER = """
import sys, time
from fer.classes import Video
from fer.fer import FER
detector, video = FER(), Video(sys.argv[1])
began = time.perf_counter()
no_output = dict(display=False, save_frames=False, save_video=False, annotate_frames=False)
frames = video.analyze(detector, max_results=1800, **no_output)
print(len(frames) / (time.perf_counter() - began))
"""
"""Prints the frames per second of the package ``fer`` on a video's first minute, without its start."""

SAMPLES = Path(tempfile.gettempdir()) / "fer-batch-samples"

FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
"""Features of a processor on which the speed of nets depends."""

HEADINGS = ("sample", "workers", "per s", "share", "gain", "start s", "main MB", "worker MB")
ROW = "{:18} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>10}"


def main(
    folder: Annotated[Path, typer.Option(help="Folder of the samples; missing ones are made.")] = SAMPLES,
    seconds: Annotated[int, typer.Option(help="Length of each video.")] = 300,
    photos: Annotated[int, typer.Option(help="Number of photos of 12 MP.")] = 96,
    only: Annotated[list[str] | None, typer.Option(help="A sample to measure; may be given again.")] = None,
    peer: Annotated[
        Path | None, typer.Option(help="A Python in which the package fer is installed, to compare with.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there, and keep earlier ones of other samples.")
    ] = None,
) -> None:
    """Analyse samples from scratch, and compare the speed with that of the parts alone."""
    cores = len(os.sched_getaffinity(0))
    paths = samples.make(folder, seconds, photos)
    counts = sorted({1, 2, cores})
    figures = _figures(cores, seconds, photos, json_file)
    typer.echo("".join(f"{what}: {value}\n" for what, value in figures["machine"].items()))
    typer.echo(ROW.format(*HEADINGS))
    for name, path in paths.items():
        if only and name not in only:
            continue
        found: dict[str, Any] = {"workers": {}}
        figures["samples"][name] = found
        for workers in counts:
            used = min(workers, cores)
            before = parts.measure(path, used)  # on as many cores as the analysis, before and after it
            result = end_to_end.measure(path, workers)
            alone = parts.Parts.mean((before, parts.measure(path, used)))
            found.setdefault("core milliseconds", {**asdict(alone), "total": alone.total})
            share = result.frames_per_second * alone.total / 1000 / used
            found["workers"][str(workers)] = {
                **asdict(result),
                "core milliseconds of the parts": alone.total,
                "share of the parts": share,
            }
            gain = result.frames_per_second / found["workers"][str(counts[0])]["frames_per_second"]
            numbers = f"{result.frames_per_second:.1f}", f"{share:.0%}", f"{gain:.2f}", f"{result.start_seconds:.1f}"
            memory = f"{result.main_megabytes:.0f}", f"{result.worker_megabytes:.0f}"
            typer.echo(ROW.format(name, workers, *numbers, *memory))
            typer.echo(
                f"{'':18} parts alone, ms of one core: decoding {alone.decoding:.2f}, detecting {alone.detecting:.2f}, "
                f"classifying {alone.classifying:.2f}"
            )
        _write(figures, json_file)
    if peer is not None:
        video = paths["1 face 640x480"]
        with tempfile.TemporaryDirectory() as folder_of_peer:  # fer writes a file into its working directory
            command = [str(peer.absolute()), "-c", PEER, str(video.absolute())]
            output = subprocess.check_output(command, cwd=folder_of_peer, stderr=subprocess.DEVNULL)
        rate = float(output.split()[-1])
        ours = figures["samples"]["1 face 640x480"]["workers"][str(cores)]["frames_per_second"]
        figures["fer"] = {"frames_per_second": rate, "ratio": ours / rate}
        typer.echo(f"\nfer on 1 face 640x480: {rate:.1f} frames/s; fer-batch is {ours / rate:.1f} times as fast")
        _write(figures, json_file)


def _write(figures: dict[str, Any], json_file: Path | None) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n")


def _figures(cores: int, seconds: int, photos: int, json_file: Path | None) -> dict[str, Any]:
    """The figures in the file, if they are of the same machine and samples of the same size; otherwise new ones."""
    fresh = {"machine": _machine(cores), "seconds": seconds, "photos": photos, "samples": {}}
    if json_file is None or not json_file.exists():
        return fresh
    known: dict[str, Any] = json.loads(json_file.read_text())
    return known if all(known.get(what) == fresh[what] for what in ("machine", "seconds", "photos")) else fresh


def _machine(cores: int) -> dict[str, Any]:
    """What the speed of this machine depends on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    features = known.get("flags", "").split()
    detector = detection.make(detection.DEFAULT).facts
    return {
        "processor": known.get("model name", platform.processor()),
        "features": [feature for feature in FEATURES if feature in features],
        "cores": cores,
        "system": platform.system(),
        "detector": f"{detector['runtime']}, {detector['precision']}",
    }


typer.run(main)
