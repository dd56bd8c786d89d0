"""What is made of one source's timeline: in events, beside a baseline, and per person."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.summary import AddedShares, SourceSummary, summarize
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.events import Event, Events
from fer_batch.annotations.load import Annotations
from fer_batch.annotations.user_csv import Line
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Kind, Severity, Source
from tests.helpers.timelines import make_timeline

VIDEO = Source(Kind.VIDEO, "film.mp4", (Path("film.mp4"),), "film.mp4")
FOLDER = Source(Kind.PHOTOS, "holiday", (Path("a.jpg"),), "holiday")
LINE = Line("events.csv", 2, {})

Row = tuple[float, float, int | None, str]
"""Start, duration, face_id and the emotion that the face wholly shows; or no face."""


def table(rows: list[Row], person: str = "", file: str = "film.mp4") -> Timeline:
    starts, durations, face_ids, emotions = zip(*rows, strict=True)
    return make_timeline(
        np.array([[float(emotion == name) if emotion else np.nan for name in EMOTIONS] for emotion in emotions]),
        file,
        ["" if face_id is None else person for face_id in face_ids],
        timestamp=starts,
        duration=durations,
        face_id=[-1 if face_id is None else face_id for face_id in face_ids],
    )


def in_events(rows: list[Row], *spans: tuple[float, float], **options: object) -> SourceSummary:
    return summary_and_shares(rows, *spans, **options)[0]


def summary_and_shares(
    rows: list[Row], *spans: tuple[float, float], **options: object
) -> tuple[SourceSummary, AddedShares]:
    """Of rows of any length: by default no frames are too far apart for episodes."""
    options = {"episode_shortest": 0.0, "episode_gap": 0.0} | options
    events = [Event(LINE, "film.mp4", "task", *span) for span in spans]
    return summarize(table(rows), VIDEO, Options(**options), Annotations(events=Events({"film.mp4": events})))


def test_an_event_cuts_frames_at_its_edges() -> None:
    found = in_events([(0, 4, 0, "happiness"), (4, 4, 0, "sadness"), (8, 2, None, "")], (3, 9))
    (one,) = found.events
    event, face = one.event, one.summary
    assert (event.start, event.stop) == (3, 9)
    assert (face.faces, face.first_seen, face.last_seen, face.seconds_visible) == (2, 3, 8, 5)
    assert face.means[EMOTIONS.index("happiness")] == pytest.approx(0.2)
    assert face.strongest[EMOTIONS.index("sadness")] == pytest.approx(0.8)
    assert face.episodes == 1  # the sad one begins in it, the happy one before


def test_an_event_in_which_nobody_is_seen_is_there_without_a_face() -> None:
    found = in_events([(0, 4, 0, "happiness"), (4, 4, None, "")], (5, 6), (1, 2))
    assert [one.summary and one.summary.face_id for one in found.events] == [None, 0]
    assert found.complaints == []


def test_an_event_beyond_what_was_analysed_is_cut_off_there_and_told() -> None:
    found = in_events([(10, 3, 0, "happiness"), (13, 1, None, "")], (14, 15), (0, 10), (9, 16), (11, 14))
    assert [one.reason for one in found.complaints] == [
        f"events.csv line 2: 'task' is at {span} s of film.mp4, of which 10 to 14 s were analysed, so {what} is summed "
        "up. If that is a mistake, correct start, stop or offset."
        for span, what in (
            ("14 to 15", "nothing of the event"),
            ("0 to 10", "nothing of the event"),
            ("9 to 16", "only this part of the event"),
        )
    ]
    assert {one.severity for one in found.complaints} == {Severity.NOTE}
    assert [one.seconds_sampled for one in found.events] == [0, 0, 4, 3]
    assert [one.summary and one.summary.seconds_visible for one in found.events] == [None, None, 3, 2]


def test_a_video_without_times_has_no_events_and_says_so() -> None:
    found = in_events([(np.nan, np.nan, 0, "happiness")], (0, 1))
    assert "no timestamps" in found.complaints[0].reason
    assert [(one.summary, one.seconds_sampled) for one in found.events] == [(None, None)]
    assert found.summaries[0].faces == 1


@given(
    st.lists(st.tuples(st.floats(0.01, 3), st.sampled_from(["happiness", "sadness", ""])), min_size=1, max_size=9),
    st.data(),
)
def test_a_frame_split_in_two_changes_no_event(frames: list[tuple[float, str]], data: st.DataObject) -> None:
    rows: list[Row] = []
    for duration, emotion in frames:
        start = rows[-1][0] + rows[-1][1] if rows else 0.0
        rows.append((start, duration, 0 if emotion else None, emotion))
    at = data.draw(st.integers(0, len(rows) - 1))
    start, duration, face_id, emotion = rows[at]
    half = duration * data.draw(st.floats(0.1, 0.9))
    split = [
        *rows[:at],
        (start, half, face_id, emotion),
        (start + half, duration - half, face_id, emotion),
        *rows[at + 1 :],
    ]
    low = data.draw(st.floats(0, 5))
    spans = [(low, low + data.draw(st.floats(0.1, 5)))]
    before, after = (in_events(every, *spans).events[0].summary for every in (rows, split))
    visible = [0.0 if one is None else one.seconds_visible for one in (before, after)]
    assert visible[1] == pytest.approx(visible[0], abs=1e-6)  # sums of times are rounded
    if min(visible) > 1e-6:
        assert after.means == pytest.approx(before.means, abs=1e-6)
        assert before.strongest.sum() == pytest.approx(1)


def test_change_is_from_each_faces_own_baseline_and_the_raw_numbers_stay() -> None:
    rows: list[Row] = [(0, 2, 0, "neutral"), (0, 2, 1, "happiness"), (2, 2, 0, "happiness"), (2, 2, 1, "happiness")]
    rows += [(4, 1, 2, "sadness")]
    found, added = summary_and_shares(rows, (2, 4), baseline=(0.0, 2.0))
    happiness, neutral = EMOTIONS.index("happiness"), EMOTIONS.index("neutral")
    first, second, third = found.summaries
    assert first.means[happiness] == pytest.approx(0.5)
    assert (first.changes[happiness], first.changes[neutral]) == pytest.approx((0.5, -0.5))
    assert first.valence_change == pytest.approx(0.5)
    assert second.changes == pytest.approx(np.zeros(7))
    assert (third.changes, third.valence_change) == (None, None)
    changes = [one.summary.changes[happiness] for one in found.events]
    assert changes == pytest.approx([1, 0])
    assert added.changes[:4, happiness] == pytest.approx([0, 0, 1, 0])
    assert np.isnan(added.changes[4]).all()
    assert found.complaints == []
    assert summary_and_shares(rows)[1].changes is None


def test_the_baseline_is_in_the_time_of_the_events() -> None:
    rows: list[Row] = [(0, 2, 0, "neutral"), (2, 2, 0, "happiness")]
    study = Annotations(events=Events({}, {"film.mp4": 10.0}))
    (face,) = summarize(table(rows), VIDEO, Options(baseline=(12.0, 14.0)), study)[0].summaries
    assert face.changes[EMOTIONS.index("neutral")] == pytest.approx(0.5)


def test_a_baseline_outside_of_the_video_is_told_in_both_clocks() -> None:
    study = Annotations(events=Events({}, {"film.mp4": 10.0}))
    found, _ = summarize(table([(0, 2, 0, "neutral")]), VIDEO, Options(baseline=(0.0, 1.0)), study)
    assert "0 to 1 s (-10 to -9 s of this video)" in found.complaints[-1].reason


def test_a_baseline_in_which_nobody_is_seen_is_told() -> None:
    found = in_events([(0, 1, None, ""), (1, 1, 0, "happiness")], baseline=(0.0, 1.0))
    assert "No face is visible in the baseline, 0 to 1 s" in found.complaints[0].reason
    assert found.summaries[0].changes is None
    assert in_events([(0, 1, None, "")], baseline=(0.0, 1.0)).complaints == []


def test_smoothed_shares_decide_on_episodes() -> None:
    rows: list[Row] = [(at / 10, 0.1, 0, "happiness" if at != 5 else "neutral") for at in range(11)]
    assert len(in_events(rows, episode_gap=0.05).episodes) == 2
    (one,) = in_events(rows, smooth=0.5, episode_gap=0.05).episodes
    assert (one.start, one.stop) == pytest.approx((0, 1.1))
    assert summary_and_shares(rows)[1].smoothed is None


def test_persons_in_photos_are_summed_up_by_role_and_group() -> None:
    rows: list[Row] = [(np.nan, np.nan, at, "happiness" if at else "sadness") for at in range(3)]
    unnamed = table(rows, "Anna", "a.jpg")
    timeline = Timeline(unnamed.rows, (*unnamed.texts, "before", "after"))
    timeline.rows["group"] = [timeline.texts.index("before" if at else "after") for at in range(3)]
    found, _ = summarize(timeline, FOLDER, Options(), Annotations())
    assert [(one.person, one.group, one.faces) for one in found.people] == [("Anna", "after", 1), ("Anna", "before", 2)]
    assert found.people[1].means[EMOTIONS.index("happiness")] == 1
    assert found.summaries[0].person == ""


def test_a_video_with_too_few_frames_for_its_episodes_is_told() -> None:
    rows: list[Row] = [(at / 5, 0.2, 0, "happiness") for at in range(9)]
    (note,) = in_events(rows, episode_shortest=0.3, episode_gap=0.3).complaints
    assert note.severity is Severity.NOTE
    assert "Its frames are 0.2 s apart, too far for episodes of 0.3 s" in note.reason
    assert "at least 0.4 s" in note.reason
    assert in_events(rows, episode_shortest=0.4, episode_gap=0.4).complaints == []
