"""From a box to the crop: the square, the image's edges, the grey levels."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.detection.crop import CROP_SIDE, crop_square, cut, resample
from fer_batch.media.frame import Luma
from fer_batch.types import Box

NOISE = np.random.default_rng(0).integers(0, 256, (48, 60), np.uint8)
"""An image in which no two places look alike."""

PAD = 400
"""Even, so that a half rounds the same way before and after the shift."""


def quarters(low: int, high: int) -> st.SearchStrategy[float]:
    """Numbers that floats hold exactly, also when PAD is added to them."""
    return st.integers(4 * low, 4 * high).map(lambda number: number / 4)


boxes = st.builds(Box, quarters(-160, 180), quarters(-160, 180), quarters(0, 130), quarters(0, 130))
"""Small and large, within the image, across each edge, and wholly outside."""

LIMITED = [(16, 235, 0), (64, 940, 2), (64 << 6, 940 << 6, 8)]
"""Black, white, and how far levels of 8 bits are shifted: 8 bits, 10 bits, and 10 bits at the top of 16 (P010)."""


@settings(deadline=None)
@given(boxes)
def test_the_square_keeps_the_boxs_centre_and_is_108_hundredths_of_its_height(box: Box) -> None:
    left, top, side = crop_square(box)
    assert side >= 1
    assert abs(side - max(1, 1.08 * box.height)) <= 0.5
    assert abs(left + side / 2 - (box.x + box.width / 2)) <= 0.5
    assert abs(top + side / 2 - (box.y + box.height / 2)) <= 0.5


@settings(deadline=None)
@given(boxes)
def test_past_every_edge_the_border_is_repeated_as_if_the_image_had_been_padded(box: Box) -> None:
    padded = np.pad(NOISE, PAD, mode="edge")
    moved = Box(box.x + PAD, box.y + PAD, box.width, box.height)
    np.testing.assert_array_equal(cut(Luma(NOISE), box), cut(Luma(padded), moved))


@settings(deadline=None)
@given(boxes)
def test_inside_the_image_a_face_is_the_square_resized(box: Box) -> None:
    image = np.pad(NOISE, PAD, mode="reflect")
    left, top, side = crop_square(Box(box.x + PAD, box.y + PAD, box.width, box.height))
    patch = image[top : top + side, left : left + side]
    expected = cv2.resize(patch.copy(), (48, 48), interpolation=cv2.INTER_AREA if side > 48 else cv2.INTER_LINEAR)
    face = cut(Luma(image), Box(box.x + PAD, box.y + PAD, box.width, box.height))
    np.testing.assert_array_equal(face, expected)


@settings(deadline=None)
@given(
    box=boxes,
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    range_=st.sampled_from([(0, 255, np.uint8), (16, 235, np.uint8), (64, 940, np.uint16), (0, 1023, np.uint16)]),
)
def test_a_face_is_always_48_by_48_of_8_bits(box: Box, size: tuple[int, int], range_: tuple[int, int, type]) -> None:
    black, white, levels = range_
    face = cut(Luma(np.full(size, white, levels), black, white), box)
    assert face.dtype == np.uint8
    np.testing.assert_array_equal(face, np.full((48, 48), 255))


def test_a_box_far_larger_than_the_image_is_cut() -> None:
    face = cut(Luma(NOISE), Box(-1000, -1000, 2000, 2000))
    assert face.shape == (48, 48)
    np.testing.assert_array_equal(face[[0, 0, -1, -1], [0, -1, 0, -1]], NOISE[[0, 0, -1, -1], [0, -1, 0, -1]])


@pytest.mark.parametrize(("black", "white", "shift"), LIMITED)
def test_limited_range_is_stretched_to_full_range_and_clipped(black: int, white: int, shift: int) -> None:
    for level in range(256):
        plane = np.full((60, 60), level << shift, np.uint8 if shift == 0 else np.uint16)
        face = cut(Luma(plane, black, white), Box(10, 10, 30, 30))
        assert np.unique(face).tolist() == [min(255, max(0, round((level - 16) * 255 / 219)))]


@pytest.mark.parametrize(("black", "white", "shift"), LIMITED[1:])
@settings(deadline=None)
@given(box=boxes)
def test_planes_of_8_and_10_bits_of_one_image_give_the_same_face(black: int, white: int, shift: int, box: Box) -> None:
    plane = np.clip(NOISE, 16, 235)
    eight = cut(Luma(plane, 16, 235), box)
    ten = cut(Luma(plane.astype(np.uint16) << shift, black, white), box)
    assert np.abs(eight.astype(int) - ten).max() <= 1


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("across", [1, -1])
@settings(deadline=None, max_examples=25)
@given(box=boxes)
def test_turned_and_mirrored_views_are_cut_like_copies(swap: bool, down: int, across: int, box: Box) -> None:
    view = (NOISE.T if swap else NOISE)[::down, ::across]
    np.testing.assert_array_equal(cut(Luma(view), box), cut(Luma(np.ascontiguousarray(view)), box))


@pytest.mark.parametrize("levels", [np.uint8, np.uint16])
def test_an_image_of_the_models_size_stays_as_it_is(levels: type) -> None:
    image = NOISE[:, :48].astype(levels)
    assert resample(image).dtype == levels
    np.testing.assert_array_equal(resample(image), image)


def test_a_face_outlives_the_decoders_memory() -> None:
    plane = NOISE[:, :48].copy()
    face = cut(Luma(plane), Box(0, 0, CROP_SIDE, CROP_SIDE / 1.08))
    kept = face.copy()
    plane[:] = 0
    np.testing.assert_array_equal(face, kept)
