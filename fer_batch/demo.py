"""A sample to try everything on: scikit-image's photograph of an astronaut, and a film made of it."""

import importlib.util
import shutil
from fractions import Fraction
from pathlib import Path

from fer_batch.errors import NothingUsable

PHOTO = "astronaut.png"
"""Eileen Collins, NASA, public domain; 512x512, in scikit-image's package."""

VIDEO = "astronaut.mp4"
VIDEO_SIZE = (640, 480)
VIDEO_RATE = 25
VIDEO_SECONDS = 6
WIDEST, NARROWEST = 500, 300
"""Pixels of the photograph that the film's first and last frame show across."""

FACE_CENTRE = (225, 118)
"""Where the face is in the photograph."""


def make_sample(folder: Path) -> None:
    """Write the photograph, and a film that moves in on its face, into ``folder``.

    Raises:
        NothingUsable: scikit-image, which carries the photograph, is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_photo(), folder / PHOTO)
    _video(folder / PHOTO, folder / VIDEO)


def _photo() -> Path:
    spec = importlib.util.find_spec("skimage")
    for place in (spec and spec.submodule_search_locations) or ():
        path = Path(place) / "data" / PHOTO
        if path.is_file():
            return path
    raise NothingUsable("The demo's photograph is missing: pip install scikit-image.")


def _video(photo: Path, path: Path) -> None:
    import av
    import cv2
    import numpy as np
    from PIL import Image

    photo_pixels = np.asarray(Image.open(photo).convert("RGB"))
    frames = VIDEO_RATE * VIDEO_SECONDS
    width, height = VIDEO_SIZE
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=VIDEO_RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, VIDEO_RATE)
        for number in range(frames):
            across = WIDEST + (NARROWEST - WIDEST) * number / (frames - 1)
            scale = width / across
            down = height / scale
            left = min(max(0.0, FACE_CENTRE[0] - across / 2), photo_pixels.shape[1] - across)
            top = min(max(0.0, FACE_CENTRE[1] - down / 2), photo_pixels.shape[0] - down)
            move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
            image = cv2.warpAffine(photo_pixels, move, VIDEO_SIZE, flags=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
