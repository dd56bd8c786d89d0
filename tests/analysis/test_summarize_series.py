"""From rows to numbers about each face: time counts, not rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.analysis.series import series_by_face
from fer_batch.analysis.summary import summarize, summarize_series
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Kind, Source, Summary
from tests.helpers.timelines import make_timeline

HAPPINESS, SADNESS = EMOTIONS.index("happiness"), EMOTIONS.index("sadness")


@dataclass(frozen=True)
class Row:
    """One row of a timeline; without shares a frame without a face."""

    shares: np.ndarray | None
    seconds: float | None = None
    duration: float | None = None
    face_id: int = 0
    quality: float = 1.0
    spurious: bool = False


def only(emotion: int) -> np.ndarray:
    return np.eye(7)[emotion]


def table(rows: Sequence[Row], *, named: bool = True, min_quality: float = 0.0) -> Timeline:
    """A timeline in which face 1 is Anna, if faces are ``named``."""
    shares = np.array([np.full(7, np.nan) if row.shares is None else row.shares for row in rows]).reshape(-1, 7)
    return make_timeline(
        shares,
        person=["Anna" if named and row.face_id == 1 and row.shares is not None else "" for row in rows],
        timestamp=np.array([row.seconds for row in rows], np.float64),
        duration=np.array([row.duration for row in rows], np.float64),
        face_id=[-1 if row.shares is None else row.face_id for row in rows],
        quality=[np.nan if row.shares is None else row.quality for row in rows],
        spurious=[row.spurious for row in rows],
        min_quality=min_quality,
    )


def video(rows: Sequence[Row], episodes: int | None = None, min_quality: float = 0.0) -> list[Summary]:
    faces = series_by_face(table(rows, min_quality=min_quality))
    return [summarize_series(face, "film.mp4", Kind.VIDEO, episodes) for face in faces]


def whole(rows: Sequence[Row], name: str, kind: Kind, min_quality: float = 0.0) -> Sequence[Summary]:
    """The summaries of a source, as a run makes them."""
    source = Source(kind, name, (Path(name),), name)
    timeline = table(rows, named=False, min_quality=min_quality)
    summary, _ = summarize(timeline, source, Options(min_quality=min_quality), Annotations())
    return summary.summaries


@st.composite
def timed_rows(draw: st.DrawFn) -> list[Row]:
    """Frames without gaps, of any length, each with none or one of three faces."""
    rows, seconds = [], draw(st.floats(0, 100))
    for _ in range(draw(st.integers(1, 12))):
        edges = sorted(draw(st.lists(st.integers(0, 10_000), min_size=6, max_size=6)))
        shares = np.diff([0, *edges, 10_000]) / 10_000  # as the table holds them
        duration = draw(st.floats(0.002, 5))  # a face is away if it is not there for more than a millisecond
        face = draw(st.integers(-1, 2))
        rows.append(Row(None if face < 0 else shares, seconds, duration, face))
        seconds += duration
    return rows


def test_a_happy_second_at_30_frames_and_nine_sad_ones_at_1_frame_are_10_and_90_percent() -> None:
    happy = [Row(only(HAPPINESS), number / 30, 1 / 30) for number in range(30)]
    sad = [Row(only(SADNESS), 1.0 + number, 1.0) for number in range(9)]
    (face,) = video(happy + sad)
    assert face.means == pytest.approx(0.1 * only(HAPPINESS) + 0.9 * only(SADNESS))
    assert (face.file, face.kind, face.face_id, face.faces) == ("film.mp4", Kind.VIDEO, 0, 39)
    assert (face.first_seen, face.last_seen, face.seconds_visible) == pytest.approx((0.0, 10.0, 10.0))


@settings(deadline=None)
@given(rows=timed_rows(), data=st.data())
def test_a_frame_split_in_two_changes_nothing_but_the_count_of_rows(rows: list[Row], data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(rows) - 1))
    cut = data.draw(st.floats(0.01, 0.99))
    row = rows[which]
    first = replace(row, duration=row.duration * cut)
    second = replace(row, seconds=row.seconds + first.duration, duration=row.duration - first.duration)
    before, after = video(rows), video([*rows[:which], first, second, *rows[which + 1 :]])
    assert sum(one.faces for one in after) - sum(one.faces for one in before) == (row.shares is not None)
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert new.face_id == old.face_id
        assert new.means == pytest.approx(old.means)
        assert (new.first_seen, new.last_seen) == pytest.approx((old.first_seen, old.last_seen))
        assert new.seconds_visible == pytest.approx(old.seconds_visible)
        assert (new.gaps, new.seconds_missing) == (old.gaps, pytest.approx(old.seconds_missing))
        assert new.strongest == pytest.approx(old.strongest)
        assert new.valence == pytest.approx(old.valence)


@settings(deadline=None)
@given(timed_rows())
def test_each_face_has_one_summary_whose_shares_sum_to_1(rows: list[Row]) -> None:
    summaries = video(rows)
    assert [one.face_id for one in summaries] == sorted({row.face_id for row in rows if row.shares is not None})
    for one in summaries:
        mine = [row for row in rows if row.face_id == one.face_id and row.shares is not None]
        assert one.person == ("Anna" if one.face_id == 1 else "")
        assert one.means.sum() == pytest.approx(1)
        assert one.strongest.sum() == pytest.approx(1)
        assert one.without_neutral is None or one.without_neutral.sum() == pytest.approx(1)
        assert one.seconds_visible + one.seconds_missing == pytest.approx(one.last_seen - one.first_seen, abs=0.02)
        assert one.faces == len(mine)
        assert one.first_seen == mine[0].seconds
        assert one.last_seen == mine[-1].seconds + mine[-1].duration
        assert one.seconds_visible == pytest.approx(sum(row.duration for row in mine))


def mixed(**shares: float) -> np.ndarray:
    return np.array([shares.get(name, 0.0) for name in EMOTIONS])


def test_the_mean_of_a_share_is_not_the_part_of_the_time_in_which_it_is_the_strongest() -> None:
    mild = mixed(neutral=0.6, happiness=0.4)
    wild = mixed(happiness=0.7, sadness=0.2, fear=0.1)
    sad = mixed(sadness=0.5, neutral=0.3, anger=0.2)
    (face,) = video([Row(mild, 0, 6.0), Row(wild, 6, 3.0), Row(sad, 9, 1.0)])
    assert dict(zip(EMOTIONS, face.means, strict=True)) == pytest.approx(
        {"anger": 0.02, "disgust": 0, "fear": 0.03, "happiness": 0.45, "sadness": 0.11, "surprise": 0, "neutral": 0.39}
    )
    assert face.strongest == pytest.approx(mixed(neutral=0.6, happiness=0.3, sadness=0.1))
    assert face.without_neutral == pytest.approx(mixed(happiness=0.75, sadness=0.25)[:6])
    assert face.valence == pytest.approx((6 * 0.4 + 3 * (0.7 - 0.2) + 1 * (0.0 - 0.5)) / 10)


def test_of_a_face_that_is_always_neutral_nothing_is_left_without_neutral() -> None:
    (face,) = video([Row(mixed(neutral=0.9, sadness=0.1), 0, 1.0)])
    assert face.without_neutral is None
    assert face.valence == pytest.approx(-0.1)


def test_what_is_missing_is_counted_and_weighs_nothing() -> None:
    happy, sad = only(HAPPINESS), only(SADNESS)
    rows = [Row(happy, 0, 1.0), Row(None, 1, 7.0), Row(happy, 8, 1.0), Row(sad, 9.0004, 1.0), Row(sad, 12, 1.0)]
    (face,) = video(rows)
    assert (face.gaps, face.seconds_missing) == (2, pytest.approx(7 + 1.9996))
    assert (face.first_seen, face.last_seen, face.seconds_visible) == (0, 13, 4)
    assert face.means == pytest.approx((happy + sad) / 2)


def test_episodes_are_counted_a_minute_of_visible_time() -> None:
    rows = [Row(only(HAPPINESS), 0, 15.0), Row(only(SADNESS), 60, 15.0), Row(only(SADNESS), 60, 30.0, face_id=1)]
    assert [one.episodes_per_minute for one in video(rows, 3)] == pytest.approx([6, 6])
    assert [one.episodes_per_minute for one in video(rows)] == [None, None]
    assert [one.episodes_per_minute for one in video(rows, 0)] == [0, 0]
    assert [one.episodes_per_minute for one in whole(rows, "film.mp4", Kind.VIDEO)] == pytest.approx([4, 2])
    untimed = whole([Row(only(HAPPINESS))], "film.h264", Kind.VIDEO)
    assert [one.episodes_per_minute for one in untimed] == [None]


def test_a_row_whose_duration_is_unknown_weighs_nothing_beside_others() -> None:
    (face,) = video([Row(only(HAPPINESS), 0.0, 1.0), Row(only(SADNESS), 2.0, None)])
    assert face.means.tolist() == only(HAPPINESS).tolist()
    assert (face.faces, face.last_seen, face.seconds_visible) == (2, 2.0, 1.0)


def test_in_a_video_without_times_every_row_weighs_the_same() -> None:
    (face,) = video([Row(only(HAPPINESS)), Row(only(SADNESS)), Row(only(SADNESS)), Row(None), Row(only(SADNESS))])
    assert face.means == pytest.approx(0.25 * only(HAPPINESS) + 0.75 * only(SADNESS))
    assert (face.faces, face.first_seen, face.last_seen, face.seconds_visible) == (4, None, None, None)


def test_a_face_of_a_single_last_frame_without_a_duration_still_has_shares() -> None:
    (face,) = video([Row(only(SADNESS), 2.0, 0.0)])
    assert face.means.tolist() == only(SADNESS).tolist()
    assert (face.first_seen, face.last_seen, face.seconds_visible) == (2.0, 2.0, 0.0)


def test_only_rows_that_count_are_summed_up() -> None:
    good = [Row(only(HAPPINESS), 0.0, 1.0, quality=0.5), Row(only(SADNESS), 4.0, 1.0, quality=0.8)]
    poor = [Row(only(SADNESS), 1.0 + number, 1.0, quality=0.49) for number in range(3)]
    flicker = Row(only(SADNESS), 2.0, 1.0, face_id=1, spurious=True)
    rows = [good[0], *poor, flicker, good[1]]
    (face,) = video(rows, min_quality=0.5)
    assert (face.face_id, face.faces, face.seconds_visible, face.seconds_missing) == (0, 2, 2.0, 3.0)
    assert face.means == pytest.approx(0.5 * only(HAPPINESS) + 0.5 * only(SADNESS))
    (everything,) = video(rows)
    assert everything.faces == 5
    (same,) = whole(rows, "film.mp4", Kind.VIDEO, 0.5)
    assert (same.faces, same.faces_left_out, same.seconds_left_out) == (2, 3, 3.0)
    (same,) = whole(rows, "film.mp4", Kind.VIDEO)
    assert (same.faces, same.faces_left_out, same.seconds_left_out) == (5, 0, 0.0)
    assert video(rows, min_quality=0.9) == whole(rows, "film.mp4", Kind.VIDEO, 0.9) == []
    assert whole(rows, "holiday", Kind.PHOTOS, 0.9) == []
    (folder,) = whole(rows, "holiday", Kind.PHOTOS, 0.8)
    assert folder.faces == 1


def test_photos_are_summed_up_over_all_faces() -> None:
    rows = [Row(only(HAPPINESS), face_id=0), Row(only(SADNESS), face_id=1), Row(None), Row(only(SADNESS), face_id=0)]
    (folder,) = whole(rows, "holiday", Kind.PHOTOS)
    assert folder.means == pytest.approx(only(HAPPINESS) / 3 + 2 * only(SADNESS) / 3)
    assert (folder.file, folder.kind, folder.face_id, folder.faces) == ("holiday", Kind.PHOTOS, None, 3)
    assert (folder.first_seen, folder.last_seen, folder.seconds_visible) == (None, None, None)
    assert (folder.gaps, folder.seconds_missing, folder.episodes_per_minute) == (None, None, None)
    assert folder.strongest == pytest.approx(only(HAPPINESS) / 3 + 2 * only(SADNESS) / 3)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("rows", [[], [Row(None, 0.0, 1.0)], [Row(None), Row(None)]])
def test_where_there_is_no_face_there_is_no_summary(kind: Kind, rows: list[Row]) -> None:
    assert whole(rows, "nobody", kind) == []
