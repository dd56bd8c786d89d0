"""Pure: where a face is expected next, and how well what is seen there fits.

A face goes on as it went: a Kalman filter of constant velocity, whose acceleration is white noise, for its place, and a
running mean for its size. All distances are in heights of the face, so that near and far faces are judged alike.
"""

from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.types import Box

JITTER = 0.1
"""Standard deviation of a box's centre about the face's, in heights."""

FIRST_SPEED = 2.0
"""Standard deviation of the speed of a face that has been seen once, in heights a second: nodding or walking."""

AGILITY = 2.0
"""Standard deviation by which the speed changes in a second, in heights a second."""

INERTIA_SECONDS = 1.0
"""Time after which a face that is not seen has lost most of its speed: who goes on for ever leaves the picture."""

SIZE_JITTER = 0.2
"""Standard deviation of a height's logarithm from one frame to the next."""

SIZE_CHANGE = 0.5
"""The same of its change in a second: by leaning forwards, or coming nearer."""

SIZE_WEIGHT = 0.5
"""Weight of the newest height in the running mean."""

STRANGER = 3.0
"""Cost from which what is seen is rather another face. From frame to frame that is .4 of a height off the way; after a
second without a sight 2 heights, and after three no distance is small enough."""


class Position(NamedTuple):
    """Where a face is: its centre in pixels and its height's logarithm."""

    x: float
    y: float
    size: float

    @classmethod
    def of(cls, box: Box) -> "Position":
        """The spot of a box."""
        return cls(box.x + box.width / 2, box.y + box.height / 2, log(max(box.height, 1.0)))


@dataclass(slots=True)
class Motion:
    """A face's place, size and speed, as far as they are known after what has been seen of it."""

    x: float
    y: float
    """Centre in pixels."""
    size: float
    """Natural logarithm of the height in pixels."""
    speed_x: float = 0.0
    speed_y: float = 0.0
    """Pixels a second."""
    place_variance: float = JITTER**2
    covariance: float = 0.0
    speed_variance: float = FIRST_SPEED**2
    """In heights and seconds; the same along both axes."""

    def expected(self, seconds: float) -> tuple[float, float, float, float, float]:
        """Centre in pixels, height's logarithm, and the variances of both, after so many seconds without a sight."""
        way = INERTIA_SECONDS * (1 - exp(-seconds / INERTIA_SECONDS))
        place = self.place_variance + seconds * (2 * self.covariance + seconds * self.speed_variance)
        place += AGILITY**2 * seconds**3 / 3 + JITTER**2
        size = SIZE_JITTER**2 + SIZE_CHANGE**2 * seconds
        return self.x + way * self.speed_x, self.y + way * self.speed_y, self.size, place, size

    def follow(self, spot: Position, seconds: float) -> None:
        """Take note of where the face is, so many seconds after it was last seen."""
        x, y, size, variance, _ = self.expected(seconds)
        covariance = self.covariance + seconds * self.speed_variance + AGILITY**2 * seconds**2 / 2
        speed_variance = self.speed_variance + AGILITY**2 * seconds
        gain, speed_gain = (variance - JITTER**2) / variance, covariance / variance
        off_x, off_y = spot.x - x, spot.y - y
        fading = exp(-seconds / INERTIA_SECONDS)
        self.x, self.y = x + gain * off_x, y + gain * off_y
        self.speed_x = fading * self.speed_x + speed_gain * off_x
        self.speed_y = fading * self.speed_y + speed_gain * off_y
        self.size = size + SIZE_WEIGHT * (spot.size - size)
        self.place_variance = (1 - gain) * (variance - JITTER**2)
        self.covariance = (1 - gain) * covariance
        self.speed_variance = speed_variance - speed_gain * covariance


def match(known: list[Motion], seconds: list[float], seen: list[Position]) -> list[tuple[int, int]]:
    """Which of the faces that are ``known`` is which of those that are ``seen``: positions in both, in order.

    ``seconds`` tells how long each known one has not been seen. Of all ways to pair them the most likely one is taken
    (the Hungarian method): twice the negative logarithm of the density that each motion gives to what is seen, up to a
    constant, is the pair's cost, and STRANGER that of staying alone.
    """
    if not known or not seen:
        return []
    expected = np.array([one.expected(gone) for one, gone in zip(known, seconds, strict=True)])
    x, y, size, place_variance, size_variance = expected.T[:, :, np.newaxis]
    spots = np.array(seen)
    distance = ((spots[:, 0] - x) ** 2 + (spots[:, 1] - y) ** 2) * np.exp(-2 * size)
    cost = distance / place_variance + 2 * np.log(place_variance)
    cost += (spots[:, 2] - size) ** 2 / size_variance + np.log(size_variance)
    rows, columns = linear_sum_assignment(np.minimum(cost, STRANGER))
    return [
        (row, column)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if cost[row, column] < STRANGER
    ]
