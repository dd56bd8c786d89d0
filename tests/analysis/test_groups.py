"""Groups of persons: a person is one case, and intervals are over persons."""

from collections.abc import Sequence

import numpy as np
import pytest

from fer_batch.analysis.groups import Difference, GroupMean, compare
from fer_batch.emotions import EMOTIONS
from fer_batch.types import Kind, Summary


def seen(person: str, group: str, happiness: float, seconds: float = 10.0, file: str = "a", role: str = "") -> Summary:
    shares = np.zeros(7)
    shares[EMOTIONS.index("happiness")], shares[EMOTIONS.index("neutral")] = happiness, 1 - happiness
    place = (file, Kind.VIDEO, 0, person, 10, 0.0, seconds, seconds, 0, 0.0)
    return Summary(*place, shares, shares, happiness, 2, role, group)


def of(measure: str, found: Sequence[GroupMean | Difference]) -> list[GroupMean | Difference]:
    return [one for one in found if one.measure == measure]


def test_each_person_counts_once_however_long_they_are_seen() -> None:
    people = [seen("a", "x", 0.2, 1000), seen("b", "x", 0.4, 1), seen("b", "x", 0.8, 1, file="b", role="host")]
    (mean,) = of("mean_happiness", compare(people)[0])
    assert (mean.group, mean.persons, mean.mean) == ("x", 2, pytest.approx((0.2 + 0.6) / 2))


def test_the_interval_is_that_of_a_mean_over_persons_and_narrows_with_their_number() -> None:
    rng = np.random.default_rng(1)
    for count in (20, 200):
        values = rng.uniform(0, 1, count)
        (mean,) = of("mean_happiness", compare(seen(f"p{at}", "x", value) for at, value in enumerate(values))[0])
        half = 1.96 * values.std(ddof=1) / count**0.5
        assert (mean.high - mean.low) / 2 == pytest.approx(half, rel=0.15)
        assert mean.low < values.mean() < mean.high


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(60):
        people = [seen(f"p{at}", "x", value) for at, value in enumerate(rng.beta(2, 3, 40))]
        (mean,) = of("derived_valence", compare(people)[0])
        hits += mean.low <= 0.4 <= mean.high
    assert 51 <= hits <= 60


def test_more_videos_of_the_same_persons_do_not_narrow_it() -> None:
    once = [seen(f"p{at}", "x", at / 10) for at in range(10)]
    often = [seen(f"p{at}", "x", at / 10, file=str(video)) for at in range(10) for video in range(20)]
    assert of("mean_happiness", compare(often)[0])[0] == pytest.approx(of("mean_happiness", compare(once)[0])[0])


def test_a_difference_between_two_groups_of_different_persons() -> None:
    people = [seen(f"a{at}", "a", 0.5 + 0.01 * at) for at in range(10)] + [seen(f"b{at}", "b", 0.2) for at in range(5)]
    (one,) = of("mean_happiness", compare(people)[1])
    assert (one.group, one.other_group, one.persons, one.other_persons, one.persons_in_both) == ("a", "b", 10, 5, 0)
    assert one.difference == pytest.approx(0.345)
    assert 0.3 < one.low < one.difference < one.high < 0.4


def test_a_difference_within_the_same_persons_is_paired() -> None:
    levels = np.linspace(0, 0.8, 12)
    people = [seen(f"p{at}", "before", level, file="1") for at, level in enumerate(levels)]
    people += [seen(f"p{at}", "after", level + 0.1, file="2") for at, level in enumerate(levels)]
    (one,) = of("mean_happiness", compare(people)[1])
    assert (one.group, one.persons_in_both, one.difference) == ("after", 12, pytest.approx(0.1))
    assert one.high - one.low < 1e-9  # each of them has changed by the same


def test_one_person_has_a_mean_and_no_interval() -> None:
    means, differences = compare([seen("a", "x", 0.5), seen("b", "y", 0.25)])
    assert [(one.persons, one.low, one.high) for one in of("mean_happiness", means)] == [(1, None, None)] * 2
    assert [(one.difference, one.low) for one in of("mean_happiness", differences)] == [(0.25, None)]


def test_who_has_no_group_or_no_name_is_left_out_and_the_same_people_give_the_same_numbers() -> None:
    people = [seen("a", "x", 0.5), seen("c", "x", 0.1), seen("b", "", 0.9), seen("", "x", 0.9)]
    means, differences = compare(people)
    assert {one.persons for one in means} == {2}
    assert differences == []
    assert compare(people) == (means, differences)
    assert compare([seen("a", "", 0.5)]) == ([], [])


def test_measures_that_nobody_has_are_left_out() -> None:
    means, _ = compare([seen("a", "x", 0.5)])
    measures = {one.measure for one in means}
    assert {"mean_anger", "strongest_neutral", "derived_valence", "episodes_per_minute"} <= measures
    assert not [one for one in measures if "change" in one]
