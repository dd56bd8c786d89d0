"""Where a face is expected next, and which detection fits best.

The centre follows a Kalman filter (Kalman 1960) whose speed is forgotten with time (an Ornstein-Uhlenbeck process;
Singer 1970): from frame to frame a face goes on as it moved, but between frames that are far apart it may have turned
back. The size is a running mean. All distances are in heights of the face, so that near and far faces are treated
alike.
"""

from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.types import Box

BOX_NOISE = 0.1
"""Standard deviation of a box's centre about the face's, in heights."""

SPEED = 3.0
"""Standard deviation of a face's speed, in heights per second: nodding, rocking, walking."""

SPEED_SECONDS = 0.5
"""Time in which the correlation of a face's speed with what it was falls to 1/e. Thirty people who rock by .2 to .65 of
their height, .4 to 1.1 times a second, keep one number each at 2 to 25 frames a second; at 1 s they get five more at 2
frames a second, and at .4 s or a lower SPEED more faces that cross exchange their numbers. That somebody who has walked
evenly goes on evenly was tried as a second expectation, of which the likelier counts: of 25 drawn pairs who hide each
other, those who walk past each other were told apart better (IDF1 .92 to .94 at 5 frames a second), those who meet and
turn back worse (.94 to .78 at 2, .93 to .85 at 3)."""

SIZE_NOISE = 0.2
"""Standard deviation of the height's logarithm from one frame to the next."""

SIZE_CHANGE = 0.5
"""Standard deviation by which it changes in a second: the person leans forwards, or comes nearer."""

SIZE_WEIGHT = 0.5
"""Weight of the newest height in the running mean."""

NO_MATCH_COST = 3.0
"""Cost from which a detection is rather another face. At 25 frames a second that is .57 of a height off the expected
place, at 10 it is .8, at 5 it is 1.2, at 2 it is 2.3; 2.4 heights after a second without a detection. Where frames are
1.5 s apart or more, how a face moved says nothing."""


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
    speed_variance: float = SPEED**2
    """In heights and seconds; the same along both axes."""

    def predict(self, seconds: float) -> tuple[float, float, float, float, float]:
        """The detection to expect so many seconds after the last one: x, y, size, variances of place and of size."""
        kept = exp(-seconds / SPEED_SECONDS)
        way = SPEED_SECONDS * (1 - kept)
        place_variance = self.place_variance + way * (2 * self.covariance + way * self.speed_variance)
        place_variance += SPEED**2 * SPEED_SECONDS * (2 * seconds - 4 * way + SPEED_SECONDS * (1 - kept**2))
        place_variance += BOX_NOISE**2
        size_variance = SIZE_NOISE**2 + SIZE_CHANGE**2 * seconds
        return self.x + way * self.speed_x, self.y + way * self.speed_y, self.size, place_variance, size_variance

    def update(self, position: Position, seconds: float) -> None:
        """Take in a detection, so many seconds after the last one."""
        x, y, size, variance, _ = self.predict(seconds)
        kept = exp(-seconds / SPEED_SECONDS)
        way = SPEED_SECONDS * (1 - kept)
        covariance = kept * (self.covariance + way * self.speed_variance) + SPEED**2 * way * (1 - kept)
        speed_variance = kept**2 * self.speed_variance + SPEED**2 * (1 - kept**2)
        gain, speed_gain = (variance - BOX_NOISE**2) / variance, covariance / variance
        off_x, off_y = position.x - x, position.y - y
        self.x, self.y = x + gain * off_x, y + gain * off_y
        self.speed_x = kept * self.speed_x + speed_gain * off_x
        self.speed_y = kept * self.speed_y + speed_gain * off_y
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
