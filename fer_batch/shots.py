"""Pure: where a film is cut. A frame is known by the light in 64 fields of it, its scene."""

import cv2
import numpy as np

from fer_batch.faces import Luma, full_range

SCENE_SIDE = 8
"""Fields of a scene along each axis."""

SAMPLES = 64
"""Pixels of a frame that are looked at along its shorter side: cheap, and many for a field."""


def scene(luma: Luma) -> np.ndarray:
    """A frame as (8, 8) uint8: the mean luma of each of its fields, black 0 and white 255."""
    step = max(1, min(luma.plane.shape) // SAMPLES)
    few = np.ascontiguousarray(luma.plane[step // 2 :: step, step // 2 :: step])
    fields = cv2.resize(few, (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_AREA)
    return full_range(np.asarray(fields), luma)
