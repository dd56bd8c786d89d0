"""Pure: means of groups of persons and differences between groups, with intervals.

A person is one case, however many frames, videos or faces there are of them: frames of one face are no independent
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

from fer_batch.analysis.persons import summarize_persons
from fer_batch.emotions import EMOTIONS
from fer_batch.natural_order import natural
from fer_batch.types import Kind, Summary

CONFIDENCE = 0.95
RESAMPLES = 5000
SEED = 0
"""Of the resampling, so that the same people give the same intervals."""


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
    """One measure of a group less the same measure of another group."""

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
    grouped = (replace(summary, role="") for summary in summaries if summary.group)
    people = [person.summary for person in summarize_persons(grouped)]
    means: list[GroupMean] = []
    differences: list[Difference] = []
    for kind in Kind:
        of_kind = [person for person in people if person.kind is kind]
        if of_kind:
            table = _Table.of(of_kind)
            means.extend(table.means(kind))
            differences.extend(table.differences(kind))
    return means, differences


def measures(summary: Summary) -> Mapping[str, float | None]:
    """What is compared, by the names of the tables' columns; None: there is no value."""
    return {
        **{f"mean_{name}": float(value) for name, value in zip(EMOTIONS, summary.means, strict=True)},
        **{f"strongest_{name}": float(value) for name, value in zip(EMOTIONS, summary.strongest, strict=True)},
        "derived_valence": summary.valence,
        "episodes_per_minute": summary.episodes_per_minute,
        **{
            f"change_{name}": None if summary.changes is None else float(summary.changes[index])
            for index, name in enumerate(EMOTIONS)
        },
        "derived_valence_change": summary.valence_change,
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
        persons = sorted({summary.person for summary in people}, key=natural)
        groups = sorted({summary.group for summary in people}, key=natural)
        names = list(measures(people[0]))
        cells = np.full((len(groups), len(persons), len(names)), np.nan)
        for summary in people:
            row = [np.nan if value is None else value for value in measures(summary).values()]
            cells[groups.index(summary.group), persons.index(summary.person)] = row
        return cls(groups, names, cells, _draws(~np.isnan(cells[:, :, 0])))

    def means(self, kind: Kind) -> Iterator[GroupMean]:
        for index, group in enumerate(self.groups):
            resampled = self._resampled(index)
            for column, measure in enumerate(self.measures):
                known = self._known(index, column)
                if known.any():
                    mean = float(self.cells[index, known, column].mean())
                    interval = _interval(resampled[:, column], int(known.sum()))
                    yield GroupMean(kind, group, measure, int(known.sum()), mean, *interval)

    def differences(self, kind: Kind) -> Iterator[Difference]:
        for first, second in combinations(range(len(self.groups)), 2):
            resampled = self._resampled(first) - self._resampled(second)
            for column, measure in enumerate(self.measures):
                in_first, in_second = self._known(first, column), self._known(second, column)
                if not (in_first.any() and in_second.any()):
                    continue
                counts = int(in_first.sum()), int(in_second.sum())
                difference = self.cells[first, in_first, column].mean() - self.cells[second, in_second, column].mean()
                yield Difference(
                    kind,
                    self.groups[first],
                    self.groups[second],
                    measure,
                    *counts,
                    int((in_first & in_second).sum()),
                    float(difference),
                    *_interval(resampled[:, column], min(counts)),
                )

    def _known(self, group: int, measure: int) -> np.ndarray:
        """(persons,) bool: who of a group has a value of a measure."""
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
    """(RESAMPLES, persons): how often each person is drawn; ``member`` (groups, persons) says who is in what group.

    Persons who are in the same groups are drawn among themselves.
    """
    rng = np.random.default_rng(SEED)
    draws = np.zeros((RESAMPLES, member.shape[1]))
    _, pattern = np.unique(member, axis=1, return_inverse=True)
    for index in range(int(pattern.max()) + 1):
        alike = np.flatnonzero(pattern.ravel() == index)
        draws[:, alike] = rng.multinomial(len(alike), np.full(len(alike), 1 / len(alike)), size=RESAMPLES)
    return draws


def _interval(resampled: np.ndarray, persons: int) -> tuple[float | None, float | None]:
    """Ends of the interval that holds CONFIDENCE of the ``resampled`` values (RESAMPLES,); None for fewer than two."""
    known = resampled[~np.isnan(resampled)]
    if persons < 2 or not len(known):
        return None, None
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
