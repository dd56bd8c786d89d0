"""Pure: which frames of a film are looked at, and the true moment of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil, lcm
from typing import Any, overload

import numpy as np

from fer_batch.types import FrameTime

EXACT = 2**53
"""Integers below are exact in float64, and in int64 anyway."""

MICROSECONDS = 1_000_000
"""In a second."""

MOST_ROUNDED = Fraction(1, 2000)
"""Seconds by which a stamp may stand before its true time: in milliseconds, the second of 30 frames is at .033."""


@dataclass(frozen=True)
class Sampling:
    """Which part of a film to look at, and how densely."""

    fps: float | None = None
    """At most so many frames a second: the first frame of every 1 / fps seconds. None: every frame."""
    start: float | None = None
    """Seconds of the film to begin at."""
    end: float | None = None
    """Seconds of the film to stop before."""


@dataclass(frozen=True)
class Clock:
    """How stamps become seconds."""

    time_base: Fraction
    """Seconds in one unit of a stamp."""
    zero: Fraction
    """Seconds, on the stamps' own scale, at which the film's earliest stream starts."""

    def seconds(self, pts: int) -> Fraction:
        """Time of a stamp, from the film's zero."""
        return pts * self.time_base - self.zero

    def pts(self, seconds: Fraction) -> Fraction:
        """The inverse of :meth:`seconds`; between two stamps it is a fraction."""
        return (seconds + self.zero) / self.time_base


@dataclass(frozen=True, eq=False)
class FrameTimes(Sequence[FrameTime]):
    """N moments of one film, made one by one when they are asked for. Slices share the arrays."""

    file: str
    """The film's source name."""
    numbers: np.ndarray
    """(N,) int64."""
    seconds: np.ndarray
    """(N,) float64."""
    durations: np.ndarray
    """(N,) float64: seconds."""
    pts: np.ndarray | None
    """(N,) int64; None: frames are not known by their stamps."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> FrameTime: ...

    @overload
    def __getitem__(self, at: slice) -> "FrameTimes": ...

    def __getitem__(self, at: int | slice) -> "FrameTime | FrameTimes":
        if isinstance(at, slice):
            timestamps = None if self.pts is None else self.pts[at]
            return FrameTimes(self.file, self.numbers[at], self.seconds[at], self.durations[at], timestamps)
        pts = None if self.pts is None else self.pts.item(at)
        return FrameTime(self.file, self.numbers.item(at), self.seconds.item(at), self.durations.item(at), pts)

    def __iter__(self) -> Iterator[FrameTime]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrameTimes):
            return NotImplemented
        return all(np.array_equal(ours, theirs) for ours, theirs in zip(_parts(self), _parts(other), strict=True))


def _parts(times: FrameTimes) -> Iterator[Any]:
    return (getattr(times, field.name) for field in fields(times))


def frame_times(file: str, timestamps: np.ndarray, end_pts: int, clock: Clock, sampling: Sampling) -> FrameTimes:
    """The moments to look at, of a film whose frames have the sorted ``timestamps`` (N,) int64.

    A moment lasts until the next one that is looked at; the last one until ``end_pts``, where the film ends, or
    until ``sampling.end``.
    """
    first, last, fps = (_exactly(number) for number in (sampling.start, sampling.end, sampling.fps))
    inside = np.ones(len(timestamps), bool)
    if first is not None:
        inside &= timestamps >= ceil(clock.pts(first))
    if last is not None:
        inside &= timestamps < ceil(clock.pts(last))
    numbers = np.flatnonzero(inside)
    if fps is not None:
        slack = min(clock.time_base / 2, MOST_ROUNDED)
        ticks, _ = _floors(timestamps[numbers], clock.time_base * fps, (slack - clock.zero) * fps)
        numbers = numbers[np.append([True], ticks[1:] != ticks[:-1])[: len(numbers)]]
    # To the microsecond, which is what tables hold: so that durations add up to times there, however many they are.
    times = _rounded(timestamps[numbers], clock.time_base * MICROSECONDS, -clock.zero * MICROSECONDS)
    durations = np.diff(times, append=times[-1:]) / MICROSECONDS
    if len(times):
        end = clock.seconds(end_pts) if last is None else min(clock.seconds(end_pts), last)
        durations[-1] = max(0, round(end * MICROSECONDS) - int(times[-1])) / MICROSECONDS
    seconds = times / MICROSECONDS
    return FrameTimes(file, numbers, seconds.astype(float), durations.astype(float), timestamps[numbers])


def _rounded(values: np.ndarray, slope: Fraction, offset: Fraction) -> np.ndarray:
    """``values * slope + offset``, exactly, in integers (int64 or objects); a half to the even one, as by ``round``."""
    floors, whole = _floors(values, slope, offset + Fraction(1, 2))
    nearest: np.ndarray = floors - (whole & (floors % 2 == 1))
    return nearest


def _floors(values: np.ndarray, slope: Fraction, offset: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """``values * slope + offset``, rounded down exactly, and whether there was nothing to round; for int64 ``values``.

    The integers are int64, or objects where they are so large that int64 or float64 might not hold them.
    """
    below = lcm(slope.denominator, offset.denominator)
    times, more = int(slope * below), int(offset * below)
    largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
    if max(largest, 1) * abs(times) + abs(more) + below >= EXACT:
        values = values.astype(object)
    scaled = values * times + more
    return scaled // below, scaled % below == 0


def _exactly(number: float | None) -> Fraction | None:
    """What somebody meant who wrote ``number``: .1 is a tenth, not the nearest binary fraction."""
    return None if number is None else Fraction(number).limit_denominator(1_000_000)
