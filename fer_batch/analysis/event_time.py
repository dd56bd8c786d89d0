"""Pure: what faces show in the seconds around the beginning of an event, and means of it over persons.

Each occurrence of an event is put on one axis, seconds from its start, in bins. A person's occurrences are averaged
first, weighted by the time visible; then persons are, each of whom counts once. A person's change is from the mean of
the same seconds before the start. Intervals are Student's t over persons, for each bin by itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fer_batch.analysis.bins import in_bins
from fer_batch.analysis.groups import FEWEST, quantiles
from fer_batch.analysis.series import FaceSeries
from fer_batch.emotions import EMOTIONS

BIN = 0.5
"""Seconds of a bin."""

BEFORE = 5.0
"""Seconds before the start of an event from which bins are made; these are a person's baseline."""

AFTER = 15.0
"""Seconds after it until which they are, whether the event lasts as long or not."""

EDGES = np.arange(-BEFORE, AFTER + BIN / 2, BIN)
"""(bins + 1,) seconds from the start of an event."""


@dataclass(frozen=True)
class AroundEvent:
    """A face around the start of one event of its video."""

    label: str
    file: str
    person: str
    group: str
    bins: np.ndarray
    """(n,) positions of the bins in which the face is visible."""
    seconds: np.ndarray
    """(n,) for how long."""
    means: np.ndarray
    """(n, 7) shares."""


@dataclass(frozen=True)
class EventTimeMean:
    """One emotion in one bin of an event, over persons."""

    label: str
    group: str
    """Empty: everybody."""
    seconds: float
    """From the start of the event to that of the bin."""
    emotion: str
    over: str
    """What is one case: "persons", or "videos" where nobody is named."""
    cases: int
    """Those who are visible in the bin."""
    mean: float
    low: float | None
    high: float | None
    change: float | None
    change_low: float | None
    change_high: float | None


def around(face: FaceSeries, label: str, start: float, file: str, group: str) -> AroundEvent | None:
    """The face around the start of an event; None: it is not visible there, or times are unknown."""
    near = face.between(start - BEFORE, start + AFTER)
    if near is None:
        return None
    seconds, means = in_bins(near.starts, near.ends, near.shares, start + EDGES)
    bins = np.flatnonzero(seconds > 0)
    if not len(bins):
        return None
    return AroundEvent(label, file, face.person, group, bins.astype(float), seconds[bins], means[bins])


def event_time_means(found: Iterable[AroundEvent], groups: Sequence[str] = ()) -> Iterator[EventTimeMean]:
    """Of every event, over everybody and over each group in this order."""
    found = list(found)
    named = any(one.person for one in found)
    for label in dict.fromkeys(one.label for one in found):
        of_label = [one for one in found if one.label == label]
        for group in ("", *(group for group in groups if any(one.group == group for one in of_label))):
            cases: dict[str, list[AroundEvent]] = {}
            for one in of_label:
                if (one.person or not named) and group in {"", one.group}:
                    cases.setdefault(one.person or one.file, []).append(one)
            if cases:
                over = "persons" if named else "videos"
                yield from _means(label, group, over, np.array([_of_case(parts) for parts in cases.values()]))


def _of_case(parts: Sequence[AroundEvent]) -> np.ndarray:
    """(bins, 14) mean shares of one person, and their changes; NaN where the person is not visible."""
    seconds, amounts = np.zeros(len(EDGES) - 1), np.zeros((len(EDGES) - 1, len(EMOTIONS)))
    for part in parts:
        places = part.bins.astype(int)
        seconds[places] += part.seconds
        amounts[places] += part.seconds[:, np.newaxis] * part.means
    before = EDGES[:-1] < 0
    with np.errstate(invalid="ignore", divide="ignore"):
        means = amounts / seconds[:, np.newaxis]
        baseline = amounts[before].sum(axis=0) / seconds[before].sum()
    return np.column_stack((means, means - baseline))


def _means(label: str, group: str, over: str, cases: np.ndarray) -> Iterator[EventTimeMean]:
    """Of ``cases`` (persons, bins, 14)."""
    counts = (~np.isnan(cases)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nansum(cases, axis=0) / counts
        deviations = np.sqrt(np.nansum((cases - means) ** 2, axis=0) / (counts - 1))
        halves = np.where(counts >= FEWEST, quantiles(np.maximum(counts - 1, 1)) * deviations / np.sqrt(counts), np.nan)
    for place, seconds in enumerate(EDGES[:-1].tolist()):
        for emotion, name in enumerate(EMOTIONS):
            change = emotion + len(EMOTIONS)
            if counts[place, emotion]:
                shown = (_with_interval(means[place, at], halves[place, at]) for at in (emotion, change))
                (mean, low, high), (changed, *ends) = shown
                assert mean is not None
                yield EventTimeMean(
                    label, group, seconds, name, over, int(counts[place, emotion]), mean, low, high, changed, *ends
                )


def _with_interval(mean: float, half: float) -> tuple[float | None, float | None, float | None]:
    """A mean and the ends of its interval; None where there is none."""
    if np.isnan(mean):
        return None, None, None
    if np.isnan(half) or half == 0:
        return float(mean), None, None
    return float(mean), float(mean - half), float(mean + half)
