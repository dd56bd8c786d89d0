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
        groups = _groups([person for person in people if person.kind is kind])
        for group in groups:
            means.extend(_means(kind, group))
        for group, other in combinations(groups, 2):
            differences.extend(_differences(kind, group, other))
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
class _Group:
    """Values of the persons of one group, and its means where persons are drawn anew."""

    name: str
    measures: Sequence[str]
    values: np.ndarray
    """(persons, measures) float64, with a row for every person of any group; NaN where there is no value."""
    resampled: np.ndarray
    """(RESAMPLES, measures) float64 means; NaN where nobody has a value."""


def _groups(people: Sequence[Summary]) -> list[_Group]:
    """All groups of the people, sorted by name."""
    if not people:
        return []
    persons = sorted({summary.person for summary in people}, key=natural)
    names = sorted({summary.group for summary in people}, key=natural)
    columns = list(measures(people[0]))
    values = np.full((len(names), len(persons), len(columns)), np.nan)
    for summary in people:
        row = [np.nan if value is None else value for value in measures(summary).values()]
        values[names.index(summary.group), persons.index(summary.person)] = row
    draws = _draws(~np.isnan(values[:, :, 0]))
    return [_Group(name, columns, own, _resampled(own, draws)) for name, own in zip(names, values, strict=True)]


def _means(kind: Kind, group: _Group) -> Iterator[GroupMean]:
    for measure, values, resampled in zip(group.measures, group.values.T, group.resampled.T, strict=True):
        known = values[~np.isnan(values)]
        if len(known):
            interval = _interval(resampled, len(known))
            yield GroupMean(kind, group.name, measure, len(known), float(known.mean()), *interval)


def _differences(kind: Kind, group: _Group, other: _Group) -> Iterator[Difference]:
    apart = (group.resampled - other.resampled).T
    for measure, values, others, resampled in zip(group.measures, group.values.T, other.values.T, apart, strict=True):
        here, there = ~np.isnan(values), ~np.isnan(others)
        counts = int(here.sum()), int(there.sum())
        if all(counts):
            difference = float(values[here].mean() - others[there].mean())
            both = int((here & there).sum())
            interval = _interval(resampled, min(counts))
            yield Difference(kind, group.name, other.name, measure, *counts, both, difference, *interval)


def _resampled(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(RESAMPLES, measures): means of ``values`` (persons, measures), each person taken as often as it is drawn."""
    counts = draws @ (~np.isnan(values)).astype(np.float64)
    means: np.ndarray = np.where(counts > 0, draws @ np.nan_to_num(values) / np.maximum(counts, 1), np.nan)
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
