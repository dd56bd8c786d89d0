"""Pure: how groups of persons look, and how they differ, with intervals.

A person is one case, however many frames, films or faces there are of them: frames of one face are no independent
observations, and intervals over frames would be far too narrow. So each person has one value, a group's mean is that
over its persons, and intervals come from resampling persons with replacement (the percentile bootstrap: Efron and
Tibshirani 1993, An Introduction to the Bootstrap, chapter 13). Persons who are in the same groups are resampled among
themselves, and a person who is in two groups (before, after) is drawn with both values: so such differences are paired.
Percentile intervals of few persons are too narrow; of one person there is none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fer_batch.analysis.persons import together
from fer_batch.emotions import EMOTIONS
from fer_batch.types import Kind, Summary

CONFIDENCE = 0.95
RESAMPLES = 5000
SEED = 0
"""Of the resampling: the same people give the same intervals."""


@dataclass(frozen=True)
class GroupMean:
    """One measure of one group."""

    kind: Kind
    group: str
    measure: str
    persons: int
    """Those who have a value."""
    mean: float
    low: float | None
    """Ends of the interval; None for fewer than two persons."""
    high: float | None


@dataclass(frozen=True)
class Difference:
    """One measure of a group less that of another one."""

    kind: Kind
    group: str
    other_group: str
    measure: str
    persons: int
    other_persons: int
    persons_in_both: int
    difference: float
    low: float | None
    high: float | None


def compare(summaries: Iterable[Summary]) -> tuple[list[GroupMean], list[Difference]]:
    """Means of every group and differences of every two, over the persons among the summaries that have a group."""
    people = [one.summary for one in together(replace(one, role="") for one in summaries if one.group)]
    means: list[GroupMean] = []
    differences: list[Difference] = []
    for kind in Kind:
        of_kind = [one for one in people if one.kind is kind]
        if of_kind:
            table = _Table.of(of_kind)
            means.extend(table.means(kind))
            differences.extend(table.differences(kind))
    return means, differences


def values(one: Summary) -> Mapping[str, float | None]:
    """What is compared, by the names of the columns in the tables."""
    return {
        **{f"mean_{name}": float(value) for name, value in zip(EMOTIONS, one.means, strict=True)},
        **{f"strongest_{name}": float(value) for name, value in zip(EMOTIONS, one.strongest, strict=True)},
        "derived_valence": one.valence,
        "episodes_per_minute": one.episodes_per_minute,
        **{
            f"change_{name}": None if one.changes is None else float(one.changes[at])
            for at, name in enumerate(EMOTIONS)
        },
        "derived_valence_change": one.valence_change,
    }


@dataclass(frozen=True)
class _Table:
    """Values of persons in groups, and how often each person is drawn in each resample."""

    groups: Sequence[str]
    measures: Sequence[str]
    cells: np.ndarray
    """(groups, persons, measures) float64; NaN where there is no value."""
    draws: np.ndarray
    """(RESAMPLES, persons) float64 counts."""

    @classmethod
    def of(cls, people: Sequence[Summary]) -> "_Table":
        names = sorted({one.person for one in people})
        groups = sorted({one.group for one in people})
        measures = list(values(people[0]))
        cells = np.full((len(groups), len(names), len(measures)), np.nan)
        for one in people:
            row = [np.nan if value is None else value for value in values(one).values()]
            cells[groups.index(one.group), names.index(one.person)] = row
        return cls(groups, measures, cells, _draws(~np.isnan(cells[:, :, 0])))

    def means(self, kind: Kind) -> Iterator[GroupMean]:
        for at, group in enumerate(self.groups):
            resampled = self._resampled(at)
            for number, measure in enumerate(self.measures):
                known = self._known(at, number)
                if known.any():
                    mean = float(self.cells[at, known, number].mean())
                    interval = _interval(resampled[:, number], int(known.sum()))
                    yield GroupMean(kind, group, measure, int(known.sum()), mean, *interval)

    def differences(self, kind: Kind) -> Iterator[Difference]:
        for one, other in combinations(range(len(self.groups)), 2):
            resampled = self._resampled(one) - self._resampled(other)
            for number, measure in enumerate(self.measures):
                ours, theirs = self._known(one, number), self._known(other, number)
                if not (ours.any() and theirs.any()):
                    continue
                counts = int(ours.sum()), int(theirs.sum())
                difference = self.cells[one, ours, number].mean() - self.cells[other, theirs, number].mean()
                yield Difference(
                    kind,
                    self.groups[one],
                    self.groups[other],
                    measure,
                    *counts,
                    int((ours & theirs).sum()),
                    float(difference),
                    *_interval(resampled[:, number], min(counts)),
                )

    def _known(self, group: int, measure: int) -> np.ndarray:
        known: np.ndarray = ~np.isnan(self.cells[group, :, measure])
        return known

    def _resampled(self, group: int) -> np.ndarray:
        """(RESAMPLES, measures): the group's mean in each resample; NaN where nobody in it has a value."""
        known = ~np.isnan(self.cells[group])
        counts = self.draws @ known.astype(np.float64)
        sums = self.draws @ np.nan_to_num(self.cells[group])
        means: np.ndarray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return means


def _draws(member: np.ndarray) -> np.ndarray:
    """How often each person is drawn; ``member`` (groups, persons) says who is in what group."""
    rng = np.random.default_rng(SEED)
    draws = np.zeros((RESAMPLES, member.shape[1]))
    _, pattern = np.unique(member, axis=1, return_inverse=True)
    for number in range(int(pattern.max()) + 1):
        alike = np.flatnonzero(pattern.ravel() == number)
        draws[:, alike] = rng.multinomial(len(alike), np.full(len(alike), 1 / len(alike)), size=RESAMPLES)
    return draws


def _interval(resampled: np.ndarray, persons: int) -> tuple[float | None, float | None]:
    known = resampled[~np.isnan(resampled)]
    if persons < 2 or not len(known):
        return None, None
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
