"""Intervals over persons hold the truth about as often as they say: samples are drawn from populations that are known.

Persons' mean shares are drawn from beta distributions: (2, 3) is nearly symmetric (skewness .3), (2, 6) skewed (.7) as
shares of a seldom expression are, and (1, 6) very skewed (1.3), most persons near zero.
"""

from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats

from fer_batch.analysis.groups import Design, GroupTable, Interval, interval_of_difference, interval_of_mean
from fer_batch.types import Kind

pytestmark = pytest.mark.slow

SAMPLES = 2000
"""The standard error of a coverage of 95 % is 0.49 points."""

BETWEEN = (92.5, 97.5)
"""Percentages: 93 to 97, and a standard error or two of the simulation itself."""

SHARES = [(2, 3), (2, 6)]
COUNTS = [5, 8, 15, 40]


def coverage(truth: float, intervals: Iterable[Interval]) -> float:
    """Percentage of intervals, each of another sample, that hold the truth."""
    return 100 * float(np.mean([one.low <= truth <= one.high for one in intervals]))


def drawn(shape: tuple[float, float], persons: int, seed: int = 0) -> np.ndarray:
    """(SAMPLES, persons) shares."""
    return np.random.default_rng(seed).beta(*shape, (SAMPLES, persons))


def drawn_pairs(persons: int, before: tuple[float, float], after: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Two (SAMPLES, persons) shares, of persons before and after, which correlate at about .6 (a Gaussian copula)."""
    normal = np.random.default_rng(0).multivariate_normal((0, 0), ((1, 0.6), (0.6, 1)), (SAMPLES, persons))
    first, second = np.moveaxis(stats.norm.cdf(normal), -1, 0)
    return stats.beta(*before).ppf(first), stats.beta(*after).ppf(second)


@pytest.mark.parametrize("persons", COUNTS)
@pytest.mark.parametrize("shape", SHARES)
def test_means(shape: tuple[float, float], persons: int) -> None:
    held = coverage(stats.beta(*shape).mean(), map(interval_of_mean, drawn(shape, persons)))
    assert BETWEEN[0] <= held <= BETWEEN[1]


@pytest.mark.parametrize("persons", COUNTS)
@pytest.mark.parametrize(("before", "after"), [((2, 3), (2, 3)), ((2, 6), (2, 6)), ((2, 6), (2, 3))])
def test_paired_differences(before: tuple[float, float], after: tuple[float, float], persons: int) -> None:
    first, second = drawn_pairs(persons, before, after)
    truth = stats.beta(*before).mean() - stats.beta(*after).mean()
    held = coverage(truth, map(interval_of_mean, first - second))
    assert BETWEEN[0] <= held <= BETWEEN[1]


@pytest.mark.parametrize(("persons", "others"), [*((count, count) for count in COUNTS), (5, 15), (8, 40)])
@pytest.mark.parametrize(("shape", "other"), [((2, 3), (2, 3)), ((2, 6), (2, 6)), ((2, 6), (2, 3))])
def test_unpaired_differences(
    shape: tuple[float, float], other: tuple[float, float], persons: int, others: int
) -> None:
    truth = stats.beta(*shape).mean() - stats.beta(*other).mean()
    held = coverage(truth, map(interval_of_difference, drawn(shape, persons), drawn(other, others, seed=1)))
    assert BETWEEN[0] <= held <= BETWEEN[1]


@pytest.mark.parametrize(("both", "others"), [(5, 5), (8, 15), (15, 40)])
def test_mixed_designs(both: int, others: int) -> None:
    """Some persons are in both groups, others in one: each of the two comparisons holds the truth as often."""
    held = {Design.PAIRED: 0, Design.UNPAIRED: 0}
    samples = np.full((SAMPLES, 2, both + 2 * others, 1), np.nan)
    samples[:, 0, :both, 0], samples[:, 1, :both, 0] = drawn_pairs(both, (2, 6), (2, 3))
    samples[:, 0, both : both + others, 0] = drawn((2, 6), others)
    samples[:, 1, both + others :, 0] = drawn((2, 3), others, seed=1)
    for cells in samples:
        for one in GroupTable(["a", "b"], ["happiness"], cells).differences(Kind.VIDEO):
            held[one.design] += one.low <= 2 / 8 - 2 / 5 <= one.high
    for design in Design:
        assert BETWEEN[0] <= 100 * held[design] / SAMPLES <= BETWEEN[1]


@pytest.mark.parametrize(("persons", "least"), [(5, 88), (8, 90), (15, 91), (40, 93)])
def test_means_of_very_skewed_shares_are_held_less_often(persons: int, least: float) -> None:
    held = coverage(1 / 7, map(interval_of_mean, drawn((1, 6), persons)))
    assert least <= held <= least + 4


@pytest.mark.parametrize(("persons", "most"), [(5, 88), (8, 91)])
def test_bootstrap_intervals_would_be_too_narrow(persons: int, most: float) -> None:
    """Why they are not used: the BCa bootstrap (Efron 1987) of as few persons."""
    rng = np.random.default_rng(1)
    samples = rng.beta(2, 6, (600, persons))
    ends = [stats.bootstrap((one,), np.mean, n_resamples=999, rng=rng).confidence_interval for one in samples]
    assert 100 * np.mean([low <= 0.25 <= high for low, high in ends]) < most
