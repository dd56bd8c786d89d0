"""Pure: a face's shares, averaged over a window of time.

The shares of one face are a step function of time: each row holds for its duration. It is averaged over a window of so
many seconds, centred on each point in time (symmetric: it shifts nothing in time), and the result is averaged over
each row's duration. So frames may be irregular, and a frame that is split in two changes nothing. At the ends of a
stretch in which the face is seen without a gap the function is mirrored, and nothing is carried across a gap. The seven
shares of a row still sum to 1, and each emotion's time in a stretch (its shares times the durations) stays the same.
"""

from dataclasses import dataclass

import numpy as np

from fer_batch.analysis.series import FaceSeries

BRIEF = 1e-4
"""Seconds; a shorter row takes the value at its middle, because rounding errors would exceed the average over it."""


def smooth(face_series: FaceSeries, seconds: float) -> np.ndarray:
    """(N, 7) float64: the shares of one face, averaged over a window of ``seconds``, which is more than 0.

    Rows whose durations are all unknown stay as they are.
    """
    begins = np.flatnonzero(face_series.gaps) + 1
    parts = zip(np.split(face_series.shares, begins), np.split(face_series.durations, begins), strict=True)
    return np.concatenate([_smooth_stretch(shares, durations, seconds / 2) for shares, durations in parts])


def _smooth_stretch(shares: np.ndarray, durations: np.ndarray, half: float) -> np.ndarray:
    edges = np.concatenate(([0.0], durations.cumsum()))
    if len(shares) == 1 or edges[-1] <= 0:
        return shares
    mean = np.average(shares, axis=0, weights=durations)
    sums = _Sums(edges, shares - mean)
    early, late = edges[:-1], edges[1:]
    spans = np.where(durations < BRIEF, 1.0, durations)[:, np.newaxis]
    rises = sums.twice(late + half) - sums.twice(early + half) - sums.twice(late - half) + sums.twice(early - half)
    middle = (early + late) / 2
    points = sums.once(middle + half) - sums.once(middle - half)
    smoothed: np.ndarray = mean + np.where(durations[:, np.newaxis] < BRIEF, points, rises / spans) / (2 * half)
    return smoothed


@dataclass(frozen=True)
class _Sums:
    """Integrals of a step function whose mean is 0, mirrored at both ends, so that they are periodic."""

    edges: np.ndarray
    """(N + 1,) float64: seconds at which the steps begin and end, from 0."""
    steps: np.ndarray
    """(N, 7) float64: their values."""

    @property
    def _first(self) -> np.ndarray:
        """(N + 1, 7): the integral from 0 to each of ``edges``."""
        return np.concatenate((np.zeros((1, 7)), (self.steps * np.diff(self.edges)[:, np.newaxis]).cumsum(axis=0)))

    def once(self, times: np.ndarray) -> np.ndarray:
        """(T, 7): the integral from 0 to each of ``times`` (T,), which may lie beyond both ends."""
        places, mirrored = self._fold(times)
        first = self._first
        step = self._step(places)
        values = first[step] + self.steps[step] * (places - self.edges[step])[:, np.newaxis]
        once: np.ndarray = np.where(mirrored[:, np.newaxis], -values, values)
        return once

    def twice(self, times: np.ndarray) -> np.ndarray:
        """(T, 7): the integral of :meth:`once`."""
        places, _ = self._fold(times)
        first = self._first
        lengths = np.diff(self.edges)[:, np.newaxis]
        second = np.concatenate((np.zeros((1, 7)), (lengths * (first[:-1] + first[1:]) / 2).cumsum(axis=0)))
        step = self._step(places)
        beyond = (places - self.edges[step])[:, np.newaxis]
        values: np.ndarray = second[step] + beyond * (first[step] + self.steps[step] * beyond / 2)
        return values

    def _fold(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(T,) times between 0 and the end, and whether each lies in a mirrored copy."""
        end = self.edges[-1]
        rest = np.mod(times, 2 * end)
        return np.minimum(rest, 2 * end - rest), rest > end

    def _step(self, places: np.ndarray) -> np.ndarray:
        """(T,) int64: the step in which each of ``places`` lies."""
        step: np.ndarray = (np.searchsorted(self.edges, places, side="right") - 1).clip(0, len(self.steps) - 1)
        return step
