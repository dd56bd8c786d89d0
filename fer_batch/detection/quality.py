"""The quality of a face's crop: how well an expression can be read from it, whichever it is. Pure functions.

Quality estimates which share of the model's accuracy above chance is left for crops like this: 1 for crops like
FER2013's, 0 if nothing is left. It is the product of three parts: detail (the lesser of size and sharpness, since a
small face is blurred, too), exposure and frontality.

Source of the curves: all images of FER2013's PublicTest were degraded in one way, in several steps, and classified by
the shipped model. The share left is (accuracy - 1/7) / (.696 - 1/7), where .696 is the accuracy on the original images.
Each point of a curve is the median of the measure at one step, and the share left at that step.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from fer_batch.types import Clarity, Detection

BLACK_LEVEL, WHITE_LEVEL = 2, 253
"""Grey levels of 0 to 255: up to the first, and from the second on, no detail can be seen."""

MIN_CONTRAST = 0.5 / 255
"""Least standard deviation of grey levels, of 0 to 1; with less, the crop shows a plain surface."""


class _PiecewiseLine:
    """Linear interpolation between points; constant before the first and after the last."""

    def __init__(self, *points: tuple[float, float]) -> None:
        self._points = points
        self._starts = [x for x, _ in points]
        self._slopes = [(v - u) / (y - x) for (x, u), (y, v) in pairwise(points)]

    def __call__(self, x: float) -> float:
        index = bisect_right(self._starts, x) - 1
        if index < 0:
            return self._points[0][1]
        if index == len(self._slopes):
            return self._points[-1][1]
        start, value = self._points[index]
        return value + (x - start) * self._slopes[index]


SIZE = _PiecewiseLine(
    *((4, 0), (5.5, 0.16), (7.4, 0.34), (10.2, 0.55), (13, 0.68), (16.7, 0.81), (22, 0.91), (33, 0.99), (40, 1))
)
"""By the box's height in pixels. Measured on images shrunk to 36, 24, 18, 14, 11, 8 and 6 pixels and enlarged again."""

SHARPNESS = _PiecewiseLine(
    *((0.05, 0), (0.082, 0.25), (0.097, 0.44), (0.135, 0.74), (0.179, 0.84), (0.278, 0.96), (0.6, 1)),
    *((1.2, 1), (1.58, 0.86), (2.06, 0.76), (2.84, 0.53), (3.47, 0.26), (4.0, 0.1), (4.4, 0)),
)
"""By :attr:`Clarity.sharpness`. Rising part: blur of sigma 4 to .5 pixels of 48. Falling part: noise, which has more
fine detail than a face (white noise: 4.5); measured at .3 to .05 of the light, with noise of 5 grey levels."""

EXPOSURE = _PiecewiseLine(
    *((0.06, 1), (0.31, 0.92), (0.57, 0.76), (0.77, 0.51), (0.85, 0.36), (0.92, 0.21), (0.95, 0.15), (1, 0))
)
"""By :attr:`Clarity.clipped`. Measured at 1.5 to 8 times the light. Darkness alone does not lower the quality, since it
does not affect the model (.3 of the light without noise: 1.00 left); the noise that comes with it does."""

FRONTALITY = _PiecewiseLine((0.05, 1), (0.15, 0.93), (0.3, 0.84), (0.6, 0.74), (1.5, 0.2))
"""By :func:`turn`. Accuracy on PublicTest's original images, of faces that the detector finds: .726 below .05, .698
below .1, .64 below .2, .61 below .3, .57 above .5. Above .6 there are too few faces: the curve is an assumption."""


def clarity(crop: np.ndarray) -> Clarity:
    """The measures of a face's crop, (48, 48) uint8."""
    mean, deviation = cv2.meanStdDev(crop)
    brightness, contrast = float(mean[0, 0]) / 255, float(deviation[0, 0]) / 255
    _, laplacian_deviation = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))
    sharpness = float(laplacian_deviation[0, 0]) / 255 / contrast if contrast > MIN_CONTRAST else 0.0
    not_clipped = cv2.countNonZero(cv2.inRange(crop, BLACK_LEVEL + 1, WHITE_LEVEL - 1))
    return Clarity(brightness, contrast, sharpness, 1 - not_clipped / crop.size)


def score(detection: Detection) -> float:
    """The quality of a face's crop, 0 to 1. Without clarity or landmarks, these parts count as 1."""
    quality = SIZE(detection.box.height)
    if detection.clarity is not None:
        quality = min(quality, SHARPNESS(detection.clarity.sharpness)) * EXPOSURE(detection.clarity.clipped)
    if detection.landmarks:
        quality *= FRONTALITY(turn(detection.landmarks))
    return quality


def turn(landmarks: Sequence[tuple[float, float]]) -> float:
    """How far a face is turned to the left or right: 0 straight into the camera, .5 if the nose is below an eye.

    It is the distance of the nose from the middle of eyes and mouth, measured along the line between the eyes, as a
    multiple of the distance between them. Tilting the head does not change it. ``landmarks``: see :class:`Detection`.
    """
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y), *mouth = landmarks
    (corner_x, corner_y), (other_corner_x, other_corner_y) = mouth
    eyes_x, eyes_y = left_x - right_x, left_y - right_y
    squared_distance = eyes_x**2 + eyes_y**2
    if squared_distance == 0:
        return float("inf")  # seen from the side, both eyes are in one place
    middle_x = (right_x + left_x + corner_x + other_corner_x) / 4
    middle_y = (right_y + left_y + corner_y + other_corner_y) / 4
    return abs((nose_x - middle_x) * eyes_x + (nose_y - middle_y) * eyes_y) / squared_distance
