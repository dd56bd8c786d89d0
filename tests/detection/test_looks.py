"""The looks at whole frames: every face of the size that is asked for is whole in a tile, and is found once."""

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fer_batch.detection import looks
from fer_batch.detection.looks import Region
from fer_batch.detection.schedule import SEARCH_SQUARES
from fer_batch.types import Box, Detection, Kind

kinds, sides = st.sampled_from(Kind), st.integers(1, 9000)


def face(x: float, y: float, size: float, score: float = 0.9) -> Detection:
    return Detection(Box(x, y, size, size), score)


def test_photos_are_scanned_in_more_detail_than_videos() -> None:
    assert looks.DEFAULT_SIDES[Kind.PHOTOS] >= looks.DEFAULT_SIDES[Kind.VIDEO] > max(side for _, side in SEARCH_SQUARES)


@given(kinds, sides, sides)
def test_by_default_a_frame_is_shrunk_and_searched_once(kind: Kind, width: int, height: int) -> None:
    (look,) = looks.of_frame(kind, width, height, None)
    assert look.side == min(looks.DEFAULT_SIDES[kind], max(width, height))
    assert look.enlargement == 1
    size = ceil(width * look.side / max(width, height)), ceil(height * look.side / max(width, height))
    assert looks.tiles(*size, look) == [Region(0, 0, *size)]


@given(kinds, sides, sides, st.integers(1, 400))
def test_the_last_look_shows_the_smallest_face_large_enough(kind: Kind, width: int, height: int, min_face: int) -> None:
    found = looks.of_frame(kind, width, height, min_face)
    longest, last = max(width, height), found[-1]
    scale = last.side / longest
    assert scale >= min(looks.MAX_ENLARGEMENT, looks.SURE_HEIGHT / min_face) or last.side == looks.DEFAULT_SIDES[kind]
    assert last.side >= min(looks.DEFAULT_SIDES[kind], longest)
    assert [look.side for look in found] == sorted(look.side for look in found)
    assert found[0].side <= looks.LARGEST_SIDE
    for coarser, finer in pairwise(found):
        assert finer.side <= looks.COARSER * coarser.side
    assert looks.smallest_seen(kind, width, height, min_face) == pytest.approx(looks.SEEN_HEIGHT / scale, abs=0.5)
    assert looks.smallest_seen(kind, width, height, 1) <= looks.smallest_seen(kind, width, height, min_face)
    assert looks.smallest_seen(kind, width, height, min_face) <= looks.smallest_seen(kind, width, height, None)


@given(kinds, sides, sides, st.integers(1, 200), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_face_is_whole_in_a_tile_or_seen_in_the_coarser_look(
    kind: Kind, width: int, height: int, min_face: int, x: float, y: float, share: float
) -> None:
    found = looks.of_frame(kind, width, height, min_face)
    assume(len(found) > 1)
    coarser, look = found[-2:]
    shrink = min(1.0, look.side / max(width, height))
    across, down = max(1, round(width * shrink)), max(1, round(height * shrink))
    largest = looks.SURE_HEIGHT * look.side / coarser.side / look.enlargement
    size = min(share * largest, across, down)
    box = Box(x * (across - size), y * (down - size), size, size)
    tiles = looks.tiles(across, down, look)
    for tile in tiles:
        assert tile.width * look.enlargement <= looks.LARGEST_SIDE
        assert tile.height * look.enlargement <= looks.LARGEST_SIDE
        assert tile == tile.within(across, down)
    assert any(tile.holds(box) and not tile.cuts(box, across, down) for tile in tiles)


def test_an_edge_within_the_image_cuts_a_face_and_the_images_own_edge_does_not() -> None:
    tile = Region(100, 0, 100, 100)
    assert not tile.cuts(Box(110, -5, 20, 30), 300, 200)
    assert tile.cuts(Box(95, 10, 20, 30), 300, 200)
    assert tile.cuts(Box(190, 10, 20, 30), 300, 200)
    assert tile.cuts(Box(110, 80, 20, 30), 300, 200)
    assert not Region(200, 100, 100, 100).cuts(Box(290, 180, 20, 30), 300, 200)


def test_of_a_face_that_two_looks_see_the_surer_one_is_taken() -> None:
    coarse, fine = face(100, 100, 20, 0.6), face(101, 101, 20, 0.9)
    assert looks.merge([coarse], [fine], 100) == [fine]
    assert looks.merge([face(100, 100, 20, 0.95)], [fine], 100) == [face(100, 100, 20, 0.95)]


def test_a_confident_face_that_is_large_enough_is_taken_from_the_coarse_look() -> None:
    coarse, fine = face(100, 100, 200, 0.6), face(110, 110, 210, 0.9)
    assert looks.merge([coarse], [fine], 200) == [coarse]
    unsure = face(100, 100, 200, 0.4)
    assert looks.merge([unsure], [fine], 200) == [fine]


def test_a_part_of_a_face_is_no_face_but_a_surer_one_before_it_is() -> None:
    coarse = face(100, 100, 200, 0.8)
    assert looks.merge([coarse], [face(150, 150, 30, 0.7)], 1) == [coarse]
    before = face(150, 150, 30, 0.9)
    assert looks.merge([coarse], [before], 1) == [before, coarse]
    beside = face(290, 290, 30, 0.7)
    assert looks.merge([coarse], [beside], 1) == [coarse, beside]
