"""How a face's box becomes the 48x48 grey picture that the model sees. Training, evaluation and use share it."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from fer_batch.types import Box

SIDE = 48
"""Side of the model's input in pixels: FER2013's."""

CROP_SCALE = 1.08
"""Side of the square that is cut, as a multiple of the box's height.

Measured: the default detector, run over 800 pictures of FER2013's training split, puts its boxes at (.51, .51) of the
48x48 frame with a height of .92 of it, and 1 / .92 = 1.08.
"""


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


def square(box: Box) -> tuple[int, int, int]:
    """Left, top and side of the square to cut for a box, in whole pixels; may reach past the picture's edge."""
    side = max(1, round(CROP_SCALE * box.height))
    return round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side


def cut(luma: Luma, box: Box) -> np.ndarray:
    """The face in ``box`` as (48, 48) uint8, black 0 and white 255; past the edge the border is repeated."""
    return cut_square(luma, *square(box), SIDE)


def cut_square(luma: Luma, left: int, top: int, side: int, size: int) -> np.ndarray:
    """A square of the picture as (size, size) uint8, black 0 and white 255; past the edge the border is repeated.

    ``left``, ``top`` and ``side`` are in the picture's pixels.
    """
    across, down = luma.scale / luma.aspect, luma.scale
    left, top = round(left * across), round(top * down)
    columns, rows = max(1, round(side * across)), max(1, round(side * down))
    height, width = luma.plane.shape
    if left >= 0 and top >= 0 and left + columns <= width and top + rows <= height:
        patch = np.ascontiguousarray(luma.plane[top : top + rows, left : left + columns])
    else:
        inside = np.clip(np.arange(left, left + columns), 0, width - 1)
        patch = luma.plane[np.clip(np.arange(top, top + rows), 0, height - 1)[:, np.newaxis], inside]
    return full_range(resample(patch, size), luma)


def resample(grey: np.ndarray, size: int = SIDE) -> np.ndarray:
    """A grey picture of any size as (size, size) of the same type: by area when it shrinks, bilinear when it grows."""
    shrinks = min(grey.shape) > size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (size, size), interpolation=interpolation))


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
