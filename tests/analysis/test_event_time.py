"""event_time: means over persons in the seconds around events, against pandas and scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_batch.analysis.event_time import BEFORE, BIN, EDGES, around, event_time_means
from fer_batch.analysis.series import series_by_face
from fer_batch.emotions import EMOTIONS
from tests.helpers.timelines import make_timeline

HAPPINESS = EMOTIONS.index("happiness")


def a_face(happiness, rate=10, person="", start=0.0):
    """A face whose share of happiness is given for each frame."""
    happiness = np.asarray(happiness, float)
    shares = np.zeros((len(happiness), 7))
    shares[:, HAPPINESS], shares[:, 6] = happiness, 1 - happiness
    timeline = make_timeline(
        shares,
        person=person,
        timestamp=start + np.arange(len(happiness)) / rate,
        duration=np.full(len(happiness), 1 / rate),
        frame=np.arange(len(happiness)),
    )
    (face,) = series_by_face(timeline)
    return face


def test_a_case_is_the_mean_of_its_bins():
    rng = np.random.default_rng(0)
    happiness = rng.uniform(size=300)
    found = around(a_face(happiness), "joke", 10.0, "a.mp4", "")
    times = pd.Series(np.arange(300) / 10 - 10.0)
    bins = np.floor(times / BIN + 1e-9)
    expected = pd.Series(happiness).groupby(bins).mean()
    rows = {one.seconds: one for one in event_time_means([found]) if one.emotion == "happiness"}
    assert sorted(rows) == EDGES[:-1].tolist()
    for seconds, one in rows.items():
        assert one.mean == pytest.approx(expected[round(seconds / BIN)], abs=1e-4)  # timelines have four decimals
        assert (one.over, one.cases, one.low, one.group) == ("videos", 1, None, "")
    before = happiness[(times >= -BEFORE - 1e-9) & (times < -1e-9)].mean()
    assert rows[2.0].change == pytest.approx(rows[2.0].mean - before, abs=1e-4)


def test_persons_count_once_and_have_student_s_interval():
    levels = [0.1, 0.2, 0.25, 0.3, 0.5, 0.6]
    found = []
    for number, level in enumerate(levels):
        face = a_face([level] * 100 + [level + 0.1 + number / 100] * 200, person=f"P{number}")
        times = (10.0,) if number else (10.0, 10.0, 10.0)  # the first one often
        found += [around(face, "joke", start, "a.mp4", "xy"[number % 2]) for start in times]
    rows = list(event_time_means(found, ["y", "x"]))
    assert list(dict.fromkeys(one.group for one in rows)) == ["", "y", "x"]
    one = next(one for one in rows if (one.group, one.seconds, one.emotion) == ("", 3.0, "happiness"))
    values = np.array(levels) + 0.1 + np.arange(6) / 100
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (one.over, one.cases) == ("persons", 6)
    assert (one.mean, one.low, one.high) == pytest.approx((values.mean(), low, high))
    low, high = stats.ttest_1samp(values - levels, 0).confidence_interval()
    assert (one.change, one.change_low, one.change_high) == pytest.approx(((values - levels).mean(), low, high))
    few = next(one for one in rows if (one.group, one.seconds, one.emotion) == ("y", 3.0, "happiness"))
    assert (few.cases, few.low, few.change_low) == (3, None, None)


def test_who_is_away_is_in_no_bin_and_without_a_baseline_there_is_no_change():
    face = a_face([0.5] * 20, start=12.0)  # from 2 to 4 s after the event's start
    found = around(face, "joke", 10.0, "a.mp4", "")
    rows = [one for one in event_time_means([found]) if one.emotion == "happiness"]
    assert [one.seconds for one in rows] == [2.0, 2.5, 3.0, 3.5]
    assert {one.change for one in rows} == {None}
    assert around(face, "joke", 50.0, "a.mp4", "") is None
    assert list(event_time_means([])) == []
