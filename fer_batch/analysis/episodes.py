"""Pure: when a face shows an expression: hysteresis, a shortest duration and a longest interruption.

- An expression begins with the row in which one of the six has the largest share of the six and at least ``enter``. It
  is shown as long as its share is at least ``leave``, which is lower, so that a share that wavers about one threshold
  is not cut to pieces (a Schmitt trigger), and until another one begins. Neutral has no episodes.
- An interruption of at most ``gap`` is bridged, whatever it is: the share is less, another expression flickers, the
  face is away. But it must be no longer than the expression is shown on either side of it, so that flickers do not add
  up to an episode. Short interruptions are bridged before long ones.
- What is then shown for less than ``shortest`` is no episode. Interruptions do not count to this time.

All limits are times, so the same video gives the same episodes at any frame rate that is high enough (FRAMES).
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fer_batch.analysis.series import TOLERANCE, FaceSeries
from fer_batch.emotions import EMOTIONS, NEUTRAL
from fer_batch.types import Episode

SIX = tuple(index for index in range(len(EMOTIONS)) if index != NEUTRAL)
"""Positions in EMOTIONS of all but neutral."""

FRAMES = 2
"""Frames that the shortest episode and the longest interruption must last; with fewer, where frames fall decides."""


@dataclass(frozen=True)
class Rule:
    """Thresholds of an episode."""

    enter: float
    """Least share with which an episode begins."""
    leave: float
    """Least share with which it goes on; at most ``enter``."""
    shortest: float
    """Least time, in seconds, in which the expression is shown."""
    gap: float
    """Longest interruption, in seconds, that does not end an episode."""

    def resolved_by(self, face_series: FaceSeries) -> bool:
        """Whether a face's rows are short enough for the rule's times; they all are for times of 0."""
        least = min((seconds for seconds in (self.shortest, self.gap) if seconds > 0), default=np.inf)
        return FRAMES * float(np.median(face_series.durations)) <= least + TOLERANCE


def find(face_series: FaceSeries, file: str, rule: Rule, shares: np.ndarray | None = None) -> list[Episode]:
    """The episodes of one face, in order; they never overlap. A face without times has none.

    ``shares`` (N, 7), if given, take the place of the face's own: smoothed ones.
    """
    if not face_series.timed:
        return []
    shares = face_series.shares if shares is None else shares
    found = []
    for span in _bridged(_spans(face_series, shares, rule), rule.gap):
        if span.seconds < rule.shortest - TOLERANCE:
            continue
        emotion, begin, end = span.emotion, span.begin, span.end
        own, weights = shares[begin:end, emotion], face_series.select(np.arange(begin, end)).weights
        peak = int(own.argmax())
        found.append(
            Episode(
                file=file,
                face_id=face_series.face_id,
                person=face_series.person,
                emotion=EMOTIONS[emotion],
                start=span.start,
                stop=span.stop,
                mean=float(np.average(own, weights=weights)),
                peak=float(own[peak]),
                peak_time=float(face_series.starts[begin + peak]),
            )
        )
    return found


@dataclass(frozen=True)
class _Span:
    """Rows in which a face shows an expression, but for interruptions."""

    emotion: int
    """Position in EMOTIONS."""
    begin: int
    """First row."""
    end: int
    """Row after the last."""
    start: float
    stop: float
    seconds: float
    """For how long it is shown."""


def _spans(face_series: FaceSeries, shares: np.ndarray, rule: Rule) -> list[_Span]:
    """All that is shown without an interruption, in order, however short. The face may be away for a while in it."""
    leader = np.asarray(SIX)[shares[:, SIX].argmax(axis=1)]
    begins = np.where(shares[np.arange(len(leader)), leader] >= rule.enter, leader, -1)
    away = np.concatenate(([True], face_series.gaps > rule.gap + TOLERANCE))
    starts, ends = face_series.starts, face_series.ends
    current, earlier, stopped = -1, -1, 0.0
    edges: list[tuple[int, int]] = []
    rows = zip(begins.tolist(), (shares >= rule.leave).tolist(), away.tolist(), strict=True)
    for row, (beginning, holds, gone) in enumerate(rows):
        now = beginning
        if now < 0 and current >= 0 and not gone:
            # What another expression has interrupted for a moment goes on.
            resumes = earlier >= 0 and starts[row] - stopped <= rule.gap + TOLERANCE
            now = current if holds[current] else earlier if resumes and holds[earlier] else -1
        if now != current or (gone and now >= 0):
            edges.append((row, now))
            earlier, stopped = (current, float(ends[row - 1])) if now >= 0 and not gone else (-1, 0.0)
        current = now
    edges.append((len(leader), -1))
    return [
        _Span(
            emotion,
            begin,
            end,
            float(starts[begin]),
            float(ends[begin:end].max()),
            float(face_series.durations[begin:end].sum()),
        )
        for (begin, emotion), (end, _) in pairwise(edges)
        if emotion >= 0
    ]


def _bridged(spans: list[_Span], gap: float) -> list[_Span]:
    """The spans, joined where an interruption of at most ``gap`` seconds parts two of the same expression."""
    while True:
        before: dict[int, int] = {}
        interruptions = []
        for right, span in enumerate(spans):
            left = before.get(span.emotion)
            before[span.emotion] = right
            if left is not None:
                seconds = span.start - spans[left].stop
                if seconds <= min(gap, spans[left].seconds, span.seconds) + TOLERANCE:
                    interruptions.append((seconds, left, right))
        joined: dict[int, _Span] = {}
        taken: set[int] = set()
        for _, left, right in sorted(interruptions):
            if taken.isdisjoint(range(left, right + 1)):
                first, last = spans[left], spans[right]
                seconds = first.seconds + last.seconds
                joined[left] = replace(first, end=last.end, stop=last.stop, seconds=seconds)
                taken.update(range(left, right + 1))
        if not joined:
            return spans
        spans = [joined.get(at, span) for at, span in enumerate(spans) if at in joined or at not in taken]
