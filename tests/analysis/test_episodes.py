"""Episodes: when an expression is there, and when it only flickers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.episodes import Rule, find
from fer_batch.analysis.series import FaceSeries
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Episode

RULE = Rule(Options.episode_enter, Options.episode_leave, Options.episode_shortest)


def face_series(shares: np.ndarray, durations: np.ndarray, starts: np.ndarray | None = None) -> FaceSeries:
    """One face, row after row without a gap unless ``starts`` say otherwise."""
    starts = np.cumsum(durations) - durations if starts is None else starts
    return FaceSeries(2, "Bo", np.arange(len(shares)), starts, durations, shares, shares.argmax(axis=1))


def shown(emotion: str, *shares: float, seconds: float = 0.1, starts: list[float] | None = None) -> FaceSeries:
    """A face with so much of one expression in each row, the rest neutral."""
    rows = np.zeros((len(shares), 7))
    rows[:, EMOTIONS.index(emotion)] = shares
    rows[:, EMOTIONS.index("neutral")] = 1 - np.array(shares)
    return face_series(rows, np.full(len(shares), seconds), None if starts is None else np.array(starts))


def spans(found: list[Episode]) -> list[tuple[str, float, float]]:
    return [(one.emotion, round(one.start, 6), round(one.stop, 6)) for one in found]


@st.composite
def all_series(draw: st.DrawFn) -> FaceSeries:
    """Any face: any shares, long and short rows, gaps."""
    count = draw(st.integers(1, 20))
    row = st.lists(st.integers(0, 10), min_size=7, max_size=7).filter(any)
    shares = np.array([draw(row) for _ in range(count)], dtype=float)
    durations = np.array(draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count)))
    gaps = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 0.2, 2.0]), min_size=count, max_size=count)))
    starts = np.cumsum(durations + gaps) - durations
    return face_series(shares / shares.sum(axis=1, keepdims=True), durations, starts)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    enter = draw(st.sampled_from([0.2, 0.3, 0.5, 0.7, 1.0]))
    return Rule(enter, enter * draw(st.floats(0.1, 1)), draw(st.sampled_from([0.0, 0.1, 0.3, 1.0])))


@given(all_series(), rules())
def test_the_episodes_of_a_face_never_overlap_and_hold_to_their_rule(face: FaceSeries, rule: Rule) -> None:
    found = find(face, "film.mp4", rule)
    for before, after in pairwise(found):
        assert before.stop <= after.start + 1e-9
    for one in found:
        assert one.stop - one.start >= rule.shortest - 1e-6
        inside = (face.starts >= one.start - 1e-9) & (face.ends <= one.stop + 1e-9)
        shares = face.shares[inside, EMOTIONS.index(one.emotion)]
        assert shares[0] >= rule.enter
        assert shares.min() >= rule.leave
        assert one.peak == shares.max()
        assert shares.min() - 1e-9 <= one.mean <= one.peak + 1e-9
        assert one.peak == shares[face.starts[inside] == one.peak_time][0]
        assert one.emotion != "neutral"


@given(all_series(), rules(), st.data())
def test_a_frame_split_in_two_changes_no_episode(face: FaceSeries, rule: Rule, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(face.rows) - 1))
    cut = data.draw(st.floats(0.1, 0.9))
    twice = np.insert(np.arange(len(face.rows)), at, at)
    durations = face.durations[twice]
    durations[at], durations[at + 1] = face.durations[at] * cut, face.durations[at] * (1 - cut)
    starts = face.starts[twice]
    starts[at + 1] += durations[at]
    split = face_series(face.shares[twice], durations, starts)
    before, after = find(face, "film.mp4", rule), find(split, "film.mp4", rule)
    assert spans(after) == spans(before)
    for one, other in zip(before, after, strict=True):
        assert (other.mean, other.peak, other.peak_time) == pytest.approx((one.mean, one.peak, one.peak_time))


def test_an_episode_says_what_there_is_to_say() -> None:
    (one,) = find(shown("anger", 0.1, 0.5, 0.9, 0.4, 0.1), "film.mp4", RULE)
    assert (one.file, one.face_id, one.person, one.emotion) == ("film.mp4", 2, "Bo", "anger")
    assert (one.start, one.stop, one.mean) == pytest.approx((0.1, 0.4, 0.6))
    assert (one.peak, one.peak_time) == (0.9, pytest.approx(0.2))


def test_the_mean_is_over_time() -> None:
    face = shown("anger", 0.9, 0.5)
    (one,) = find(replace(face, durations=np.array([1.0, 9.0]), starts=np.array([0.0, 1.0])), "film.mp4", RULE)
    assert one.mean == pytest.approx(0.54)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.2, 0.5, 0.5, 0.5, 0.2), [(0.1, 0.4)]),
        ((0.2, 0.5, 0.5, 0.2, 0.2), []),  # too short
        ((0.2, 0.49, 0.49, 0.49, 0.49), []),  # never begins
        ((0.5, 0.36, 0.49, 0.36, 0.5), [(0.0, 0.5)]),  # wavers, but is never gone
        ((0.5, 0.5, 0.5, 0.34, 0.5, 0.5, 0.5), [(0.0, 0.3), (0.4, 0.7)]),
        ((0.36, 0.36, 0.36, 0.5, 0.36, 0.36), [(0.3, 0.6)]),  # nothing is taken back
    ],
)
def test_it_begins_high_ends_low_and_lasts(shares: tuple[float, ...], expected: list[tuple[float, float]]) -> None:
    found = find(shown("fear", *shares), "film.mp4", RULE)
    assert spans(found) == [("fear", start, stop) for start, stop in expected]


def test_an_expression_holds_against_neutral_but_not_against_another_one() -> None:
    rows = np.zeros((8, 7))
    happiness, sadness, neutral = (EMOTIONS.index(name) for name in ("happiness", "sadness", "neutral"))
    rows[:4, happiness], rows[:4, neutral] = [0.6, 0.4, 0.4, 0.4], [0.4, 0.6, 0.6, 0.6]
    rows[4:, happiness], rows[4:, sadness] = 0.4, 0.6
    found = find(face_series(rows, np.full(8, 0.1)), "film.mp4", RULE)
    assert spans(found) == [("happiness", 0.0, 0.4), ("sadness", 0.4, 0.8)]


def test_neutral_is_no_episode() -> None:
    assert find(shown("neutral", *[1.0] * 50), "film.mp4", RULE) == []


def test_a_long_gap_ends_an_episode_and_a_shorter_one_than_the_shortest_episode_does_not() -> None:
    starts = [0.0, 0.1, 0.2, 0.5, 0.6, 2.0, 2.1, 2.2]
    found = find(shown("fear", *[0.8] * 8, starts=starts), "film.mp4", RULE)
    assert spans(found) == [("fear", 0.0, 0.7), ("fear", 2.0, 2.3)]
    assert [round(one.mean, 6) for one in found] == [0.8, 0.8]


def test_other_shares_can_be_looked_at() -> None:
    face = shown("fear", *[0.1] * 5)
    (one,) = find(face, "film.mp4", RULE, shares=shown("fear", *[0.7] * 5).shares)
    assert one.peak == 0.7


def test_without_times_there_are_no_episodes() -> None:
    face = shown("fear", *[0.9] * 5)
    assert find(replace(face, starts=np.full(5, np.nan), durations=np.zeros(5)), "film.h264", RULE) == []
