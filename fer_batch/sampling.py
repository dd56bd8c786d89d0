"""Pure: which frames of a film are looked at, and the true moment of each."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fer_batch.types import Moment

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

    def seconds(self, stamp: int) -> Fraction:
        """Time of a stamp, from the film's zero."""
        return stamp * self.time_base - self.zero


def moments(file: str, stamps: np.ndarray, end_stamp: int, clock: Clock, sampling: Sampling) -> tuple[Moment, ...]:
    """The moments to look at, of a film whose frames have the sorted ``stamps`` (N,) int64.

    A moment lasts until the next one that is looked at; the last one until ``end_stamp``, where the film ends, or
    until ``sampling.end``.
    """
    first, last, fps = (_exactly(number) for number in (sampling.start, sampling.end, sampling.fps))
    slack = min(clock.time_base / 2, MOST_ROUNDED)
    chosen: list[tuple[int, int, Fraction]] = []
    previous_tick: int | None = None
    for number, stamp in enumerate(stamps.tolist()):
        seconds = clock.seconds(stamp)
        if (first is not None and seconds < first) or (last is not None and seconds >= last):
            continue
        tick = number if fps is None else int((seconds + slack) * fps // 1)
        if tick != previous_tick:
            chosen.append((number, stamp, seconds))
        previous_tick = tick
    if not chosen:
        return ()
    end = clock.seconds(end_stamp)
    # To the microsecond, which is what tables hold: so that durations add up to times there, however many they are.
    times = [round(seconds, 6) for _, _, seconds in chosen]
    ends = [*times[1:], round(end if last is None else min(end, last), 6)]
    return tuple(
        Moment(file, number, float(seconds), float(max(Fraction(0), until - seconds)), stamp)
        for (number, stamp, _), seconds, until in zip(chosen, times, ends, strict=True)
    )


def _exactly(number: float | None) -> Fraction | None:
    """What somebody meant who wrote ``number``: .1 is a tenth, not the nearest binary fraction."""
    return None if number is None else Fraction(number).limit_denominator(1_000_000)
