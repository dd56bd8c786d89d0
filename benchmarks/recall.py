"""``python -m benchmarks.recall``: of the faces that whole looks at every frame find, what share is found anyway."""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
import skimage.data
import typer

from fer_batch import detection
from fer_batch.detection.scan import scan_chunk
from fer_batch.media import sources
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.pipeline.worker import LOWEST_CONFIDENCE
from fer_batch.types import Box, Detection, ScannedFrames

SIZE = (640, 480)
FPS = 25
SURE = 0.5
"""Lowest score of a face that counts: the default of what reaches the tables."""
SAME = 0.5
"""Least intersection over union of a face that was found with where it is."""


class _Actor:
    """A face that wanders from place to place, grows, shrinks, rolls, and vanishes at random."""

    def __init__(
        self, rng: np.random.Generator, lane: float, largest: float, frames: int, sizes_a_second: float
    ) -> None:
        steps = np.cumsum(rng.integers(10, 40, frames // 10 + 2))
        self._at = np.concatenate([[0], steps])
        size = rng.uniform(35, largest)
        most = size * np.diff(self._at, prepend=0) / FPS * rng.uniform(0.2, sizes_a_second, len(self._at))
        self._x = np.cumsum(np.clip(rng.normal(0, SIZE[0] / 2, len(self._at)), -most, most)) + rng.uniform(0, SIZE[0])
        self._x = SIZE[0] - np.abs(self._x % (2 * SIZE[0]) - SIZE[0])  # back from the frame's edges
        self._y = np.clip(lane + rng.normal(0, 40, len(self._at)), 20, SIZE[1] - 20)
        self._size = size * np.exp(rng.normal(0, 0.15, len(self._at)))
        self._roll = rng.normal(0, 12, len(self._at))
        self._there = np.ones(frames, bool)
        for _ in range(rng.integers(0, 4)):
            begin = rng.integers(0, frames)
            self._there[begin : begin + rng.integers(5, 60)] = False
        self._portrait = np.asarray(skimage.data.astronaut()[0:230, 110:340])  # type: ignore[no-untyped-call]
        away = np.hypot(*np.mgrid[-1:1:230j, -1:1:230j])
        self._mask = np.clip(6 - 6 * away, 0, 1).astype(np.float32)

    def draw(self, image: np.ndarray, frame: int) -> np.ndarray:
        """The picture with the face in it, if it is there."""
        if not self._there[frame]:
            return image
        x, y, size, roll = (
            float(np.interp(frame, self._at, values)) for values in (self._x, self._y, self._size, self._roll)
        )
        side = len(self._portrait)
        place = cv2.getRotationMatrix2D((side / 2, side / 2), roll, size / 100)  # the face has 100 of its pixels
        place[:, 2] += np.array([x - side / 2, y - side / 2])
        mask = cv2.warpAffine(self._mask, place, SIZE)[:, :, np.newaxis]
        return np.asarray(image * (1 - mask) + cv2.warpAffine(self._portrait, place, SIZE) * mask)


def write_video(path: Path, seed: int, faces: int, frames: int, sizes_a_second: float) -> None:
    """A film of faces that move up to so many of their sizes a second, dark, blurred, noisy and compressed."""
    rng = np.random.default_rng(seed)
    coffee: np.ndarray = skimage.data.coffee()  # type: ignore[no-untyped-call]
    ground = cv2.resize(coffee, SIZE) * rng.uniform(0.3, 0.9)
    lanes = [SIZE[1] * (number + 0.5) / faces for number in range(faces)]
    actors = [_Actor(rng, lane, min(200, SIZE[1] / faces * 1.2), frames, sizes_a_second) for lane in lanes]
    light, noise, blur = rng.uniform(0.25, 1), rng.uniform(0, 14), rng.uniform(0.1, 1.5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "veryfast", "crf": "28"}
        for number in range(frames):
            image = ground
            for actor in actors:
                image = actor.draw(image, number)
            image = cv2.GaussianBlur(image, (0, 0), blur) * light * (1 + 0.25 * np.sin(number / 17))
            image = image + rng.normal(0, noise, (SIZE[1], SIZE[0], 1))
            frame = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _faces(path: Path, detect_every: int | None) -> Iterator[list[Detection]]:
    """The faces of every frame that are found for sure."""
    source = sources.walk([path]).sources[0]
    index = read_index(path)
    detector = detection.make(detection.DEFAULT)
    for chunk in reader.plan(source, index, Sampling(), reader.read_mode(index)):
        for part in scan_chunk(chunk, detector, LOWEST_CONFIDENCE, detect_every):
            if isinstance(part, ScannedFrames):
                for index_in_part in range(len(part.times)):
                    faces = map(Detection.from_row, part.faces[part.owners == index_in_part].tolist())
                    yield [face for face in faces if face.confidence >= SURE]


def _is_in(box: Box, faces: list[Detection]) -> bool:
    return any(one.box.overlap(box) >= SAME for one in faces)


def main(
    seeds: Annotated[int, typer.Option(help="Films of each number of faces, 1 to 4.")] = 2,
    frames: Annotated[int, typer.Option(help="Frames of each film.")] = 250,
    speed: Annotated[float, typer.Option(help="Most sizes of a face that it moves in a second.")] = 8,
) -> None:
    """Make films, look at them both ways, and say what share is found."""
    sums = np.zeros(3, int)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            for count in range(1, 5):
                path = Path(folder) / f"{seed} {count}.mp4"
                write_video(path, 10 * seed + count, count, frames, speed)
                there, found = list(_faces(path, 1)), list(_faces(path, None))
                both = list(zip(there, found, strict=True))
                numbers = np.array(
                    [
                        sum(map(len, there)),
                        sum(_is_in(one.box, seen) for known, seen in both for one in known),
                        sum(not _is_in(one.box, known) for known, seen in both for one in seen),
                    ]
                )
                sums += numbers
                _say(f"{count} faces", numbers)
    _say("all", sums)


def _say(name: str, numbers: np.ndarray) -> None:
    there, found, others = numbers.tolist()
    typer.echo(f"{name}: {there} found by whole looks, {found / max(1, there):.2%} of them between, {others} others")


if __name__ == "__main__":
    typer.run(main)
