"""Rows that belong together: what counts, where gaps are, and how a stretch is cut out."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.series import FaceSeries, left_out_of, series_by_face, series_of_all
from fer_batch.types import Kind, LeftOut, Reason
from tests.helpers.timelines import make_timeline


def face_series(starts: list[float], durations: list[float]) -> FaceSeries:
    count = len(starts)
    shares = np.tile(np.eye(7)[3], (count, 1))
    columns = (np.array(starts, dtype=float), np.array(durations, dtype=float), shares, np.full(count, 3))
    return FaceSeries(0, "Bo", np.arange(count), *columns)


rows = st.lists(st.tuples(st.floats(0.01, 3), st.sampled_from([0, 0, 0.5])), min_size=1, max_size=10)


@given(rows, st.lists(st.floats(0, 40), min_size=1, max_size=5))
def test_what_a_video_is_cut_into_is_all_there_is(rows: list[tuple[float, float]], cuts: list[float]) -> None:
    durations = np.array([duration for duration, _ in rows])
    starts = np.cumsum(durations + [gap for _, gap in rows]) - durations
    face = face_series(starts.tolist(), durations.tolist())
    edges = [-1.0, *sorted(cuts), 100.0]
    parts = [face.between(low, high) for low, high in pairwise(edges)]
    assert sum(part.durations.sum() for part in parts if part) == pytest.approx(durations.sum())
    for part, (low, high) in zip(parts, pairwise(edges), strict=True):
        if part is not None:
            assert part.starts.min() >= low
            assert part.ends.max() <= high + 1e-9
            assert (part.face_id, part.person) == (0, "Bo")


def test_a_row_without_a_duration_is_in_the_stretch_in_which_it_begins() -> None:
    face = face_series([0.0, 1.0], [1.0, 0.0])
    assert face.between(1.0, 2.0).rows.tolist() == [1]
    assert face.between(0.0, 1.0).rows.tolist() == [0]
    assert face.between(1.5, 2.0) is None


def test_without_times_there_is_no_stretch() -> None:
    assert face_series([np.nan], [0.0]).between(0, 1) is None


def test_what_is_rounded_is_no_gap() -> None:
    assert face_series([0, 0.0334, 0.0667, 0.2], [0.033, 0.033, 0.033, 0.1]).gaps == pytest.approx([0, 0, 0.1003])


def test_rows_that_do_not_count_are_in_no_series() -> None:
    columns = {
        "timestamp": [0, 0, 1, 1, 2],
        "duration": 1,
        "face_id": [1, 0, 1, 0, -1],
        "person": ["Bo", "", "Bo", "", ""],
        "spurious": [False, False, True, False, False],
        "quality": [0.9, 0.9, 0.9, 0.1, np.nan],
    }
    table = make_timeline(np.zeros((5, 7)), min_quality=0.5, **columns)
    found = series_by_face(table)
    assert [(one.face_id, one.person, one.rows.tolist()) for one in found] == [(0, "", [1]), (1, "Bo", [0])]
    assert left_out_of(table, Kind.VIDEO) == [
        LeftOut(Reason.SPURIOUS, 1, 1.0, 0),
        LeftOut(Reason.QUALITY, 1, 1.0, 0),
    ]
    assert [one.tracks for one in left_out_of(table[1:], Kind.VIDEO)] == [1, 0]
    assert [one.tracks for one in left_out_of(table, Kind.PHOTOS)] == [None, None]
    table = make_timeline(np.zeros((5, 7)), **columns)
    assert [one.rows.tolist() for one in series_by_face(table)] == [[1, 3], [0]]
    assert series_of_all(table).rows.tolist() == [0, 1, 3]
    assert series_of_all(table[4:]) is None
    assert series_by_face(table[4:]) == []
