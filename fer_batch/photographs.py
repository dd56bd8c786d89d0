"""Photographs, read by Pillow: upright by their EXIF orientation, in RGB for the detector and grey for the model."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from fer_batch.errors import MediaError
from fer_batch.faces import Luma
from fer_batch.frames import Frame
from fer_batch.sources import legible_name
from fer_batch.types import Chunk, Moment, Skipped, Source

PER_CHUNK = 64
"""Photographs in one chunk."""

pillow_heif.register_heif_opener()


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph; implements :class:`fer_batch.frames.Picture`."""

    pixels: np.ndarray
    """(height, width, 3) uint8 RGB."""
    grey: np.ndarray
    """(height, width) uint8, ITU-R BT.601 luma."""

    @property
    def width(self) -> int:
        """Pixels, upright."""
        return int(self.grey.shape[1])

    @property
    def height(self) -> int:
        """Pixels, upright."""
        return int(self.grey.shape[0])

    def luma(self) -> Luma:
        """The grey of the whole picture, full range."""
        return Luma(self.grey)

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, no side longer than ``longest_side``."""
        ratio = longest_side / max(self.width, self.height)
        if ratio >= 1:
            return self.pixels
        size = max(1, round(self.width * ratio)), max(1, round(self.height * ratio))
        return cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)


def plan(source: Source) -> list[Chunk]:
    """Slices of the folder's photographs, in their order."""
    moments = [Moment(legible_name(file), number) for number, file in enumerate(source.files)]
    return [
        Chunk(source, index, tuple(moments[at : at + PER_CHUNK]), start=at)
        for index, at in enumerate(range(0, len(moments), PER_CHUNK))
    ]


def read(chunk: Chunk, skipped: list[Skipped]) -> Iterator[Frame]:
    """The chunk's photographs; one that cannot be read becomes a line in ``skipped``."""
    for moment in chunk.moments or ():
        try:
            yield Frame(moment, open_photograph(chunk.source.files[moment.number]))
        except MediaError as error:
            skipped.append(Skipped(f"{chunk.source.name}/{moment.file}", str(error)))


def open_photograph(path: Path) -> Photograph:
    """Decode a photograph, its first picture if it holds several.

    Raises:
        MediaError: it cannot be read, is damaged, or has more pixels than Pillow takes for honest.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata, large pictures: what matters raises
            with Image.open(path) as image:
                image.load()
                upright = ImageOps.exif_transpose(image)
                if upright.mode.startswith("I") or upright.mode == "F":
                    grey = _eight_bits(np.asarray(upright))
                    return Photograph(np.repeat(grey[:, :, np.newaxis], 3, axis=2), grey)
                return Photograph(np.asarray(upright.convert("RGB")), np.asarray(upright.convert("L")))
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise MediaError("The file is empty." if empty else "Not a photograph, or too damaged to tell.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError, Image.DecompressionBombError) as error:
        # Pillow's readers raise all of these on damaged files.
        raise MediaError(f"Cannot be decoded: {getattr(error, 'strerror', None) or error}.") from error


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    """16-bit grey as 8 bits; Pillow's own conversion would cut everything above 255 off."""
    return np.clip(np.asarray(levels, np.float64) / 257, 0, 255).round().astype(np.uint8)
