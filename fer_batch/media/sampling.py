"""Which frames of a video are sampled, and the exact time of each frame. Pure functions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil, lcm
from typing import Any, overload

import numpy as np

from fer_batch.types import FrameTime

MAX_EXACT_INTEGER = 2**53
"""All integers below this are exact in float64 and in int64."""

MICROSECONDS_PER_SECOND = 1_000_000

MAX_ROUNDING_SECONDS = Fraction(1, 2000)
"""How much earlier than the true time a rounded timestamp may be: at 30 frames a second and in whole milliseconds,
frame 1 is at .033 s."""


@dataclass(frozen=True)
class Sampling:
    """Which part of a video to analyse, and how many frames of it."""

    fps: float | None = None
    """Greatest number of frames a second: of every 1 / fps seconds, the first frame is sampled. None: every frame."""
    start: float | None = None
    """Time in seconds at which to begin; None: at the start of the video."""
    end: float | None = None
    """Time in seconds before which to stop; None: at the end of the video."""


@dataclass(frozen=True)
class Clock:
    """Converts presentation timestamps (pts) to seconds and back."""

    time_base: Fraction
    """Seconds in one unit of a pts."""
    zero: Fraction
    """The start of the video's earliest stream: seconds on the scale of the pts."""

    def seconds(self, pts: int) -> Fraction:
        """Time of a pts since the start of the earliest stream."""
        return pts * self.time_base - self.zero

    def pts(self, seconds: Fraction) -> Fraction:
        """The inverse of :meth:`seconds`; not rounded to a whole number."""
        return (seconds + self.zero) / self.time_base


@dataclass(frozen=True, eq=False)
class FrameTimes(Sequence[FrameTime]):
    """A sequence of the times of N frames of one video. Each item is made on access; slices share the arrays."""

    file: str
    """The name of the video's source."""
    numbers: np.ndarray
    """(N,) int64: frame numbers."""
    seconds: np.ndarray
    """(N,) float64: when each frame begins."""
    durations: np.ndarray
    """(N,) float64: seconds."""
    pts: np.ndarray | None
    """(N,) int64; None: frames are identified by their numbers, not by their pts."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> FrameTime: ...

    @overload
    def __getitem__(self, index: slice) -> "FrameTimes": ...

    def __getitem__(self, index: int | slice) -> "FrameTime | FrameTimes":
        if isinstance(index, slice):
            part = None if self.pts is None else self.pts[index]
            return FrameTimes(self.file, self.numbers[index], self.seconds[index], self.durations[index], part)
        pts = None if self.pts is None else self.pts.item(index)
        return FrameTime(self.file, self.numbers.item(index), self.seconds.item(index), self.durations.item(index), pts)

    def __iter__(self) -> Iterator[FrameTime]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrameTimes):
            return NotImplemented
        return all(np.array_equal(ours, theirs) for ours, theirs in zip(_parts(self), _parts(other), strict=True))


def _parts(times: FrameTimes) -> Iterator[Any]:
    return (getattr(times, field.name) for field in fields(times))


def frame_times(file: str, all_pts: np.ndarray, ends: np.ndarray, clock: Clock, sampling: Sampling) -> FrameTimes:
    """The times of the sampled frames of a video whose N frames have the sorted ``all_pts`` (N,) int64.

    A frame lasts until the next sampled frame, but not beyond ``sampling.end``, nor beyond a gap or the end of the
    video: where a frame's end in ``ends`` (N,) int64 is not the next one's pts.
    """
    start, end, fps = (_exactly(number) for number in (sampling.start, sampling.end, sampling.fps))
    inside = np.ones(len(all_pts), bool)
    if start is not None:
        inside &= all_pts >= ceil(clock.pts(start))
    if end is not None:
        inside &= all_pts < ceil(clock.pts(end))
    numbers = np.flatnonzero(inside)
    if fps is not None:
        tolerance = min(clock.time_base / 2, MAX_ROUNDING_SECONDS)
        periods, _ = _floors(all_pts[numbers], clock.time_base * fps, (tolerance - clock.zero) * fps)
        numbers = numbers[np.append([True], periods[1:] != periods[:-1])[: len(numbers)]]
    # Rounded to microseconds, as in the tables: so times and durations in the tables add up without error.
    scale = MICROSECONDS_PER_SECOND
    breaks = np.append(np.flatnonzero(ends[:-1] < all_pts[1:]), len(all_pts) - 1)
    stops = ends[breaks[np.searchsorted(breaks, numbers)]]
    times, untils = (_rounded(pts, clock.time_base * scale, -clock.zero * scale) for pts in (all_pts[numbers], stops))
    untils = np.minimum(untils, np.append(times[1:], untils[-1:]))  # of int64 and of objects, objects
    if end is not None:
        untils = np.minimum(untils, round(end * scale))
    durations = np.maximum(0, untils - times) / scale
    seconds = times / scale
    return FrameTimes(file, numbers, seconds.astype(float), durations.astype(float), all_pts[numbers])


def _rounded(values: np.ndarray, slope: Fraction, offset: Fraction) -> np.ndarray:
    """``values * slope + offset``, rounded exactly to integers (int64 or objects); halves to even, like ``round``."""
    floors, exact = _floors(values, slope, offset + Fraction(1, 2))
    nearest: np.ndarray = floors - (exact & (floors % 2 == 1))
    return nearest


def _floors(values: np.ndarray, slope: Fraction, offset: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """``values * slope + offset`` of int64 ``values``, rounded down exactly; and whether each was an integer already.

    The results are int64, or Python integers (dtype object) if they could be too large for int64 or float64.
    """
    denominator = lcm(slope.denominator, offset.denominator)
    factor, summand = int(slope * denominator), int(offset * denominator)
    largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
    if max(largest, 1) * abs(factor) + abs(summand) + denominator >= MAX_EXACT_INTEGER:
        values = values.astype(object)
    scaled = values * factor + summand
    return scaled // denominator, scaled % denominator == 0


def _exactly(number: float | None) -> Fraction | None:
    """The number as a user wrote it: 0.1 gives one tenth, not the nearest binary fraction."""
    return None if number is None else Fraction(number).limit_denominator(1_000_000)
