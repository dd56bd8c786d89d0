"""Frames: what photographs and films are decoded to, one at a time, upright, each with its true moment."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from fer_batch.types import FrameTime, Skipped

SCENE_SIDE = 8
"""Fields of a scene along each axis."""

SAMPLES = 64
"""Pixels of a frame that are looked at along its shorter side: cheap, and many for a field."""


@dataclass(frozen=True)
class Luma:
    """The grey of an upright picture, as the decoder holds it.

    ``plane`` is (height, width), uint8 or uint16, often a view of the decoder's memory: copy what must outlive it.
    ``black`` and ``white`` are the levels of black and white in it: 16 and 235 in limited-range film of 8 bits, 0 and
    255 in photographs. ``scale`` tells how many of its rows are one of the picture's: 1, or less if it was decoded at
    a reduced size; ``aspect`` how many times as wide as high one of its pixels is.
    """

    plane: np.ndarray
    black: int = 0
    white: int = 255
    scale: float = 1.0
    aspect: float = 1.0


class FrameImage(Protocol):
    """An upright picture that converts no more of itself than it is asked for."""

    @property
    def width(self) -> int:
        """Pixels, upright."""

    @property
    def height(self) -> int:
        """Pixels, upright."""

    def luma(self, smallest: float = 0.0) -> Luma:
        """The grey of the whole picture, with all the detail that a face of ``smallest`` pixels' height has."""

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, shrunk so that no side is longer than ``longest_side``; never enlarged."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source and its place in it."""

    time: FrameTime
    image: FrameImage


ReadItem = Frame | Skipped | None
"""What a reader yields: a sampled frame; something that could not be read; or None, which only shows that it is still
decoding: workers that yield nothing for long are taken to hang."""


def scene(luma: Luma) -> np.ndarray:
    """A frame as (8, 8) uint8: the mean luma of each of its fields, black 0 and white 255."""
    step = max(1, min(luma.plane.shape) // SAMPLES)
    few = np.ascontiguousarray(luma.plane[step // 2 :: step, step // 2 :: step])
    fields = cv2.resize(few, (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_AREA)
    return full_range(np.asarray(fields), luma)


def full_range(face: np.ndarray, luma: Luma) -> np.ndarray:
    """Levels stretched from black..white to 0..255, on the small crop because that is two hundred times less work."""
    if (luma.black, luma.white) == (0, 255):
        return face
    if face.dtype == np.uint8:
        return np.asarray(cv2.LUT(face, _table(luma.black, luma.white)))
    return _stretched(face, luma.black, luma.white)


@lru_cache
def _table(black: int, white: int) -> np.ndarray:
    """(256,) uint8: what becomes of every level of 8 bits."""
    return _stretched(np.arange(256), black, white)


def _stretched(levels: np.ndarray, black: int, white: int) -> np.ndarray:
    stretched = (levels.astype(np.float32) - black) * (255 / (white - black))
    return np.asarray(np.rint(stretched).clip(0, 255), np.uint8)
