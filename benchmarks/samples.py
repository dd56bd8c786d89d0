"""Videos and photos to measure with, made of scikit-image's astronaut."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from PIL import Image

TIME_BASE = Fraction(1, 90000)
FPS = 30


def make(folder: Path, seconds: int, photos: int) -> dict[str, Path]:
    """Make the samples that are missing, videos of so many seconds. Gives the paths of all by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        name: folder / f"{name}.mp4" for name in ("1 face 640x480", "1 face 1080p", "5 faces", "nobody", "variable")
    }
    sizes = {"1 face 1080p": (1920, 1080), "5 faces": (1280, 720)}
    for name, path in paths.items():
        if not path.exists():
            faces = {"5 faces": 5, "nobody": 0}.get(name, 1)
            _write_video(path, sizes.get(name, (640, 480)), seconds * FPS, faces, variable=name == "variable")
    images = folder / "12-MP photos"
    images.mkdir(exist_ok=True)
    scene = _Scene((4000, 3000), 1)
    for number in range(photos):
        path = images / f"{number:04}.jpg"
        if not path.exists():
            Image.fromarray(scene.image(10 * number)).save(path, quality=90)
    return paths | {images.name: images}


def _write_video(path: Path, size: tuple[int, int], count: int, faces: int, *, variable: bool) -> None:
    part = path.with_suffix(".part.mp4")
    scene = _Scene(size, faces)
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast"}
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        stream.codec_context.gop_size = 2 * FPS
        for number, seconds in enumerate(_times(count, variable=variable)):
            frame = av.VideoFrame.from_ndarray(scene.image(number), format="rgb24")
            frame.pts, frame.time_base = round(seconds / TIME_BASE), TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    part.rename(path)


def _times(count: int, *, variable: bool) -> Iterator[Fraction]:
    """Seconds of every frame; with a variable rate every other frame lasts twice as long as the one before."""
    seconds = Fraction(0)
    for number in range(count):
        yield seconds
        seconds += Fraction(2 if variable and number % 2 else 1, FPS)


class _Scene:
    """Faces that move from side to side before a grey wall, with a camera's noise."""

    def __init__(self, size: tuple[int, int], faces: int) -> None:
        self._size = size
        self._faces = faces
        astronaut: np.ndarray = skimage.data.astronaut()  # type: ignore[no-untyped-call]
        self._side = size[1] if faces == 1 else size[1] // 2
        self._person = cv2.resize(astronaut, (self._side, self._side), interpolation=cv2.INTER_AREA)
        grain = np.random.default_rng(0).integers(0, 8, (4, size[1] // 4, size[0] // 4, 3), np.uint8)
        self._noise = [cv2.resize(noise, size, interpolation=cv2.INTER_NEAREST) for noise in grain]

    def image(self, number: int) -> np.ndarray:
        """The frame of this number: (height, width, 3) uint8 RGB."""
        width, height = self._size
        scene = np.full((height, width, 3), 96, np.uint8)
        for face in range(self._faces):
            sway = 1 + np.sin(number / 40 + face)
            if self._faces == 1:
                left, top = int((width - self._side) / 2 * sway), 0
            else:
                left, top = int(face % 3 * width / 3 + sway * width / 80), face // 3 * (height - self._side)
            scene[top : top + self._side, left : left + self._side] = self._person[:, : width - left]
        return cv2.add(scene, self._noise[number % len(self._noise)])
