"""``python -m benchmarks.small_faces``: which faces are found in large frames, by ``--min-face``, and what it costs.

Faces of known heights are pasted into pictures without faces. It prints, for each height, the share that is found, how
many boxes are at no face, and what one search of a whole frame takes on one core.
"""

from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Annotated

import cv2
import numpy as np
import skimage.data
import typer

from fer_batch import detection
from fer_batch.detection.scan import FrameScanner
from fer_batch.detection.schedule import Search
from fer_batch.media.photos import PhotoImage
from fer_batch.options import DEFAULT_MIN_FACE, Options
from fer_batch.types import Box, Detection, Kind

GROUNDS = ("coffee", "chelsea", "rocket", "brick", "grass", "gravel", "coins", "page", "moon", "hubble_deep_field")
"""Images of scikit-image without a face."""
MARGIN = 1.6
"""Side of a face's image as a multiple of the height of the face's box."""
FRAMES = {
    "video 1280x720": (Kind.VIDEO, 1280, 720),
    "video 1920x1080": (Kind.VIDEO, 1920, 1080),
    "video 3840x2160": (Kind.VIDEO, 3840, 2160),
    "photo 1024x768": (Kind.PHOTOS, 1024, 768),
    "photo 4000x3000": (Kind.PHOTOS, 4000, 3000),
}
HEIGHTS = (16, 20, 24, 32, 48, 64, 96, 144)
MIN_FACES = (None, 48, 32, 24, 16)
MIN_OVERLAP = 0.4
"""Least intersection over union of a box with the place of a face."""
NOISE = 3.0
"""Standard deviation in grey levels."""


def main(
    faces: Annotated[
        Path | None,
        typer.Option(help="Folder of images, each of a face that is 1/1.6 of its height; default: one face, altered."),
    ] = None,
    frames: Annotated[list[str] | None, typer.Option(help=f"Some of {', '.join(FRAMES)}; default: all.")] = None,
    scenes: Annotated[int, typer.Option(help="Pictures for each height.")] = 4,
    most: Annotated[int, typer.Option(help="Most faces in a picture.")] = 30,
) -> None:
    """Print a table for each size of frame."""
    cv2.setNumThreads(1)
    portraits = _one_face_altered() if faces is None else [_grey(path) for path in sorted(faces.iterdir())]
    detector = detection.make(detection.DEFAULT)
    for name in frames or FRAMES:
        kind, width, height = FRAMES[name]
        typer.echo(f"{name}: --min-face, ms, false boxes a picture, found at heights {HEIGHTS}")
        for min_face in MIN_FACES:
            scanner = FrameScanner(detector, Options.min_confidence, kind, None, min_face)
            shares, false, times = [], 0, []
            for face_height in HEIGHTS:
                found = there = 0
                rng = np.random.default_rng(face_height)
                for _ in range(scenes):
                    image, boxes = _scene(rng, portraits, width, height, face_height, most)
                    began = process_time()
                    seen = _result(scanner.full_frame(image))
                    times.append(process_time() - began)
                    seen = [face for face in seen if face.box.height >= (min_face or DEFAULT_MIN_FACE)]
                    found += sum(_is_in(box, seen) for box in boxes)
                    false += sum(not any(face.box.overlap(box) > 0 for box in boxes) for face in seen)
                    there += len(boxes)
                shares.append(f"{found / there:.2f}")
            pictures = scenes * len(HEIGHTS)
            typer.echo(f"{min_face}\t{1000 * np.median(times):.0f}\t{false / pictures:.2f}\t" + "\t".join(shares))


def _result(search: Search) -> list[Detection]:
    while True:
        try:
            next(search)
        except StopIteration as done:
            return list(done.value)


def _scene(
    rng: np.random.Generator, portraits: Sequence[np.ndarray], width: int, height: int, face_height: int, most: int
) -> tuple[PhotoImage, list[Box]]:
    """A picture of this size with at most ``most`` faces, each of which is ``face_height`` pixels high."""
    pixels = _ground(rng, width, height)
    side = round(MARGIN * face_height)
    columns, rows = width // (side + 8), height // (side + 8)
    boxes = []
    for cell in rng.permutation(columns * rows)[:most].tolist():
        x, y = cell % columns * (side + 8), cell // columns * (side + 8)
        portrait = portraits[int(rng.integers(len(portraits)))]
        shrinks = side < portrait.shape[0]
        face = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        pixels[y : y + side, x : x + side] = face[:, :, np.newaxis]
        boxes.append(
            Box(x + side / 2 - 0.42 * face_height, y + (side - face_height) / 2, 0.84 * face_height, face_height)
        )
    noisy = np.clip(pixels + rng.normal(0, NOISE, pixels.shape), 0, 255).astype(np.uint8)
    return PhotoImage(Path(), noisy, cv2.cvtColor(noisy, cv2.COLOR_RGB2GRAY), width, height), boxes


def _ground(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(height, width, 3) float32: a picture without faces, enlarged to this size."""
    image = np.asarray(getattr(skimage.data, GROUNDS[rng.integers(len(GROUNDS))])())
    image = np.repeat(image[:, :, np.newaxis], 3, axis=2) if image.ndim == 2 else image[:, :, :3]
    scale = max(width / image.shape[1], height / image.shape[0])
    size = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)[:height, :width], np.float32)


def _one_face_altered() -> list[np.ndarray]:
    """The astronaut's face, turned and in other light."""
    astronaut: np.ndarray = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    altered = []
    for angle in (-15, 0, 15):
        turned = cv2.warpAffine(grey, cv2.getRotationMatrix2D((226, 118), angle, 1), grey.shape[::-1])[23:213, 131:321]
        altered += [turned, turned[:, ::-1], np.rint(turned * 0.5).astype(np.uint8)]
    return altered


def _grey(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def _is_in(box: Box, faces: Sequence[Detection]) -> bool:
    return any(face.box.overlap(box) >= MIN_OVERLAP for face in faces)


if __name__ == "__main__":
    typer.run(main)
