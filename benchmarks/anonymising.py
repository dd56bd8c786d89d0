"""``python -m benchmarks.anonymising``: what hiding faces is worth, and what it costs.

It makes videos of one to five faces that come, go, vanish, turn and rush, hides all faces in them, and searches the
result: by the detector at its lowest score and in pictures of other sizes, and, where each face is known to be, for
what can still be seen of it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.recall import FPS, SIZE, make_actors, write_video
from fer_batch import analyze, detection
from fer_batch.drawing.film import Film
from fer_batch.media import sources
from fer_batch.media.video.index import read_index
from fer_batch.options import WAYS, AnnotateOptions
from fer_batch.pipeline.annotate import annotate
from fer_batch.pipeline.worker import LOWEST_CONFIDENCE

SIDES = (320, 640, 960)
"""Longest sides of the pictures that are searched again."""

SHOWN = 0.35
"""A face is seen if its fine detail correlates with the original's by more than this."""

REST = 0.5
"""… and if at least this part of the detail's contrast is left."""

ENDS_SECONDS = 0.5


def images(path: Path) -> Iterator[np.ndarray]:
    """Each frame of a video, (height, width, 3) RGB."""
    for item in Film.of(sources.walk([path]).sources[0], read_index(path)).frames():
        if isinstance(item, tuple):
            yield item[1].rgb(max(SIZE))


def detail(image: np.ndarray, x: float, y: float, size: float) -> np.ndarray:
    """What is fine in the middle of a face whose centre and height are given."""
    left, top, right, bottom = (round(value) for value in (x - size / 3, y - size / 3, x + size / 3, y + size / 3))
    part = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if min(part.shape[:2]) < 8:
        return np.empty(0)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return (grey - cv2.GaussianBlur(grey, (0, 0), size / 12)).ravel()


def main(
    seeds: Annotated[int, typer.Option(help="Videos for each number of faces, 1 to 5.")] = 1,
    frames: Annotated[int, typer.Option(help="Frames of each video.")] = 250,
    speed: Annotated[float, typer.Option(help="Largest speed of a face, in its own sizes per second.")] = 4,
    way: Annotated[str, typer.Option(help="How faces are hidden.", metavar="|".join(WAYS))] = "blur",
) -> None:
    """Make videos, hide the faces, search the results, and print what is found."""
    detector = detection.make(detection.DEFAULT)
    searched, again = 0, dict.fromkeys(SIDES, 0)
    faces = shown = ends = shown_ends = 0
    seconds = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(seeds):
            for count in range(1, 6):
                path = folder / f"{seed} {count}.mp4"
                write_video(path, 10 * seed + count, count, frames, speed)
                out = folder / f"{seed} {count}"
                analyze([path], out=out)
                began = perf_counter()
                (made,) = annotate(out, AnnotateOptions(anonymize=way)).files
                seconds += perf_counter() - began
                actors = make_actors(10 * seed + count, count, frames, speed)
                for number, (original, result) in enumerate(zip(images(path), images(made), strict=True)):
                    searched += 1
                    for side in SIDES:
                        scale = side / max(SIZE)
                        picture = cv2.resize(result, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                        again[side] += bool(detector.detect(picture, LOWEST_CONFIDENCE))
                    for actor in actors:
                        if (place := actor.place(number)) is None:
                            continue
                        before, after = detail(original, *place), detail(result, *place)
                        if not before.size or before.std() < 2:
                            continue
                        seen = after.std() > REST * before.std() and float(np.corrcoef(before, after)[0, 1]) > SHOWN
                        near_end = actor.ends_within(number, ENDS_SECONDS * FPS)
                        faces, shown = faces + 1, shown + seen
                        ends, shown_ends = ends + near_end, shown_ends + (near_end and seen)
    typer.echo(
        f"{searched} frames; a face is found again in "
        + ", ".join(f"{found} ({found / searched:.2%}) at {side} pixels" for side, found in again.items())
    )
    typer.echo(
        f"{faces} faces, {shown} seen; {ends} in the first or last {ENDS_SECONDS} s of being there, {shown_ends} seen"
    )
    typer.echo(f"{seconds:.1f} s for {searched / FPS:.1f} s of video")


if __name__ == "__main__":
    typer.run(main)
