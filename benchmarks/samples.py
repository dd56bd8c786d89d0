"""Films and photographs to measure with, made of scikit-image's astronaut."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from PIL import Image

CLOCK = Fraction(1, 90000)
FPS = 30


def make(folder: Path, seconds: int, photographs: int) -> dict[str, Path]:
    """The samples that are not there yet, by their names; films last so many seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        name: folder / f"{name}.mp4" for name in ("1 face 640x480", "1 face 1080p", "5 faces", "nobody", "variable")
    }
    sizes = {"1 face 1080p": (1920, 1080), "5 faces": (1280, 720)}
    for name, path in paths.items():
        if not path.exists():
            faces = {"5 faces": 5, "nobody": 0}.get(name, 1)
            _write_film(path, sizes.get(name, (640, 480)), seconds * FPS, faces, variable=name == "variable")
    pictures = folder / "12-MP photographs"
    pictures.mkdir(exist_ok=True)
    for number in range(photographs):
        path = pictures / f"{number:04}.jpg"
        if not path.exists():
            Image.fromarray(_scene((4000, 3000), 1, 10 * number)).save(path, quality=90)
    return paths | {pictures.name: pictures}


def _write_film(path: Path, size: tuple[int, int], count: int, faces: int, *, variable: bool) -> None:
    part = path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        stream.codec_context.gop_size = 2 * FPS
        for number, seconds in enumerate(_times(count, variable=variable)):
            frame = av.VideoFrame.from_ndarray(_scene(size, faces, number), format="rgb24")
            frame.pts, frame.time_base = round(seconds / CLOCK), CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    part.rename(path)


def _times(count: int, *, variable: bool) -> Iterator[Fraction]:
    """Seconds of every frame; with a variable rate every other gap is twice as long as the one before."""
    seconds = Fraction(0)
    for number in range(count):
        yield seconds
        seconds += Fraction(2 if variable and number % 2 else 1, FPS)


def _scene(size: tuple[int, int], faces: int, number: int) -> np.ndarray:
    """(height, width, 3) uint8: heads that sway before a grey wall, and a camera's noise."""
    width, height = size
    scene = np.full((height, width, 3), 96, np.uint8)
    side = height if faces == 1 else height // 2
    astronaut: np.ndarray = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    person = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    for face in range(faces):
        column, row = (face % 3, face // 3) if faces > 1 else (0, 0)
        sway = np.sin(number / 40 + face)
        left = int((width - side) / 2 * (1 + sway)) if faces == 1 else int(column * width / 3 + (1 + sway) * width / 80)
        top = min(row * height // 2, height - side)
        scene[top : top + side, left : left + side] = person[:, : width - left]
    noise = np.random.default_rng(number).integers(-6, 7, (height // 4, width // 4, 1))
    noise = noise.repeat(4, axis=0).repeat(4, axis=1)
    scene[: noise.shape[0], : noise.shape[1]] = np.clip(scene[: noise.shape[0], : noise.shape[1]] + noise, 0, 255)
    return scene
