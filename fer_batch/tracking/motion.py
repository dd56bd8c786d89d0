"""Where a face is expected next, and which detection fits best.

The centre follows a Kalman filter (Kalman 1960) of constant velocity whose acceleration is white noise; the size is a
running mean. All distances are in heights of the face, so that near and far faces are treated alike.
"""

from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.types import Box

BOX_NOISE = 0.1
"""Standard deviation of a box's centre about the face's, in heights."""

FIRST_SPEED = 2.0
"""Standard deviation of the speed of a face that has been seen once, in heights per second: nodding or walking."""

SPEED_NOISE = 2.0
"""Standard deviation by which the speed changes in a second, in heights per second."""

SPEED_DECAY_SECONDS = 1.0
"""Time in which the expected speed of a face that is not seen falls to 1/e: with a constant speed it would leave the
frame."""

SIZE_NOISE = 0.2
"""Standard deviation of the height's logarithm from one frame to the next."""

SIZE_CHANGE = 0.5
"""Standard deviation by which it changes in a second: the person leans forwards, or comes nearer."""

SIZE_WEIGHT = 0.5
"""Weight of the newest height in the running mean."""

NO_MATCH_COST = 3.0
"""Cost from which a detection is rather another face. From frame to frame that is .4 of a height off the expected
place; 2 heights after a second without a detection; after three seconds no distance is small enough."""


class Position(NamedTuple):
    """Where a face is. Positions are sorted from left to right."""

    x: float
    """Of the centre, as ``y``, in pixels."""
    y: float
    size: float
    """Natural logarithm of the height in pixels."""

    @classmethod
    def of(cls, box: Box) -> "Position":
        """The position of a box."""
        return cls(box.x + box.width / 2, box.y + box.height / 2, log(max(box.height, 1.0)))


@dataclass(slots=True)
class Motion:
    """The state of the filter: a face's place, size and speed, as far as its detections tell."""

    x: float
    y: float
    """Centre in pixels."""
    size: float
    """Natural logarithm of the height in pixels."""
    speed_x: float = 0.0
    speed_y: float = 0.0
    """Pixels per second."""
    place_variance: float = BOX_NOISE**2
    covariance: float = 0.0
    speed_variance: float = FIRST_SPEED**2
    """In heights and seconds; the same along both axes."""

    def predict(self, seconds: float) -> tuple[float, float, float, float, float]:
        """The detection to expect so many seconds after the last one: x, y, size, variances of place and of size."""
        way = SPEED_DECAY_SECONDS * (1 - exp(-seconds / SPEED_DECAY_SECONDS))
        place_variance = self.place_variance + seconds * (2 * self.covariance + seconds * self.speed_variance)
        place_variance += SPEED_NOISE**2 * seconds**3 / 3 + BOX_NOISE**2
        size_variance = SIZE_NOISE**2 + SIZE_CHANGE**2 * seconds
        return self.x + way * self.speed_x, self.y + way * self.speed_y, self.size, place_variance, size_variance

    def update(self, position: Position, seconds: float) -> None:
        """Take in a detection, so many seconds after the last one."""
        x, y, size, variance, _ = self.predict(seconds)
        covariance = self.covariance + seconds * self.speed_variance + SPEED_NOISE**2 * seconds**2 / 2
        speed_variance = self.speed_variance + SPEED_NOISE**2 * seconds
        gain, speed_gain = (variance - BOX_NOISE**2) / variance, covariance / variance
        off_x, off_y = position.x - x, position.y - y
        decay = exp(-seconds / SPEED_DECAY_SECONDS)
        self.x, self.y = x + gain * off_x, y + gain * off_y
        self.speed_x = decay * self.speed_x + speed_gain * off_x
        self.speed_y = decay * self.speed_y + speed_gain * off_y
        self.size = size + SIZE_WEIGHT * (position.size - size)
        self.place_variance = (1 - gain) * (variance - BOX_NOISE**2)
        self.covariance = (1 - gain) * covariance
        self.speed_variance = speed_variance - speed_gain * covariance


def match(motions: list[Motion], seconds: list[float], positions: list[Position]) -> list[tuple[int, int]]:
    """Which of the followed faces is at which of the detected positions: pairs of indices, in order.

    Of all ways to pair them it takes the most likely one, by the Hungarian method (Kuhn 1955). A pair costs twice the
    negative logarithm of the density that the motion gives to the position, up to a constant; NO_MATCH_COST is the
    cost of having no partner.

    Args:
        motions: of the followed faces.
        seconds: for each of them, the time since it was last detected.
        positions: of the detections.
    """
    if not motions or not positions:
        return []
    expected = np.array([motion.predict(gap) for motion, gap in zip(motions, seconds, strict=True)])
    x, y, size, place_variance, size_variance = expected.T[:, :, np.newaxis]
    detected = np.array(positions)
    distance = ((detected[:, 0] - x) ** 2 + (detected[:, 1] - y) ** 2) * np.exp(-2 * size)
    cost = distance / place_variance + 2 * np.log(place_variance)
    cost += (detected[:, 2] - size) ** 2 / size_variance + np.log(size_variance)
    rows, columns = linear_sum_assignment(np.minimum(cost, NO_MATCH_COST))
    return [
        (row, column)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if cost[row, column] < NO_MATCH_COST
    ]
