"""``python -m benchmarks.anonymising``: what hiding faces is worth, and what it costs.

It makes videos of one to five faces that come, go, vanish, turn away and rush, hides all faces in them, and searches
the result: by the detector at its lowest score and in pictures of other sizes, and, where each face is known to be,
for what can still be seen of it. What the detector takes for a face where there was none is counted by itself.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated

import cv2
import numpy as np
import skimage.data
import typer

from benchmarks.recall import FPS, SIZE, Actor, write_video
from fer_batch import analyze, detection
from fer_batch.drawing.film import Film
from fer_batch.media import sources
from fer_batch.media.video.index import read_index
from fer_batch.options import WAYS, AnnotateOptions
from fer_batch.pipeline.annotate import annotate
from fer_batch.pipeline.worker import LOWEST_CONFIDENCE
from fer_batch.types import Box

SIDES = (320, 640, 960)
"""Longest sides of the pictures that are searched again."""

SHOWN = 0.35
"""A face is seen if its fine detail correlates with the original's by more than this."""

REST = 0.5
"""… and if at least this part of the detail's contrast is left."""

LEAST_DETAIL = 2.0
"""Faces with less fine detail in the original are too dark or too blurred to tell."""

ENDS_SECONDS = 0.5

LFW = (71, 26, 90, 92, 11)
"""Rows of scikit-image's lfw_subset (25x25 pixels, from Labeled Faces in the Wild) that the detector finds enlarged."""

LFW_SIDE = 128
"""Side of such a picture in the portrait, in which the face is 100 pixels high."""


def portrait(face: int) -> np.ndarray:
    """(230, 230, 3) uint8: the astronaut (0), or one of LFW, whose edges are drawn out to all sides."""
    if face == 0:
        return np.asarray(skimage.data.astronaut()[0:230, 110:340])  # type: ignore[no-untyped-call]
    row = (skimage.data.lfw_subset()[LFW[face - 1]] * 255).astype(np.uint8)  # type: ignore[no-untyped-call]
    large = cv2.resize(row, (LFW_SIDE, LFW_SIDE), interpolation=cv2.INTER_CUBIC)
    beside = (230 - LFW_SIDE) // 2
    framed = cv2.copyMakeBorder(large, beside, beside, beside, beside, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB))


class Person(Actor):
    """One of six faces, which turns away now and then: it is drawn narrower."""

    def __init__(
        self, rng: np.random.Generator, lane: float, largest: float, frames: int, sizes_a_second: float
    ) -> None:
        super().__init__(rng, lane, largest, frames, sizes_a_second)
        self._portrait = portrait(int(rng.integers(1 + len(LFW))))
        self._turned = rng.uniform(0, 80, len(self._keyframes)) * rng.integers(0, 2, len(self._keyframes))

    def narrowed(self, frame: int) -> float:
        """How wide it looks, 1: it looks straight ahead."""
        return float(np.cos(np.radians(np.interp(frame, self._keyframes, self._turned))))

    def _transform(self, frame: int) -> np.ndarray:
        narrow, middle = self.narrowed(frame), len(self._portrait) / 2
        turned = np.array([[narrow, 0, middle * (1 - narrow)], [0, 1, 0], [0, 0, 1]])
        return np.asarray(super()._transform(frame) @ turned)


def images(path: Path) -> Iterator[np.ndarray]:
    """Each frame of a video, (height, width, 3) RGB."""
    for item in Film.of(sources.walk([path]).sources[0], read_index(path)).frames():
        if isinstance(item, tuple):
            yield item[1].rgb(max(SIZE))


def detail(image: np.ndarray, x: float, y: float, size: float, narrowed: float) -> np.ndarray:
    """What is fine in the middle of a face whose centre and height are given, and how wide it looks."""
    aside = narrowed * size / 3
    left, top, right, bottom = (round(value) for value in (x - aside, y - size / 3, x + aside, y + size / 3))
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
        films: list[tuple[Path, list[Actor]]] = []
        for seed in range(seeds):
            for count in range(1, 6):
                path = Path(name) / f"{seed} {count}.mp4"
                films.append((path, write_video(path, 10 * seed + count, count, frames, speed, Person)))
                analyze([path], out=path.with_suffix(""))
        for way in WAYS:
            sums, seconds = Counter[str](), 0.0
            for path, people in films:
                began = perf_counter()
                (made,) = annotate(path.with_suffix(""), AnnotateOptions(anonymize=way)).files
                seconds += perf_counter() - began
                sums += found(path, made, people)
            _print(way, sums, seconds)


def found(path: Path, made: Path, people: Sequence[Actor]) -> Counter[str]:
    """What is found in a video whose faces are hidden, and what is seen of them."""
    detector = detection.make(detection.DEFAULT)
    sums = Counter[str]()
    for number, (original, result) in enumerate(zip(images(path), images(made), strict=True)):
        sums["frames"] += 1
        there = [(*place, one.narrowed(number)) for one in people if (place := one.place(number)) is not None]
        for side in SIDES:
            scale = side / max(SIZE)
            picture = cv2.resize(result, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            faces = [face.scaled(1 / scale, 1 / scale) for face in detector.detect(picture, LOWEST_CONFIDENCE)]
            again = [_is_of(face.box, there) for face in faces]
            sums[f"at {side}"] += any(again)
            sums[f"elsewhere at {side}"] += not all(again)
        for one in people:
            place = one.place(number)
            if place is None:
                continue
            before, after = (detail(image, *place, one.narrowed(number)) for image in (original, result))
            if before.size == 0 or before.std() < LEAST_DETAIL:
                continue
            seen = after.std() > REST * before.std() and float(np.corrcoef(before, after)[0, 1]) > SHOWN
            sums["faces"] += 1
            sums["seen"] += seen
            if one.ends_within(number, ENDS_SECONDS * FPS):
                sums["at ends"] += 1
                sums["seen at ends"] += seen
    return sums


def _is_of(box: Box, there: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether a box that was found is at the place of a face: its centre is less than a face's height away."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return any(np.hypot(x - left, y - top) < size for left, top, size, _ in there)


def _print(way: str, sums: Counter[str], seconds: float) -> None:
    again, elsewhere = (
        ", ".join(f"{sums[f'{where} {side}']} at {side}" for side in SIDES) for where in ("at", "elsewhere at")
    )
    typer.echo(f"{way}: {sums['frames']} frames in {seconds:.1f} s; frames in which a face is found again, by the size")
    typer.echo(f"    of the picture: {again} pixels; something else is taken for a face: {elsewhere} pixels")
    typer.echo(
        f"    {sums['seen']} of {sums['faces']} faces can still be seen, {sums['seen at ends']} of {sums['at ends']} "
        f"in the first or last {ENDS_SECONDS} s of being there"
    )


if __name__ == "__main__":
    typer.run(main)
