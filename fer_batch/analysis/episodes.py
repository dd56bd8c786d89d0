"""Pure: when a face shows an expression: hysteresis and a shortest duration keep flickers out.

An episode begins with the row in which one of the six expressions has the largest share of the six and at least
``enter``. It goes on while its share is at least ``leave``, which is lower, so that a share that wavers about one
threshold is not cut to pieces (a Schmitt trigger). It ends before the row in which the share is less, before the row
in which an episode of another of the six begins, and where the face is gone. Neutral has no episodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fer_batch.analysis.series import FaceSeries
from fer_batch.emotions import EMOTIONS, NEUTRAL
from fer_batch.types import Episode

SIX = tuple(index for index in range(len(EMOTIONS)) if index != NEUTRAL)
"""Positions in EMOTIONS of all but neutral."""


@dataclass(frozen=True)
class Rule:
    """Thresholds of an episode."""

    enter: float
    """Least share with which an episode begins."""
    leave: float
    """Least share with which it goes on; at most ``enter``."""
    shortest: float
    """Least duration, in seconds. A gap in which the face is away for less than that does not end an episode."""


def find(face_series: FaceSeries, file: str, rule: Rule, shares: np.ndarray | None = None) -> list[Episode]:
    """The episodes of one face, in order; they never overlap. A face without times has none.

    ``shares`` (N, 7), if given, take the place of the face's own: smoothed ones.
    """
    if not face_series.timed:
        return []
    shares = face_series.shares if shares is None else shares
    ends = face_series.ends
    found = []
    for emotion, begin, end in _spans(face_series, shares, rule):
        start, stop = float(face_series.starts[begin]), float(ends[begin:end].max())
        if stop - start < rule.shortest - _ROUNDING:
            continue
        own, weights = shares[begin:end, emotion], face_series.select(np.arange(begin, end)).weights
        peak = int(own.argmax())
        found.append(
            Episode(
                file=file,
                face_id=face_series.face_id,
                person=face_series.person,
                emotion=EMOTIONS[emotion],
                start=start,
                stop=stop,
                mean=float(np.average(own, weights=weights)),
                peak=float(own[peak]),
                peak_time=float(face_series.starts[begin + peak]),
            )
        )
    return found


_ROUNDING = 1e-6
"""Seconds by which a duration may be too short: tables hold microseconds."""


def _spans(face_series: FaceSeries, shares: np.ndarray, rule: Rule) -> Iterator[tuple[int, int, int]]:
    """(position in EMOTIONS, first row, row after the last) of every episode, however short."""
    leader = np.asarray(SIX)[shares[:, SIX].argmax(axis=1)]
    begins = np.where(shares[np.arange(len(leader)), leader] >= rule.enter, leader, -1)
    away = np.concatenate(([True], face_series.gaps >= max(rule.shortest, _ROUNDING)))
    current = -1
    edges: list[tuple[int, int]] = []
    rows = zip(begins.tolist(), (shares >= rule.leave).tolist(), away.tolist(), strict=True)
    for row, (beginning, holds, gone) in enumerate(rows):
        goes_on = current >= 0 and not gone and holds[current]
        now = beginning if beginning >= 0 else current if goes_on else -1
        if now != current or (gone and now >= 0):
            edges.append((row, now))
        current = now
    edges.append((len(leader), -1))
    for (begin, emotion), (end, _) in pairwise(edges):
        if emotion >= 0:
            yield emotion, begin, end
