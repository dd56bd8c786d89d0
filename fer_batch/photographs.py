"""Photographs, read by Pillow: upright by their EXIF orientation, in RGB for the detector and grey for the model."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from fer_batch.errors import MediaError
from fer_batch.faces import SIDE, Luma
from fer_batch.frames import Frame
from fer_batch.looking import longest_side
from fer_batch.sources import legible_name
from fer_batch.types import Chunk, Kind, Moment, Skipped, Source

PER_CHUNK = 16
"""Photographs in one chunk: few, so that a folder of some dozens is shared among all workers."""

LEAST_DETAIL = 2
"""Decoded pixels of a face's height for one of the model's, below which the photograph is decoded whole."""

pillow_heif.register_heif_opener()


@dataclass(frozen=True)
class Photograph:
    """A decoded photograph; implements :class:`fer_batch.frames.Picture`."""

    path: Path
    pixels: np.ndarray
    """(height, width, 3) uint8 RGB, as large as it was decoded."""
    grey: np.ndarray
    """(height, width) uint8, ITU-R BT.601 luma, of the same size."""
    width: int
    """Pixels of the whole photograph, upright."""
    height: int

    @property
    def scale(self) -> float:
        """Decoded pixels for one of the photograph's."""
        return float(self.grey.shape[1] / self.width)

    def luma(self, smallest: float = 0.0) -> Luma:
        """The grey of the whole picture, full range; decoded again where the reduced one would lose detail."""
        if self.scale < 1 and smallest * self.scale < LEAST_DETAIL * SIDE:
            with suppress(MediaError):  # it has vanished since: less detail is better than no face
                return Luma(open_photograph(self.path).grey)
        return Luma(self.grey, scale=self.scale)

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, no side longer than ``longest_side``."""
        height, width = self.grey.shape
        ratio = longest_side / max(width, height)
        if ratio >= 1:
            return self.pixels
        size = max(1, round(width * ratio)), max(1, round(height * ratio))
        return cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)


def plan(source: Source) -> list[Chunk]:
    """Slices of the folder's photographs, in their order."""
    moments = [Moment(legible_name(file), number) for number, file in enumerate(source.files)]
    return [
        Chunk(replace(source, files=source.files[at : at + PER_CHUNK]), index, tuple(moments[at : at + PER_CHUNK]))
        for index, at in enumerate(range(0, len(moments), PER_CHUNK))
    ]


def read(chunk: Chunk, skipped: list[Skipped], alive: Callable[[], object]) -> Iterator[Frame]:
    """The chunk's photographs; one that cannot be read becomes a line in ``skipped``."""
    for file, moment in zip(chunk.source.files, chunk.moments or (), strict=True):
        alive()
        try:
            yield Frame(moment, open_photograph(file, longest_side(Kind.PHOTOS)))
        except MediaError as error:
            skipped.append(Skipped(f"{chunk.source.name}/{moment.file}", str(error)))


def open_photograph(path: Path, enough: int | None = None) -> Photograph:
    """Decode a photograph, its first picture if it holds several.

    A JPEG whose longest side is at least twice ``enough`` is decoded at a half, a quarter or an eighth of its size
    (libjpeg does it by leaving cosine terms out), never below ``enough``.

    Raises:
        MediaError: it cannot be read, is damaged, or has more pixels than Pillow takes for honest.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata, large pictures: what matters raises
            with Image.open(path) as image:
                whole = image.size
                if enough is not None and image.mode in ("RGB", "L"):
                    share = enough / max(whole)
                    image.draft(image.mode, (int(whole[0] * share), int(whole[1] * share)))
                image.load()
                upright = ImageOps.exif_transpose(image)
                width, height = whole if upright.size == image.size else whole[::-1]
                if upright.mode.startswith("I") or upright.mode == "F":
                    grey = _eight_bits(np.asarray(upright))
                    return Photograph(path, np.repeat(grey[:, :, np.newaxis], 3, axis=2), grey, width, height)
                rgb, grey = np.asarray(upright.convert("RGB")), np.asarray(upright.convert("L"))
                return Photograph(path, rgb, grey, width, height)
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise MediaError("The file is empty." if empty else "Not a photograph, or too damaged to tell.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError, Image.DecompressionBombError) as error:
        # Pillow's readers raise all of these on damaged files.
        raise MediaError(f"Cannot be decoded: {getattr(error, 'strerror', None) or error}.") from error


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    """16-bit grey as 8 bits; Pillow's own conversion would cut everything above 255 off."""
    return np.clip(np.asarray(levels, np.float64) / 257, 0, 255).round().astype(np.uint8)
