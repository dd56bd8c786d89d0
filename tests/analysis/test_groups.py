"""Groups of persons: a person is one case, and intervals are over persons."""

from collections.abc import Sequence

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

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


def test_groups_are_in_the_order_that_is_given_and_others_behind_by_name() -> None:
    people = [seen(f"{group}{at}", group, 0.5) for group in "cab" for at in range(2)]
    means, differences = compare(people, ["b", "x"])
    assert list(dict.fromkeys(one.group for one in means)) == ["b", "a", "c"]
    assert (differences[0].group, differences[0].other_group) == ("b", "a")


def test_each_person_counts_once_however_long_they_are_seen() -> None:
    people = [seen("a", "x", 0.2, 1000), seen("b", "x", 0.4, 1), seen("b", "x", 0.8, 1, file="b", role="host")]
    (mean,) = of("mean_happiness", compare(people)[0])
    assert (mean.group, mean.persons, mean.mean) == ("x", 2, pytest.approx((0.2 + 0.6) / 2))


def test_the_interval_of_a_mean_is_that_of_statsmodels() -> None:
    values = np.random.default_rng(1).beta(2, 6, 7)
    (mean,) = of("mean_happiness", compare(seen(f"p{at}", "x", value) for at, value in enumerate(values))[0])
    assert (mean.low, mean.high) == pytest.approx(DescrStatsW(values).tconfint_mean())
    assert mean.values == ()


def test_more_videos_of_the_same_persons_do_not_narrow_it() -> None:
    once = [seen(f"p{at}", "x", at / 10) for at in range(10)]
    often = [seen(f"p{at}", "x", at / 10, file=str(video)) for at in range(10) for video in range(20)]
    assert of("mean_happiness", compare(often)[0])[0] == pytest.approx(of("mean_happiness", compare(once)[0])[0])


def test_a_difference_between_different_persons_is_unpaired() -> None:
    rng = np.random.default_rng(2)
    here, there = rng.beta(2, 3, 9), rng.beta(2, 6, 6)
    people = [seen(f"a{at}", "a", value) for at, value in enumerate(here)]
    people += [seen(f"b{at}", "b", value) for at, value in enumerate(there)]
    (one,) = of("mean_happiness", compare(people)[1])
    assert (one.group, one.other_group, one.design, one.persons, one.other_persons) == ("a", "b", "unpaired", 9, 6)
    assert one.difference == pytest.approx(here.mean() - there.mean())
    expected = CompareMeans(DescrStatsW(here), DescrStatsW(there)).tconfint_diff(usevar="unequal")
    assert (one.low, one.high) == pytest.approx(expected)
    size = effectsize_smd(here.mean(), here.std(ddof=1), 9, there.mean(), there.std(ddof=1), 6)[0]
    assert one.hedges_g == pytest.approx(size)


def test_a_difference_within_the_same_persons_is_paired() -> None:
    rng = np.random.default_rng(3)
    before = rng.beta(2, 6, 8)
    after = 0.8 * before + 0.2 * rng.beta(2, 3, 8)
    people = [seen(f"p{at}", "before", value, file="1") for at, value in enumerate(before)]
    people += [seen(f"p{at}", "after", value, file="2") for at, value in enumerate(after)]
    (one,) = of("mean_happiness", compare(people)[1])
    assert (one.group, one.design, one.persons, one.other_persons) == ("after", "paired", 8, 8)
    assert (one.low, one.high) == pytest.approx(DescrStatsW(after - before).tconfint_mean())
    size = effectsize_smd(after.mean(), after.std(ddof=1), 8, before.mean(), before.std(ddof=1), 8)[0]
    assert one.hedges_g == pytest.approx(size)


def test_persons_in_both_groups_are_compared_apart_from_the_others() -> None:
    people = [seen(f"p{at}", group, 0.1 * at + shift) for at in range(6) for group, shift in (("a", 0.2), ("b", 0.0))]
    people += [seen(f"a{at}", "a", 0.05 * at) for at in range(7)] + [seen("b", "b", 0.9)]
    paired, unpaired = of("mean_happiness", compare(people)[1])
    assert (paired.design, paired.persons, paired.other_persons) == ("paired", 6, 6)
    assert paired.difference == pytest.approx(0.2)
    assert (unpaired.design, unpaired.persons, unpaired.other_persons) == ("unpaired", 7, 1)
    assert unpaired.difference == pytest.approx(0.15 - 0.9)


def test_each_person_with_groups_of_their_own_does_not_narrow_an_interval() -> None:
    """Every person is in other groups than everybody else."""
    rng = np.random.default_rng(4)
    places = ["x", "xy", "xz", "xyz", "xw", "xyw", "xzw"]
    people = [seen(f"p{at}", group, rng.beta(2, 6)) for at, groups in enumerate(places) for group in groups]
    (mean,) = [one for one in of("mean_happiness", compare(people)[0]) if one.group == "x"]
    values = [float(one.means[EMOTIONS.index("happiness")]) for one in people if one.group == "x"]
    assert (mean.low, mean.high) == pytest.approx(DescrStatsW(values).tconfint_mean())


def test_below_five_persons_there_are_their_values_and_no_interval() -> None:
    people = [seen(f"p{at}", "x", 0.1 * at) for at in (4, 2, 3, 1)] + [seen(f"q{at}", "y", 0.5) for at in range(5)]
    means, differences = compare(people)
    few, many = of("mean_happiness", means)
    assert (few.persons, few.low, few.high, few.values) == (4, None, None, pytest.approx((0.1, 0.2, 0.3, 0.4)))
    assert many.values == ()
    (one,) = of("mean_happiness", differences)
    assert (one.low, one.high, one.hedges_g) == (None, None, None)
    assert (one.values, one.other_values) == (pytest.approx((0.1, 0.2, 0.3, 0.4)), (0.5,) * 5)


def test_persons_who_are_all_alike_have_no_interval() -> None:
    """Its width would be zero, as if nobody could ever differ."""
    people = [seen(f"{group}{at}", group, 0.3) for at in range(6) for group in "xy"]
    people += [seen(f"p{at}", group, 0.3 + 0.1 * (group == "w")) for at in range(6) for group in "vw"]
    means, differences = compare(people)
    assert {(one.low, one.high) for one in of("mean_happiness", means)} == {(None, None)}
    found = of("mean_happiness", differences)
    assert {(one.low, one.high) for one in found} == {(None, None)}
    assert {one.design for one in found} == {"paired", "unpaired"}


def test_a_group_of_persons_who_are_alike_is_compared_with_one_that_varies() -> None:
    values = np.linspace(0.1, 0.7, 6)
    people = [seen(f"a{at}", "a", 0.3) for at in range(6)] + [seen(f"b{at}", "b", one) for at, one in enumerate(values)]
    (one,) = of("mean_happiness", compare(people)[1])
    expected = CompareMeans(DescrStatsW(np.full(6, 0.3)), DescrStatsW(values)).tconfint_diff(usevar="unequal")
    assert (one.low, one.high) == pytest.approx(expected)


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
