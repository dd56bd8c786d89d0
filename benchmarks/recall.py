"""``python -m benchmarks.recall``: how many faces the default detection schedule finds.

It prints their share of the faces that whole-frame detection in every frame finds.
"""

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
from fer_batch.options import Options
from fer_batch.pipeline.worker import LOWEST_CONFIDENCE
from fer_batch.types import Box, Detection, ScannedFrames

SIZE = (640, 480)
FPS = 25
MIN_CONFIDENCE = Options.min_confidence
"""Lowest score of a face that counts."""
MIN_OVERLAP = 0.5
"""Least intersection over union of two boxes of the same face."""


class Actor:
    """A face that moves from place to place, grows, shrinks, rolls and disappears at random."""

    def __init__(
        self, rng: np.random.Generator, lane: float, largest: float, frames: int, sizes_a_second: float
    ) -> None:
        steps = np.cumsum(rng.integers(10, 40, frames // 10 + 2))
        self._keyframes = np.concatenate([[0], steps])
        size = rng.uniform(35, largest)
        most = size * np.diff(self._keyframes, prepend=0) / FPS * rng.uniform(0.2, sizes_a_second, len(self._keyframes))
        self._x = np.cumsum(np.clip(rng.normal(0, SIZE[0] / 2, len(self._keyframes)), -most, most)) + rng.uniform(
            0, SIZE[0]
        )
        self._x = SIZE[0] - np.abs(self._x % (2 * SIZE[0]) - SIZE[0])  # reflected at the frame's edges
        self._y = np.clip(lane + rng.normal(0, 40, len(self._keyframes)), 20, SIZE[1] - 20)
        self._size = size * np.exp(rng.normal(0, 0.15, len(self._keyframes)))
        self._roll = rng.normal(0, 12, len(self._keyframes))
        self._visible = np.ones(frames, bool)
        for _ in range(rng.integers(0, 4)):
            begin = rng.integers(0, frames)
            self._visible[begin : begin + rng.integers(5, 60)] = False
        self._portrait = np.asarray(skimage.data.astronaut()[0:230, 110:340])  # type: ignore[no-untyped-call]
        radius = np.hypot(*np.mgrid[-1:1:230j, -1:1:230j])
        self._mask = np.clip(6 - 6 * radius, 0, 1).astype(np.float32)

    def place(self, frame: int) -> tuple[float, float, float] | None:
        """Centre and height of the face in a frame, in pixels; None: it is not visible."""
        x, y, size, _ = self._at(frame)
        return (x, y, size) if self._visible[frame] else None

    def narrowed(self, frame: int) -> float:  # noqa: ARG002
        """How wide the face looks; 1: it looks straight ahead, as it always does."""
        return 1.0

    def ends_within(self, frame: int, frames: float) -> bool:
        """Whether it appears so many frames before this one at most, or vanishes so many after it."""
        near = self._visible[max(0, int(frame - frames)) : int(frame + frames) + 1]
        return bool(self._visible[frame]) and not bool(near.all())

    def _at(self, frame: int) -> tuple[float, float, float, float]:
        """Centre, height and roll of the face."""
        x, y, size, roll = (
            float(np.interp(frame, self._keyframes, values)) for values in (self._x, self._y, self._size, self._roll)
        )
        return x, y, size, roll

    def draw(self, image: np.ndarray, frame: int) -> np.ndarray:
        """The image with the face in it, if it is visible in that frame."""
        if not self._visible[frame]:
            return image
        transform = self._transform(frame)
        mask = cv2.warpAffine(self._mask, transform, SIZE)[:, :, np.newaxis]
        return np.asarray(image * (1 - mask) + cv2.warpAffine(self._portrait, transform, SIZE) * mask)

    def _transform(self, frame: int) -> np.ndarray:
        """(2, 3): from the portrait to the frame; the face is 100 pixels high in the portrait."""
        x, y, size, roll = self._at(frame)
        side = len(self._portrait)
        transform = cv2.getRotationMatrix2D((side / 2, side / 2), roll, size / 100)
        transform[:, 2] += np.array([x - side / 2, y - side / 2])
        return transform


def write_video(
    path: Path, seed: int, faces: int, frames: int, sizes_a_second: float, actor: type[Actor] = Actor
) -> list[Actor]:
    """Write a dark, blurred, noisy and compressed video of faces that move up to so many of their sizes per second.

    Returns the faces.
    """
    rng = np.random.default_rng(seed)
    coffee: np.ndarray = skimage.data.coffee()  # type: ignore[no-untyped-call]
    ground = cv2.resize(coffee, SIZE) * rng.uniform(0.3, 0.9)
    lanes = [SIZE[1] * (number + 0.5) / faces for number in range(faces)]
    actors = [actor(rng, lane, min(200, SIZE[1] / faces * 1.2), frames, sizes_a_second) for lane in lanes]
    light, noise, blur = rng.uniform(0.25, 1), rng.uniform(0, 14), rng.uniform(0.1, 1.5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "veryfast", "crf": "28"}
        for number in range(frames):
            image = ground
            for one in actors:
                image = one.draw(image, number)
            image = cv2.GaussianBlur(image, (0, 0), blur) * light * (1 + 0.25 * np.sin(number / 17))
            image = image + rng.normal(0, noise, (SIZE[1], SIZE[0], 1))
            frame = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return actors


def _faces(path: Path, detect_every: int | None) -> Iterator[list[Detection]]:
    """The faces of every frame with a score of at least MIN_CONFIDENCE."""
    source = sources.walk([path]).sources[0]
    index = read_index(path)
    detector = detection.make(detection.DEFAULT)
    for chunk in reader.plan(source, index, Sampling(), reader.read_mode(index)):
        for part in scan_chunk(chunk, detector, LOWEST_CONFIDENCE, detect_every):
            if isinstance(part, ScannedFrames):
                for frame in np.flatnonzero(part.sampled):
                    faces = map(Detection.from_row, part.faces[part.owners == frame].tolist())
                    yield [face for face in faces if face.confidence >= MIN_CONFIDENCE]


def _is_in(box: Box, faces: list[Detection]) -> bool:
    return any(face.box.overlap(box) >= MIN_OVERLAP for face in faces)


def main(
    seeds: Annotated[int, typer.Option(help="Videos for each number of faces, 1 to 4.")] = 2,
    frames: Annotated[int, typer.Option(help="Frames of each video.")] = 250,
    speed: Annotated[float, typer.Option(help="Largest speed of a face, in its own sizes per second.")] = 8,
) -> None:
    """Make videos, scan them with both schedules, and print the share of faces that is found."""
    sums = np.zeros(3, int)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            for count in range(1, 5):
                path = Path(folder) / f"{seed} {count}.mp4"
                write_video(path, 10 * seed + count, count, frames, speed)
                every_frame, default = list(_faces(path, 1)), list(_faces(path, None))
                both = list(zip(every_frame, default, strict=True))
                numbers = np.array(
                    [
                        sum(map(len, every_frame)),
                        sum(_is_in(face.box, found) for known, found in both for face in known),
                        sum(not _is_in(face.box, known) for known, found in both for face in found),
                    ]
                )
                sums += numbers
                _print(f"{count} faces", numbers)
    _print("all", sums)


def _print(name: str, numbers: np.ndarray) -> None:
    known, found, others = numbers.tolist()
    share = found / max(1, known)
    typer.echo(
        f"{name}: {known} with whole-frame detection everywhere, {share:.2%} of them by default, {others} others"
    )


if __name__ == "__main__":
    typer.run(main)
