"""Drawing on planes: where, in which colour, and nothing beside it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.drawing.canvas import DRAWABLE, Canvas
from fer_batch.media.video.frame import QUARTER_TURNS, VideoImage
from fer_batch.options import WAYS
from fer_batch.types import Box

ORANGE = (0.9, 0.6, 0.0)


def frame_of(pixel_format: str, level: int = 90) -> av.VideoFrame:
    grey = np.full((96, 128, 3), level, np.uint8)
    return av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=pixel_format)


def canvas_of(frame: av.VideoFrame, turn: int = 0, aspect: Fraction = Fraction(1)) -> Canvas:
    return Canvas.of_frame(VideoImage(frame, QUARTER_TURNS[turn], av.video.reformatter.VideoReformatter(), aspect))


@pytest.mark.parametrize("pixel_format", DRAWABLE)
def test_a_colour_is_what_ffmpeg_takes_it_for(pixel_format: str) -> None:
    frame = frame_of(pixel_format)
    canvas_of(frame).fill(Box(0, 0, 64, 96), ORANGE)
    pixels = frame.to_ndarray(format="rgb24").astype(int)
    assert abs(pixels[40, 20] - 255 * np.array(ORANGE)).max() < 8
    assert abs(pixels[40, 100] - 90).max() < 3


@given(turn=st.integers(0, 3), x=st.integers(-10, 90), y=st.integers(-10, 90), side=st.integers(4, 40))
def test_a_rectangle_is_where_it_is_in_the_upright_picture(turn: int, x: int, y: int, side: int) -> None:
    frame = frame_of("yuv444p")
    canvas = canvas_of(frame, turn)
    canvas.fill(Box(x, y, side, side), ORANGE)
    upright = QUARTER_TURNS[turn].upright(frame.to_ndarray(format="rgb24"))
    assert upright.shape[:2] == (canvas.height, canvas.width)
    expected = np.zeros(upright.shape[:2], bool)
    expected[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)] = True
    assert ((upright[:, :, 2] < 60) == expected).all()


def test_pixels_that_are_not_square_are_taken_as_they_are_shown() -> None:
    frame = frame_of("yuv420p")
    canvas = canvas_of(frame, aspect=Fraction(2))
    assert (canvas.width, canvas.height) == (256, 96)
    canvas.fill(Box(128, 0, 128, 96), ORANGE)
    blue = frame.to_ndarray(format="rgb24")[40, :, 2].astype(int)
    assert (blue[:62] > 80).all()
    assert (blue[66:] < 60).all()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_hidden_cannot_be_told_from_the_picture(way: str, astronaut: Path) -> None:
    from PIL import Image

    pixels = np.array(Image.open(astronaut).convert("RGB"))
    before = pixels.copy()
    box = Box(150, 40, 130, 170)
    Canvas.of_photo(pixels).hide(box, way)
    inside = (slice(40, 210), slice(150, 280))
    fine, was = (np.abs(np.diff(image[inside].astype(int), axis=1)).mean() for image in (pixels, before))
    assert fine < was / 3
    outside = np.ones(pixels.shape[:2], bool)
    outside[inside] = False
    assert np.array_equal(pixels[outside], before[outside])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "box", [Box(-50, -50, 10, 10), Box(127.6, 95.6, 5, 5), Box(3, 3, 0.4, 0.4), Box(-9, -9, 500, 500)]
)
def test_boxes_beyond_the_edges_and_tiny_ones_do_no_harm(way: str, box: Box) -> None:
    frame = frame_of("yuv420p")
    canvas_of(frame).hide(box, way)
    assert frame.width == 128


def test_a_mask_is_painted_through_and_cut_at_the_edges() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    Canvas.of_photo(pixels).blend(50, 30, np.full((20, 20), 128, np.uint8), (1.0, 1.0, 1.0))
    assert (pixels[30:, 50:] == 128).all()
    assert pixels.sum() == 128 * 10 * 10 * 3
