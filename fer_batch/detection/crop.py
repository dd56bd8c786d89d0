"""Cuts the 48x48 grey crop of a face out of an image: the model's input in training, in evaluation and in use."""

import cv2
import numpy as np

from fer_batch.media.frame import Luma, full_range
from fer_batch.types import Box

CROP_SIDE = 48
"""Side of the model's input in pixels; images of FER2013 have this size."""

CROP_SCALE = 1.08
"""Side of the square to cut out, as a multiple of the box's height.

On 800 images of FER2013's training split, the boxes of the default detector have their centre at (.51, .51) of the
image and .92 of its height, and 1 / .92 is 1.08. No other scale from .92 to 1.12 is better on FER2013's faces and on
those of press photographs (``training/README.md``, "How close the crop is").
"""


def crop_square(box: Box) -> tuple[int, int, int]:
    """Left, top and side of the square to cut out for a box, in pixels. It may extend beyond the image's edges."""
    side = max(1, round(CROP_SCALE * box.height))
    return round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side


def box_of_crop(width: int, height: int) -> Box:
    """The box of the face in an image that is a crop already: its square has the image's height and centre.

    So an image that is framed as FER2013's are is given to the model as it is.
    """
    side = height / CROP_SCALE
    return Box((width - side) / 2, (height - side) / 2, side, side)


def cut(luma: Luma, box: Box) -> np.ndarray:
    """The crop of the face in ``box``: (48, 48) uint8, black 0, white 255. See :func:`cut_square`."""
    return cut_square(luma, *crop_square(box), CROP_SIDE)


def cut_square(luma: Luma, left: int, top: int, side: int, size: int) -> np.ndarray:
    """A square of an image as (size, size) uint8: black 0, white 255. Beyond the edges, the border pixels are repeated.

    ``left``, ``top`` and ``side`` are in pixels of the upright image.
    """
    scale_x, scale_y = luma.scale / luma.aspect, luma.scale
    left, top = round(left * scale_x), round(top * scale_y)
    columns, rows = max(1, round(side * scale_x)), max(1, round(side * scale_y))
    height, width = luma.plane.shape
    if left >= 0 and top >= 0 and left + columns <= width and top + rows <= height:
        patch = np.ascontiguousarray(luma.plane[top : top + rows, left : left + columns])
    else:
        inside_x = np.clip(np.arange(left, left + columns), 0, width - 1)
        inside_y = np.clip(np.arange(top, top + rows), 0, height - 1)
        patch = luma.plane[inside_y[:, np.newaxis], inside_x]
    return full_range(resample(patch, size), luma)


def resample(grey: np.ndarray, size: int = CROP_SIDE) -> np.ndarray:
    """A grey image of any size as (size, size) of the same dtype: shrunk by area averaging, or enlarged bilinearly."""
    interpolation = cv2.INTER_AREA if min(grey.shape) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (size, size), interpolation=interpolation))
