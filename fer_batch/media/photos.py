"""Photos, read by Pillow: upright by their EXIF orientation, in RGB for the detector and in grey for the classifier."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import cv2
import numpy as np

from fer_batch.errors import MediaError
from fer_batch.media import photo_file
from fer_batch.media.frame import Frame, Luma, ReadItem
from fer_batch.media.sources import legible_name
from fer_batch.types import Chunk, FrameTime, Severity, Skipped, Source

PER_CHUNK = 16
"""Photos in one chunk: few, so that a folder of some dozens is shared among all workers."""

LEAST_FACE_HEIGHT = 96
"""Decoded pixels of a face's height, two for each pixel of the classifier's input. If a photo was decoded at a reduced
size and a face would have fewer, it is decoded again, larger."""

INTERPOLATED_RATIO = 0.5
"""An image that is shrunk to more than this part of its size is interpolated, which still uses every pixel.

Averaging areas takes 8 to 14 ms, interpolating 1 to 2 ms, and the detector finds the same faces: 85 and 83 of 576 small
faces that were pasted into photos of 1000 to 1880 pixels, and no false ones.
"""


@dataclass(frozen=True)
class PhotoImage:
    """A decoded photo; implements :class:`fer_batch.media.frame.FrameImage`."""

    path: Path
    pixels: np.ndarray
    """(height, width, 3) uint8 RGB, as large as it was decoded."""
    grey: np.ndarray
    """(height, width) uint8, ITU-R BT.601 luma, of the same size."""
    width: int
    """Pixels of the whole photo, upright."""
    height: int
    decoded_for: int | None = None
    """The longest side in pixels that was asked for when it was decoded; None: its full size."""
    notes: tuple[str, ...] = ()
    """What of the file was not read."""
    damage: tuple[str, ...] = ()
    """What of it is damaged."""

    @property
    def scale(self) -> float:
        """Decoded pixels for each pixel of the whole photo: 1 or less."""
        return float(self.grey.shape[1] / self.width)

    def luma(self, smallest: float = 0.0) -> Luma:
        """The grey levels of the whole photo; decoded again, larger, if a face would lose detail otherwise."""
        if self.scale < 1 and smallest * self.scale < LEAST_FACE_HEIGHT:
            enough = ceil(max(self.width, self.height) * LEAST_FACE_HEIGHT / max(1.0, smallest))
            with suppress(MediaError):  # the file has been removed: less detail is better than no face
                larger = open_photo(self.path, enough)
                return Luma(larger.grey, scale=larger.scale)
        return Luma(self.grey, scale=self.scale)

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8 RGB, no side longer than ``longest_side`` pixels."""
        if self.scale < 1 and longest_side > (self.decoded_for or 0):
            with suppress(MediaError):  # as above
                return _shrunk(open_photo(self.path, longest_side).pixels, longest_side)
        return _shrunk(self.pixels, longest_side)


def plan(source: Source, names: Sequence[str] | None = None) -> list[Chunk]:
    """The folder's photos in their order, PER_CHUNK in each chunk, where they are numbered from 0.

    ``names`` take the place of the photos' own.
    """
    names = names or [legible_name(file) for file in source.files]
    chunks = []
    for index, at in enumerate(range(0, len(names), PER_CHUNK)):
        times = tuple(FrameTime(name, number) for number, name in enumerate(names[at : at + PER_CHUNK]))
        chunks.append(Chunk(replace(source, files=source.files[at : at + PER_CHUNK]), index, times))
    return chunks


def read(chunk: Chunk, longest_side: int | None) -> Iterator[ReadItem]:
    """The chunk's photos; for one that cannot be read, and for every note about one, a :class:`Skipped`.

    Large JPEGs are decoded at a reduced size, of which the longest side is at least ``longest_side`` pixels; None: at
    their full size.
    """
    for file, time in zip(chunk.source.files, chunk.times or (), strict=True):
        name = f"{chunk.source.name}/{time.file}"
        try:
            photo = open_photo(file, longest_side)
        except MediaError as error:
            yield Skipped(name, str(error))
            continue
        yield from (Skipped(name, note, Severity.NOTE) for note in photo.notes)
        yield from (Skipped(name, reason, Severity.PARTIAL) for reason in photo.damage)
        yield Frame(replace(time, damaged=bool(photo.damage)), photo)


def _shrunk(pixels: np.ndarray, longest_side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    ratio = longest_side / max(width, height)
    if ratio >= 1:
        return pixels
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    shrunk: np.ndarray = cv2.resize(
        pixels, size, interpolation=cv2.INTER_LINEAR if ratio > INTERPOLATED_RATIO else cv2.INTER_AREA
    )
    return shrunk


def open_photo(path: Path, enough: int | None = None) -> PhotoImage:
    """Decode a photo, or the first image of several in its file; a large JPEG at a reduced size.

    ``enough`` pixels are wanted along the longest side, if it has as many; None: the full size.

    Raises:
        MediaError: it cannot be read, is damaged, or has too many pixels.
    """
    decoded = photo_file.decode(path, enough)
    return PhotoImage(
        path, decoded.rgb, decoded.grey, decoded.width, decoded.height, enough, decoded.notes, decoded.damage
    )
