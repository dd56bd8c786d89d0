"""How a face's box becomes the 48x48 grey picture that the model sees. Training, evaluation and use share it."""

import cv2
import numpy as np

from fer_batch.media.frame import Luma, full_range
from fer_batch.types import Box

CROP_SIDE = 48
"""Side of the model's input in pixels: FER2013's."""

CROP_SCALE = 1.08
"""Side of the square that is cut, as a multiple of the box's height.

Measured: the default detector, run over 800 pictures of FER2013's training split, puts its boxes at (.51, .51) of the
48x48 frame with a height of .92 of it, and 1 / .92 = 1.08.
"""


def crop_square(box: Box) -> tuple[int, int, int]:
    """Left, top and side of the square to cut for a box, in whole pixels; may reach past the picture's edge."""
    side = max(1, round(CROP_SCALE * box.height))
    return round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side


def cut(luma: Luma, box: Box) -> np.ndarray:
    """The face in ``box`` as (48, 48) uint8, black 0 and white 255; past the edge the border is repeated."""
    return cut_square(luma, *crop_square(box), CROP_SIDE)


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


def resample(grey: np.ndarray, size: int = CROP_SIDE) -> np.ndarray:
    """A grey picture of any size as (size, size) of the same type: by area when it shrinks, bilinear when it grows."""
    shrinks = min(grey.shape) > size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (size, size), interpolation=interpolation))
