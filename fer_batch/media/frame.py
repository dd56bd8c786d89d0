"""What photos and videos are decoded to: one upright frame at a time, each with its true time."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from fer_batch.types import FrameTime, Skipped

SCENE_SIDE = 16
"""Rows and columns of a scene."""

SAMPLED_PIXELS = 64
"""Pixels of a frame that are read along its shorter side to make its scene: few, so that it is quick."""


@dataclass(frozen=True)
class Luma:
    """The grey levels of an upright image, as the decoder stores them."""

    plane: np.ndarray
    """(height, width) uint8 or uint16; often a view of the decoder's memory: copy it if it must be kept."""
    black: int = 0
    """The level of black: 16 in limited-range video of 8 bits, 0 in photos."""
    white: int = 255
    """The level of white: 235 in limited-range video of 8 bits, 255 in photos."""
    scale: float = 1.0
    """Rows of the plane for one row of the image: 1, or less if the image was decoded at a reduced size."""
    aspect: float = 1.0
    """Width of a pixel of the plane, divided by its height."""


class FrameImage(Protocol):
    """An upright image, of which only what is asked for is converted."""

    @property
    def width(self) -> int:
        """Pixels, upright."""

    @property
    def height(self) -> int:
        """Pixels, upright."""

    def luma(self, smallest: float = 0.0) -> Luma:
        """The grey levels of the whole image, in full detail for faces that are at least ``smallest`` pixels high."""

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8 RGB, shrunk to at most ``longest_side`` pixels along each side; never enlarged."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video, or one photo, and its time or place."""

    time: FrameTime
    image: FrameImage


@dataclass(frozen=True)
class UnsampledFrame:
    """A decoded frame of a video that is not searched for faces. Only its scene is kept, to find cuts."""

    time: FrameTime
    size: tuple[int, int]
    """Width and height in upright square pixels."""
    scene: np.ndarray
    """(16, 16) uint8: :func:`scene` of the frame."""


ReadItem = Frame | UnsampledFrame | Skipped | None
"""What a reader yields: a sampled frame; a frame that is not; something that could not be read; or None, which only
shows that it is still decoding: workers that yield nothing for long are taken to hang."""


def scene(luma: Luma) -> np.ndarray:
    """A frame shrunk to (16, 16) uint8: black 0, white 255. Frames of the same shot have similar scenes."""
    step = max(1, min(luma.plane.shape) // SAMPLED_PIXELS)
    sampled = np.ascontiguousarray(luma.plane[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(sampled, (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_AREA)
    return full_range(np.asarray(small), luma)


def full_range(image: np.ndarray, luma: Luma) -> np.ndarray:
    """Stretch the levels of an image that was cut from ``luma`` from black..white to 0..255: uint8.

    Done on the small crop, since that is two hundred times less work than on the frame.
    """
    if (luma.black, luma.white) == (0, 255):
        return image
    if image.dtype == np.uint8:
        return np.asarray(cv2.LUT(image, _table(luma.black, luma.white)))
    return _stretched(image, luma.black, luma.white)


@lru_cache
def _table(black: int, white: int) -> np.ndarray:
    """(256,) uint8: the stretched value of each level of 8 bits."""
    return _stretched(np.arange(256), black, white)


def _stretched(levels: np.ndarray, black: int, white: int) -> np.ndarray:
    stretched = (levels.astype(np.float32) - black) * (255 / (white - black))
    return np.asarray(np.rint(stretched).clip(0, 255), np.uint8)
