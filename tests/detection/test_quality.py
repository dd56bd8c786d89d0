"""The quality of crops: lower for everything that hides an expression, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace
from math import cos, radians, sin

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.detection import crop, quality
from fer_batch.media.frame import Luma
from fer_batch.types import Box, Clarity, Detection

FRONTAL = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (36.0, 80.0), (64.0, 80.0))
"""Right and left eye, nose, corners of the mouth."""

FACE = Detection(Box(0, 0, 90, 110), 0.9, FRONTAL)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A good crop of a face, (48, 48) uint8."""
    grey = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    return crop.cut(Luma(grey), Box(175, 65, 95, 120))


def rated(face_crop: np.ndarray, face: Detection = FACE) -> float:
    return quality.score(replace(face, clarity=quality.clarity(face_crop)))


def blurred(face_crop: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face_crop, (0, 0), sigma)


def enlarged(face_crop: np.ndarray, side: float) -> np.ndarray:
    return crop.resample(cv2.resize(face_crop, (int(side), int(side)), interpolation=cv2.INTER_AREA))


def noisy(face_crop: np.ndarray, gain: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 5, face_crop.shape)
    return np.rint(face_crop * gain + noise).clip(0, 255).astype(np.uint8)


def overexposed(face_crop: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(face_crop * gain, 0, 255).astype(np.uint8)


def test_a_good_crop_of_a_large_frontal_face_has_the_best_quality(image: np.ndarray) -> None:
    assert rated(image) > 0.97


@pytest.mark.parametrize(
    ("degrade", "steps"),
    [(blurred, (1, 1.5, 2, 3, 4)), (enlarged, (24, 16, 12, 8)), (noisy, (0.3, 0.1, 0.05)), (overexposed, (2, 4, 8))],
)
def test_the_more_a_crop_is_degraded_the_less_is_its_quality(
    image: np.ndarray, degrade: Callable[[np.ndarray, float], np.ndarray], steps: tuple[float, ...]
) -> None:
    scores = [rated(image), *(rated(degrade(image, step)) for step in steps)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.5 * scores[0]


def test_darkness_and_dull_light_alone_take_nothing(image: np.ndarray) -> None:
    assert rated((image * 0.4).astype(np.uint8)) > 0.97
    assert rated((100 + image * 0.3).astype(np.uint8)) > 0.97


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_a_plain_surface_is_good_for_nothing(level: int) -> None:
    assert rated(np.full((48, 48), level, np.uint8)) == 0


def test_a_smaller_face_has_less_quality_and_24_pixels_have_most_of_it() -> None:
    scores = [quality.score(replace(FACE, box=Box(0, 0, 20, height))) for height in (400, 50, 24, 12, 6, 3)]
    assert scores == sorted(scores, reverse=True)
    assert scores[:2] == [1, 1]
    assert scores[2] > 0.9
    assert scores[-1] == 0


def turned(nose: float) -> tuple[tuple[float, float], ...]:
    """The frontal face with its nose so many pixels further right."""
    return (*FRONTAL[:2], (FRONTAL[2][0] + nose, FRONTAL[2][1]), *FRONTAL[3:])


def test_a_face_that_is_turned_to_either_side_has_less_quality() -> None:
    scores = [quality.score(replace(FACE, landmarks=turned(nose))) for nose in (0, 6, 12, 24, 60)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert scores[-1] < 0.3
    assert quality.score(replace(FACE, landmarks=turned(-12))) == pytest.approx(scores[2])


@given(st.floats(-180, 180), st.floats(0.1, 10), st.floats(-30, 30))
def test_the_turn_depends_neither_on_tilt_nor_on_size(degrees: float, scale: float, nose: float) -> None:
    across, down = scale * cos(radians(degrees)), scale * sin(radians(degrees))
    points = turned(nose)
    tilted = [(x * across - y * down, x * down + y * across) for x, y in points]
    assert quality.turn(tilted) == pytest.approx(quality.turn(points), abs=1e-6)
    assert quality.turn(points) == pytest.approx(abs(nose) / 40, abs=1e-9)


def test_eyes_in_one_place_are_a_face_that_is_turned_away() -> None:
    assert quality.score(replace(FACE, landmarks=(FRONTAL[0], FRONTAL[0], *FRONTAL[2:]))) <= 0.2


def test_what_is_not_known_counts_as_good() -> None:
    assert quality.score(Detection(Box(0, 0, 90, 110), 0.1)) == 1


@given(
    st.builds(
        Detection,
        st.builds(Box, *(st.floats(-1e4, 1e4) for _ in range(4))),
        st.floats(0, 1),
        st.just(()) | st.tuples(*(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)) for _ in range(5))),
        st.none() | st.builds(Clarity, *(st.floats(0, 10) for _ in range(4))),
    )
)
def test_quality_is_from_0_to_1_whatever_there_is(face: Detection) -> None:
    assert 0 <= quality.score(face) <= 1
