"""The overview of the first page: rows of persons, and room for many of them."""

from dataclasses import replace

import numpy as np
import pytest

from fer_batch.report.pages import overview
from fer_batch.report.pages.overview import MOST_ROWS, OverviewRow, Segment, _stripe, joined, with_room
from fer_batch.types import Kind


def a_row(label, file="a.mp4", visible=10.0, group="", bins=None):
    bins = np.full((10, 7), 1 / 7) if bins is None else bins
    shares = tuple(np.nanmean(bins, axis=0).tolist())
    segment = Segment(
        file, f"pages/{file}.html", 0, (0.0, 10.0), "seconds", visible, shares, bins, _stripe(bins, ()), None
    )
    return OverviewRow(Kind.VIDEO, label, True, "", group, (segment,))


def test_a_person_has_one_row_in_each_group_in_the_order_of_groups_and_names():
    rows = [a_row("P10", group="x"), a_row("P9", group="x"), a_row("P9", "b.mp4", group="x"), a_row("P1", group="y")]
    track = replace(a_row("Face 0"), person=False)
    found = joined([track, *rows, a_row("Host")], ["y", "x"])
    assert [(row.label, len(row.segments)) for row in found] == [
        ("P1", 1),
        ("P9", 2),
        ("P10", 1),
        ("Host", 1),
        ("Face 0", 1),
    ]


def test_a_row_of_several_videos_weighs_them_by_the_time_visible():
    one = a_row("P", bins=np.tile(np.eye(7)[0], (10, 1)), visible=30.0)
    other = a_row("P", "b.mp4", bins=np.tile(np.eye(7)[1], (10, 1)), visible=10.0)
    (row,) = joined([one, other], [])
    assert row.shares == pytest.approx((0.75, 0.25, 0, 0, 0, 0, 0))
    assert (row.visible, row.lead, row.lead_share) == (40.0, "anger", 0.75)


def test_only_rows_of_whom_most_is_seen_have_room(monkeypatch):
    monkeypatch.setattr(overview, "MOST_ROWS", 3)
    rows = [a_row(f"P{at}", visible=visible) for at, visible in enumerate([5, 1, 9, 2, 7])]
    assert [row.label for row in with_room(rows)] == ["P0", "P2", "P4"]
    monkeypatch.setattr(overview, "MOST_SEGMENTS", 2)
    assert [row.label for row in with_room(rows)] == ["P2", "P4"]


def test_as_many_rows_as_there_is_room_for_are_small():
    rng = np.random.default_rng(0)
    stripe = _stripe(rng.dirichlet(np.ones(7), overview.BINS), ())
    assert MOST_ROWS * sum(len(path) for path in (stripe.ground, *(path for _, path in stripe.layers))) < 2_000_000
