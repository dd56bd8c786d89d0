"""Pure: how good the picture of a face is to read, whatever its expression and whatever the model makes of it.

Quality is an estimate of how much of the model's accuracy above chance such a picture leaves: 1 is as good as
FER2013's own pictures, 0 is good for nothing. It is the product of three parts: detail (the lesser of size and
sharpness, since a small face is blurred by its size), exposure and frontality.

Where the curves come from: every picture of FER2013's PublicTest was spoilt in one way, step by step, and the shipped
model asked; (accuracy - 1/7) / (.696 - 1/7) is what was left of it, .696 being the accuracy on clean pictures. Each
point of a curve is the median of the measure at one step, and what was left there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from fer_batch.types import Clarity, Detection

BLACK, WHITE = 2, 253
"""Grey levels of 0..255 up to which, and from which, nothing more can be seen."""

LEAST_CONTRAST = 0.5 / 255
"""Standard deviation below which a picture is one plain surface."""


class _Curve:
    """A line through points; level before the first and after the last."""

    def __init__(self, *points: tuple[float, float]) -> None:
        self._points = points
        self._starts = [x for x, _ in points]
        self._slopes = [(v - u) / (y - x) for (x, u), (y, v) in pairwise(points)]

    def __call__(self, x: float) -> float:
        at = bisect_right(self._starts, x) - 1
        if at < 0:
            return self._points[0][1]
        if at == len(self._slopes):
            return self._points[-1][1]
        start, value = self._points[at]
        return value + (x - start) * self._slopes[at]


SIZE = _Curve((4, 0), (5.5, 0.16), (7.4, 0.34), (10.2, 0.55), (13, 0.68), (16.7, 0.81), (22, 0.91), (33, 0.99), (40, 1))
"""By the box's height in pixels. Measured on pictures shrunk to 36, 24, 18, 14, 11, 8 and 6 pixels and enlarged."""

SHARPNESS = _Curve(
    *((0.05, 0), (0.082, 0.25), (0.097, 0.44), (0.135, 0.74), (0.179, 0.84), (0.278, 0.96), (0.6, 1)),
    *((1.2, 1), (1.58, 0.86), (2.06, 0.76), (2.84, 0.53), (3.47, 0.26), (4.0, 0.1), (4.4, 0)),
)
"""By :attr:`Clarity.sharpness`. Rising: blurred by 4 to .5 pixels of 48 (sigma). Falling: noise, which has much more
fine detail than a face (white noise 4.5); .3 to .05 of the light, with noise of 5 grey levels."""

EXPOSURE = _Curve((0.06, 1), (0.31, 0.92), (0.57, 0.76), (0.77, 0.51), (0.85, 0.36), (0.92, 0.21), (0.95, 0.15), (1, 0))
"""By :attr:`Clarity.clipped`: 1.5 to 8 times the light. Darkness alone costs nothing, as the model is blind to it (.3
of the light without noise: 1.00 left); what it costs is the noise that comes with it."""

FRONTALITY = _Curve((0.05, 1), (0.15, 0.93), (0.3, 0.84), (0.6, 0.74), (1.5, 0.2))
"""By how far the nose is from the line between the middle of the eyes and that of the mouth, in distances between the
eyes. Accuracy on clean PublicTest, of faces that the detector finds: .726 below .05, .698 below .1, .64 below .2, .61
below .3, .57 above .5; beyond .6 there are too few faces to tell, and the curve is an assumption."""


def clarity(crop: np.ndarray) -> Clarity:
    """What there is to measure in a face's (48, 48) uint8 picture."""
    mean, deviation = cv2.meanStdDev(crop)
    brightness, contrast = float(mean[0, 0]) / 255, float(deviation[0, 0]) / 255
    _, roughness = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))
    sharpness = float(roughness[0, 0]) / 255 / contrast if contrast > LEAST_CONTRAST else 0.0
    between = cv2.countNonZero(cv2.inRange(crop, BLACK + 1, WHITE - 1))
    return Clarity(brightness, contrast, sharpness, 1 - between / crop.size)


def score(detection: Detection) -> float:
    """The quality of a face's picture, 0 to 1; what is not known of it counts as good."""
    worth = SIZE(detection.box.height)
    clear = detection.clarity
    if clear is not None:
        worth = min(worth, SHARPNESS(clear.sharpness)) * EXPOSURE(clear.clipped)
    if detection.landmarks:
        worth *= FRONTALITY(turn(detection.landmarks))
    return worth


def turn(landmarks: Sequence[tuple[float, float]]) -> float:
    """How far a face is turned to a side: the nose's distance from the middle line, in distances between the eyes.

    ``landmarks`` are those of :class:`Detection`. 0: straight into the camera; .5: the nose is below an eye. The
    middle line is taken at half the way from the eyes to the mouth, so that a tilted head is not a turned one.
    """
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y), (corner_x, corner_y), (other_x, other_y) = landmarks
    along_x, along_y = left_x - right_x, left_y - right_y
    between = along_x**2 + along_y**2
    if between == 0:
        return float("inf")  # the eyes are one behind the other
    middle_x = (right_x + left_x + corner_x + other_x) / 4
    middle_y = (right_y + left_y + corner_y + other_y) / 4
    return abs((nose_x - middle_x) * along_x + (nose_y - middle_y) * along_y) / between
