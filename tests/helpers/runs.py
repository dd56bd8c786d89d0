"""Whole runs of the command line, in processes that can be killed."""

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.helpers import media

CHUNKS = 8
"""Of the video."""


def make_inputs(folder: Path, astronaut: Path) -> Path:
    """A video of several chunks, and photos."""
    folder.mkdir()
    face = cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (320, 240))
    count = CHUNKS * 30 * 2
    media.write_video(folder / "film.mp4", range(0, count * 500, 500), [face] * count, keyframe_every=4)
    for number in range(20):
        media.write_photo(folder / f"{number}.jpg", np.roll(face, number, axis=1))
    return folder


def command(inputs: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "fer_batch", "analyze", str(inputs), "--out", str(out), "--workers", "2", *more]


def start(inputs: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command(inputs, out, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(inputs: Path, out: Path, *more: str) -> None:
    subprocess.run(command(inputs, out, *more), check=True, capture_output=True)


def tables(out: Path) -> dict[str, bytes]:
    paths = [*sorted((out / "timelines").rglob("*.csv")), out / "summary.csv", out / "errors.csv"]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def chunks(out: Path) -> dict[str, int]:
    """Every finished chunk, and when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in (out / "work").glob("chunk-*.parquet")}


def wait_for_chunks(process: subprocess.Popen[str], out: Path, count: int) -> None:
    while process.poll() is None and len(chunks(out)) < count:
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
