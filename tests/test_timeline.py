"""From rows to numbers about each face: time counts, not rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.emotions import EMOTIONS
from fer_batch.timeline import summarise
from fer_batch.types import Kind, Summary

HAPPINESS, SADNESS = EMOTIONS.index("happiness"), EMOTIONS.index("sadness")


@dataclass(frozen=True)
class Row:
    """One row of a timeline; without shares a frame without a face."""

    shares: np.ndarray | None
    seconds: float | None = None
    duration: float | None = None
    face_id: int = 0


def only(emotion: int) -> np.ndarray:
    return np.eye(7)[emotion]


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """A timeline with the types that read_timeline gives."""
    shares = np.array([np.full(7, np.nan) if row.shares is None else row.shares for row in rows]).reshape(-1, 7)
    return pd.DataFrame(
        {
            "timestamp": pd.Series([row.seconds for row in rows], dtype="float64"),
            "duration": pd.Series([row.duration for row in rows], dtype="float64"),
            "face_id": pd.Series([None if row.shares is None else row.face_id for row in rows], dtype="Int64"),
            "success": pd.Series([row.shares is not None for row in rows], dtype="bool"),
            **{name: shares[:, at] for at, name in enumerate(EMOTIONS)},
        }
    )


def film(rows: Sequence[Row]) -> list[Summary]:
    return summarise(table(rows), "film.mp4", Kind.VIDEO)


@st.composite
def timed_rows(draw: st.DrawFn) -> list[Row]:
    """Frames without gaps, of any length, each with none or one of three faces."""
    rows, seconds = [], draw(st.floats(0, 100))
    for _ in range(draw(st.integers(1, 12))):
        weights = np.array(draw(st.lists(st.floats(0, 1), min_size=7, max_size=7))) + 1e-6
        duration = draw(st.floats(0.001, 5))
        face = draw(st.integers(-1, 2))
        rows.append(Row(None if face < 0 else weights / weights.sum(), seconds, duration, face))
        seconds += duration
    return rows


def test_a_happy_second_at_30_frames_and_nine_sad_ones_at_1_frame_are_10_and_90_percent() -> None:
    happy = [Row(only(HAPPINESS), number / 30, 1 / 30) for number in range(30)]
    sad = [Row(only(SADNESS), 1.0 + number, 1.0) for number in range(9)]
    (face,) = film(happy + sad)
    assert face.shares == pytest.approx(0.1 * only(HAPPINESS) + 0.9 * only(SADNESS))
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
    before, after = film(rows), film([*rows[:which], first, second, *rows[which + 1 :]])
    assert sum(one.faces for one in after) - sum(one.faces for one in before) == (row.shares is not None)
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert new.face_id == old.face_id
        assert new.shares == pytest.approx(old.shares)
        assert (new.first_seen, new.last_seen) == pytest.approx((old.first_seen, old.last_seen))
        assert new.seconds_visible == pytest.approx(old.seconds_visible)


@settings(deadline=None)
@given(timed_rows())
def test_each_face_has_one_summary_whose_shares_sum_to_1(rows: list[Row]) -> None:
    summaries = film(rows)
    assert [one.face_id for one in summaries] == sorted({row.face_id for row in rows if row.shares is not None})
    for one in summaries:
        mine = [row for row in rows if row.face_id == one.face_id and row.shares is not None]
        assert one.shares.sum() == pytest.approx(1)
        assert one.faces == len(mine)
        assert one.first_seen == mine[0].seconds
        assert one.last_seen == mine[-1].seconds + mine[-1].duration
        assert one.seconds_visible == pytest.approx(sum(row.duration for row in mine))


def test_a_row_whose_duration_is_unknown_weighs_nothing_beside_others() -> None:
    (face,) = film([Row(only(HAPPINESS), 0.0, 1.0), Row(only(SADNESS), 2.0, None)])
    assert face.shares.tolist() == only(HAPPINESS).tolist()
    assert (face.faces, face.last_seen, face.seconds_visible) == (2, 2.0, 1.0)


def test_in_a_film_without_times_every_row_weighs_the_same() -> None:
    (face,) = film([Row(only(HAPPINESS)), Row(only(SADNESS)), Row(only(SADNESS)), Row(None), Row(only(SADNESS))])
    assert face.shares == pytest.approx(0.25 * only(HAPPINESS) + 0.75 * only(SADNESS))
    assert (face.faces, face.first_seen, face.last_seen, face.seconds_visible) == (4, None, None, None)


def test_a_face_of_a_single_last_frame_without_a_duration_still_has_shares() -> None:
    (face,) = film([Row(only(SADNESS), 2.0, 0.0)])
    assert face.shares.tolist() == only(SADNESS).tolist()
    assert (face.first_seen, face.last_seen, face.seconds_visible) == (2.0, 2.0, 0.0)


def test_photographs_are_summed_up_over_all_faces() -> None:
    rows = [Row(only(HAPPINESS), face_id=0), Row(only(SADNESS), face_id=1), Row(None), Row(only(SADNESS), face_id=0)]
    (folder,) = summarise(table(rows), "holiday", Kind.PHOTOS)
    assert folder.shares == pytest.approx(only(HAPPINESS) / 3 + 2 * only(SADNESS) / 3)
    assert (folder.file, folder.kind, folder.face_id, folder.faces) == ("holiday", Kind.PHOTOS, None, 3)
    assert (folder.first_seen, folder.last_seen, folder.seconds_visible) == (None, None, None)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("rows", [[], [Row(None, 0.0, 1.0)], [Row(None), Row(None)]])
def test_where_there_is_no_face_there_is_no_summary(kind: Kind, rows: list[Row]) -> None:
    assert summarise(table(rows), "nobody", kind) == []
