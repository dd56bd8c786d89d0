"""Episodes: when an expression is there, and when it only flickers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.episodes import Rule, find
from fer_batch.analysis.series import TOLERANCE, FaceSeries
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Episode

RULE = Rule(Options.episode_enter, Options.episode_leave, Options.episode_shortest, Options.episode_gap)


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
    times = st.sampled_from([0.0, 0.1, 0.3, 1.0])
    return Rule(enter, enter * draw(st.floats(0.1, 1)), draw(times), draw(times))


@given(all_series(), rules())
def test_the_episodes_of_a_face_never_overlap_and_hold_to_their_rule(face: FaceSeries, rule: Rule) -> None:
    found = find(face, "film.mp4", rule)
    for before, after in pairwise(found):
        assert before.stop <= after.start + 1e-9
    for one in found:
        inside = (face.starts >= one.start - 1e-9) & (face.ends <= one.stop + 1e-9)
        shares = face.shares[inside, EMOTIONS.index(one.emotion)]
        assert face.durations[inside][shares >= rule.leave].sum() >= rule.shortest - TOLERANCE
        assert shares[0] >= rule.enter
        assert shares[-1] >= rule.leave
        assert one.peak == shares.max()
        assert shares.min() - 1e-9 <= one.mean <= one.peak + 1e-9
        assert one.peak == shares[face.starts[inside] == one.peak_time][0]
        assert one.emotion != "neutral"
        shown = np.flatnonzero(shares >= rule.leave)
        apart = face.starts[inside][shown[1:]] - face.ends[inside][shown[:-1]]
        assert apart.max(initial=0) <= rule.gap + TOLERANCE


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
        ((0.5, 0.5, 0.5, 0.34, 0.5, 0.5, 0.5), [(0.0, 0.7)]),  # interrupted for .1 s
        ((0.5, 0.5, 0.5, *[0.3] * 3, 0.5, 0.5, 0.5), [(0.0, 0.9)]),  # for .3 s
        ((*[0.5] * 5, *[0.3] * 4, *[0.5] * 5), [(0.0, 0.5), (0.9, 1.4)]),  # for .4 s
        ((0.5, 0.3, 0.5, 0.3, 0.5), [(0.0, 0.5)]),  # is shown for .3 s, not for all .5 s
        ((0.5, 0.3, 0.3, 0.5, 0.3, 0.3, 0.5, 0.3, 0.3, 0.5), []),  # flickers
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


def test_only_an_absence_longer_than_the_gap_ends_an_episode_whatever_the_shortest_episode() -> None:
    starts = [0.0, 0.1, 0.2, 0.5, 0.6, 2.0, 2.1, 2.2]
    for shortest in (0.0, 0.1, 0.3):
        found = find(shown("fear", *[0.8] * 8, starts=starts), "film.mp4", replace(RULE, shortest=shortest))
        assert spans(found) == [("fear", 0.0, 0.7), ("fear", 2.0, 2.3)]
        assert [round(one.mean, 6) for one in found] == [0.8, 0.8]
    (one,) = find(shown("fear", *[0.8] * 8, starts=starts), "film.mp4", replace(RULE, gap=1.5))
    assert (one.start, one.stop) == (0.0, pytest.approx(2.3))


def test_a_frame_of_another_expression_does_not_split_an_episode() -> None:
    """Also where the first one is then below the share with which it would begin."""
    for after in (0.6, 0.4):
        rows = np.zeros((60, 7))
        happiness, sadness, neutral = (EMOTIONS.index(name) for name in ("happiness", "sadness", "neutral"))
        rows[:30, happiness], rows[30:, happiness], rows[30, happiness] = 0.6, after, 0.2
        rows[30, sadness] = 0.6
        rows[:, neutral] = 1 - rows.sum(axis=1)
        found = find(face_series(rows, np.full(60, 1 / 30)), "film.mp4", RULE)
        assert spans(found) == [("happiness", 0.0, 2.0)]


@pytest.mark.parametrize("offset", range(10))
@pytest.mark.parametrize("decimals", [3, 6])
def test_nine_frames_of_thirty_a_second_are_three_tenths_wherever_they_are(offset: int, decimals: int) -> None:
    """Containers round times to milliseconds, tables to microseconds."""
    edges = (np.arange(60) / 30 + offset / 30).round(decimals)
    shares = np.full(59, 0.1)
    shares[10:19] = 0.7
    rows = np.zeros((59, 7))
    rows[:, EMOTIONS.index("fear")], rows[:, EMOTIONS.index("neutral")] = shares, 1 - shares
    assert len(find(face_series(rows, np.diff(edges), edges[:-1]), "film.mp4", RULE)) == 1
    rows = np.zeros((59, 7))
    rows[:, EMOTIONS.index("fear")], rows[:, EMOTIONS.index("neutral")] = 0.8 - shares, 0.2 + shares
    assert len(find(face_series(rows, np.diff(edges), edges[:-1]), "film.mp4", RULE)) == 1


@st.composite
def films(draw: st.DrawFn) -> np.ndarray:
    """(frames, 7) shares of a face at 60 frames a second: expressions that last, and flickers of up to .1 s in them.

    What lasts is at least two frames of 15 a second longer than the shortest episode and the longest interruption.
    """
    parts = draw(st.lists(st.tuples(st.sampled_from([0, 3, 4, 6]), st.integers(27, 120)), min_size=1, max_size=8))
    leading = np.concatenate([np.full(length, emotion) for emotion, length in parts])
    flickers = leading.copy()
    for at in draw(st.lists(st.integers(0, len(leading) - 1), max_size=6)):
        stop = at + draw(st.integers(1, 6))
        around = flickers[max(at - 30, 0) : stop + 30]
        if len(around) == stop - at + 60 and (around == leading[at]).all():
            flickers[at:stop] = draw(st.sampled_from([1, 2, 5, 6]))
    shares = np.full((len(leading), 7), 0.05)
    shares[np.arange(len(leading)), flickers] = 0.7
    return shares


@given(films())
def test_the_same_video_has_the_same_episodes_at_any_rate(film: np.ndarray) -> None:
    """Every frame, every second one and every fourth one, as --fps picks them."""
    found = {}
    for every in (1, 2, 4):
        starts = np.arange(0, len(film), every) / 60
        durations = np.diff(starts, append=len(film) / 60)
        found[every] = find(face_series(film[::every], durations, starts), "film.mp4", RULE)
    for every in (2, 4):
        assert [one.emotion for one in found[every]] == [one.emotion for one in found[1]]
        for one, other in zip(found[1], found[every], strict=True):
            assert one.start == pytest.approx(other.start, abs=every / 60)
            assert one.stop == pytest.approx(other.stop, abs=every / 60)


def test_a_rate_may_be_too_low_for_a_rule() -> None:
    assert RULE.resolved_by(shown("fear", *[0.1] * 5, seconds=0.15))
    assert not RULE.resolved_by(shown("fear", *[0.1] * 5, seconds=0.2))
    assert replace(RULE, shortest=0.0, gap=0.0).resolved_by(shown("fear", *[0.1] * 5, seconds=2.0))
    assert not replace(RULE, shortest=0.0).resolved_by(shown("fear", *[0.1] * 5, seconds=0.2))


def test_other_shares_can_be_looked_at() -> None:
    face = shown("fear", *[0.1] * 5)
    (one,) = find(face, "film.mp4", RULE, shares=shown("fear", *[0.7] * 5).shares)
    assert one.peak == 0.7


def test_without_times_there_are_no_episodes() -> None:
    face = shown("fear", *[0.9] * 5)
    assert find(replace(face, starts=np.full(5, np.nan), durations=np.zeros(5)), "film.h264", RULE) == []
