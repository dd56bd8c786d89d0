"""Sample media to try fer-batch with: scikit-image's photo of an astronaut, and a video made of it."""

import importlib.util
import shutil
from fractions import Fraction
from pathlib import Path

from fer_batch.errors import NothingUsable
from fer_batch.output.files import replacing_path

PHOTO = "astronaut.png"
"""Eileen Collins, NASA, public domain; 512x512 pixels, part of the package scikit-image."""

VIDEO = "astronaut.mp4"
VIDEO_SIZE = (640, 480)
VIDEO_FPS = 25
VIDEO_SECONDS = 6
FIRST_WIDTH, LAST_WIDTH = 500, 300
"""Width of the part of the photo that the video's first and last frame show, in pixels of the photo."""

FACE_CENTRE = (225, 118)
"""Centre (x, y) of the face in the photo, in pixels."""


def make_sample(folder: Path) -> None:
    """Write the photo, and a video that zooms in on its face, into ``folder``.

    Raises:
        NothingUsable: scikit-image, which the photo is part of, is not installed.
        OutputError: one of them cannot be written.
    """
    photo = _photo()
    with replacing_path(folder / PHOTO) as part:
        shutil.copyfile(photo, part)
    with replacing_path(folder / VIDEO, ".part.mp4") as part:
        _video(photo, part)


def _photo() -> Path:
    spec = importlib.util.find_spec("skimage")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "data" / PHOTO
        if path.is_file():
            return path
    raise NothingUsable("The demo's photo is missing: pip install scikit-image.")


def _video(photo: Path, path: Path) -> None:
    import av
    import cv2
    import numpy as np
    from PIL import Image

    photo_pixels = np.asarray(Image.open(photo).convert("RGB"))
    frames = VIDEO_FPS * VIDEO_SECONDS
    width, height = VIDEO_SIZE
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=VIDEO_FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, VIDEO_FPS)
        for number in range(frames):
            shown_width = FIRST_WIDTH + (LAST_WIDTH - FIRST_WIDTH) * number / (frames - 1)
            scale = width / shown_width
            shown_height = height / scale
            left = min(max(0.0, FACE_CENTRE[0] - shown_width / 2), photo_pixels.shape[1] - shown_width)
            top = min(max(0.0, FACE_CENTRE[1] - shown_height / 2), photo_pixels.shape[0] - shown_height)
            transform = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
            image = cv2.warpAffine(photo_pixels, transform, VIDEO_SIZE, flags=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
