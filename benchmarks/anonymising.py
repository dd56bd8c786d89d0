"""``python -m benchmarks.anonymising``: what hiding faces is worth, and what it costs.

It makes videos of one to five faces that come, go, vanish, turn and rush, hides all faces in them, and searches the
result: by the detector at its lowest score and in pictures of other sizes, and, where each face is known to be, for
what can still be seen of it.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.recall import FPS, SIZE, Actor, make_actors, write_video
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

LEAST_DETAIL = 2.0
"""Faces with less fine detail in the original are too dark or too blurred to tell."""

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
) -> None:
    """Make videos, hide the faces, search the results, and print what is found."""
    with tempfile.TemporaryDirectory() as name:
        videos = [(10 * seed + count, count) for seed in range(seeds) for count in range(1, 6)]
        for seed, count in videos:
            path = Path(name) / f"{seed}.mp4"
            write_video(path, seed, count, frames, speed)
            analyze([path], out=path.with_suffix(""))
        for way in WAYS:
            sums, seconds = Counter[str](), 0.0
            for seed, count in videos:
                path = Path(name) / f"{seed}.mp4"
                began = perf_counter()
                (made,) = annotate(path.with_suffix(""), AnnotateOptions(anonymize=way)).files
                seconds += perf_counter() - began
                sums += _found(path, made, make_actors(seed, count, frames, speed))
            _print(way, sums, seconds)


def _found(path: Path, made: Path, actors: Sequence[Actor]) -> Counter[str]:
    """What is found in a video whose faces are hidden, and what is seen of them."""
    detector = detection.make(detection.DEFAULT)
    sums = Counter[str]()
    for number, (original, result) in enumerate(zip(images(path), images(made), strict=True)):
        sums["frames"] += 1
        for side in SIDES:
            scale = side / max(SIZE)
            picture = cv2.resize(result, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            sums[f"at {side}"] += bool(detector.detect(picture, LOWEST_CONFIDENCE))
        for actor in actors:
            place = actor.place(number)
            before = np.empty(0) if place is None else detail(original, *place)
            if place is None or before.size == 0 or before.std() < LEAST_DETAIL:
                continue
            after = detail(result, *place)
            seen = after.std() > REST * before.std() and float(np.corrcoef(before, after)[0, 1]) > SHOWN
            sums["faces"] += 1
            sums["seen"] += seen
            if actor.ends_within(number, ENDS_SECONDS * FPS):
                sums["at ends"] += 1
                sums["seen at ends"] += seen
    return sums


def _print(way: str, sums: Counter[str], seconds: float) -> None:
    again = ", ".join(f"{sums[f'at {side}']} at {side} pixels" for side in SIDES)
    typer.echo(f"{way}: {sums['frames']} frames in {seconds:.1f} s; a face is found again in {again}")
    typer.echo(
        f"    {sums['seen']} of {sums['faces']} faces can still be seen, {sums['seen at ends']} of {sums['at ends']} "
        f"in the first or last {ENDS_SECONDS} s of being there"
    )


if __name__ == "__main__":
    typer.run(main)
