"""Writes a photo anew, upright, with nothing in it but its pixels."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from fer_batch.media import photo_file

JPEG_QUALITY = 92

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})


def written_as(name: str) -> str:
    """The name of the file that is made of a photo: a JPEG stays one, everything else becomes a PNG."""
    path = Path(name)
    return name if path.suffix.lower() in {*JPEG_SUFFIXES, ".png"} else f"{name}.png"


def pixels_of(path: Path) -> np.ndarray:
    """(height, width, 3) uint8 RGB, upright, in the colours of sRGB, writable.

    Raises:
        MediaError: it cannot be read.
    """
    image = photo_file.decode(path).image.convert("RGB")
    profile = None
    with suppress(Exception), Image.open(path) as file:  # only FFmpeg may be able to read it
        profile = file.info.get("icc_profile") if file.mode == "RGB" else None
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            srgb: Any = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), srgb)
            image = image if converted is None else converted
    return np.array(image)


def write(path: Path, pixels: np.ndarray, name: str) -> None:
    """Write (height, width, 3) RGB in the format of ``name``, as :func:`written_as` gives it.

    Raises:
        OSError: it cannot be written.
    """
    image = Image.fromarray(pixels)
    if Path(name).suffix.lower() in JPEG_SUFFIXES:
        image.save(path, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        image.save(path, "PNG")
