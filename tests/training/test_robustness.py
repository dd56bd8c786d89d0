"""Each condition does what its name says, and the figures are those of the images it makes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from training import robustness
from training.evaluate import QUESTIONS
from training.fer2013 import VOTES, Split
from training.robustness import CONDITIONS, measure_robustness, render_robustness

CENTRE = (CROP_SIDE - 1) / 2


@pytest.fixture(scope="module")
def face_images() -> np.ndarray:
    """Eight images with coarse and fine structure."""
    noise = np.random.default_rng(0).normal(128, 60, (8, CROP_SIDE, CROP_SIDE))
    return np.stack([cv2.GaussianBlur(image, (0, 0), 1) * 2 - 128 for image in noise]).clip(0, 255).astype(np.uint8)


def ramp(x_slope: float, y_slope: float, count: int = 4) -> np.ndarray:
    """Pictures whose grey level rises by so much a pixel along each axis, and is 128 in the middle."""
    y, x = np.mgrid[:CROP_SIDE, :CROP_SIDE] - CENTRE
    return np.stack([np.rint(128 + x_slope * x + y_slope * y).astype(np.uint8)] * count)


def blob(x: float, y: float, count: int = 2) -> np.ndarray:
    """Pictures of one soft spot."""
    rows, columns = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    spot = 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3**2))
    return np.stack([spot.astype(np.uint8)] * count)


def place(face_image: np.ndarray) -> tuple[float, float]:
    """Where a spot is: x and y of its centre of mass."""
    rows, columns = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    return float((columns * face_image).sum() / face_image.sum()), float((rows * face_image).sum() / face_image.sum())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_a_condition_keeps_shape_and_type_and_gives_the_same_bytes_again(condition, face_images: np.ndarray) -> None:
    before = face_images.tobytes()
    changed = condition.change(face_images)
    assert changed.shape == face_images.shape
    assert changed.dtype == np.uint8
    assert changed.tobytes() == condition.change(face_images).tobytes()
    assert face_images.tobytes() == before
    differs = [not np.array_equal(*pair) for pair in zip(changed, face_images, strict=True)]
    assert differs == [condition.name != "clean"] * len(face_images)
    assert condition.change(face_images[:0]).shape == (0, CROP_SIDE, CROP_SIDE)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_an_even_image_stays_even_up_to_its_border(condition) -> None:
    white = np.full((4, CROP_SIDE, CROP_SIDE), 200, np.uint8)
    tolerance = 25 if condition.name == "dark" else 2
    expected = 60 if condition.name == "dark" else 200
    np.testing.assert_allclose(condition.change(white), expected, atol=tolerance)


def test_a_shift_moves_by_a_tenth_of_the_side_right_left_up_and_down() -> None:
    moves = [(place(image)[0] - 24, place(image)[1] - 24) for image in robustness.shift(blob(24, 24, count=5))]
    expected = [(4.8, 0), (-4.8, 0), (0, -4.8), (0, 4.8), (4.8, 0)]
    np.testing.assert_allclose(moves, expected, atol=0.1)
    inside = robustness.shift(ramp(2, 0))[0, :, 8:-8].astype(float)
    np.testing.assert_allclose(inside, ramp(2, 0)[0, :, 8:-8] - 2 * 4.8, atol=1)


@pytest.mark.parametrize(("change", "factor"), [(robustness.enlarge, 1.15), (robustness.reduce, 0.85)])
def test_scaling_is_about_the_centre(change, factor: float) -> None:
    x, y = place(change(blob(CENTRE + 10, CENTRE - 6))[0])
    assert (x - CENTRE, y - CENTRE) == pytest.approx((10 * factor, -6 * factor), abs=0.1)


def test_a_roll_turns_by_twenty_degrees_one_way_and_the_other() -> None:
    against, along = (place(image) for image in robustness.roll(blob(CENTRE + 12, CENTRE)))
    angles = [np.degrees(np.arctan2(CENTRE - y, x - CENTRE)) for x, y in (against, along)]
    assert angles == pytest.approx([20, -20], abs=0.5)


def test_a_blur_has_the_width_of_its_sigma() -> None:
    dot = np.zeros((1, CROP_SIDE, CROP_SIDE), np.uint8)
    dot[0, 24, 24] = 255
    spread = robustness.blur(dot)[0].astype(float)
    columns = np.arange(CROP_SIDE) - 24
    assert np.sqrt((spread.sum(axis=0) * columns**2).sum() / spread.sum()) == pytest.approx(1.5, abs=0.15)


def test_a_small_face_has_lost_what_is_finer_than_its_pixels() -> None:
    y, x = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    checks = np.where((x + y) % 2, 255, 0).astype(np.uint8)[np.newaxis]
    np.testing.assert_allclose(robustness.coarsen(checks), 127.5, atol=1)
    np.testing.assert_allclose(robustness.coarsen(ramp(3, 2))[0, 2:-2, 2:-2], ramp(3, 2)[0, 2:-2, 2:-2], atol=2)


def test_jpeg_is_through_the_codec(face_images: np.ndarray) -> None:
    _, encoded = cv2.imencode(".jpg", face_images[0], [cv2.IMWRITE_JPEG_QUALITY, 20])
    np.testing.assert_array_equal(robustness.compress(face_images)[0], cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def test_the_dark_has_a_third_of_the_light_and_noise() -> None:
    levels = robustness.darken(np.full((50, CROP_SIDE, CROP_SIDE), 200, np.uint8)).astype(float)
    assert levels.mean() == pytest.approx(60, abs=0.1)
    assert levels.std() == pytest.approx(5, abs=0.1)


def brightness_reader(faces: np.ndarray) -> np.ndarray:
    """Happiness for a bright image, sadness for a dark one, in both views."""
    bright = faces.mean(axis=(1, 2)) > 100
    classes = np.where(bright, EMOTIONS.index("happiness"), EMOTIONS.index("sadness"))
    return np.repeat(np.eye(len(EMOTIONS), dtype=np.float32)[classes][:, np.newaxis], len(VIEWS), axis=1)


@pytest.fixture
def lights() -> Split:
    """Three bright and one dark image, labelled happiness and sadness; in FER+ the last bright one is tied."""
    images = np.full((4, CROP_SIDE, CROP_SIDE), 200, np.uint8)
    images[3] = 20
    happiness, sadness = EMOTIONS.index("happiness"), EMOTIONS.index("sadness")
    votes = np.zeros((4, len(VOTES)), np.uint8)
    votes[:3, VOTES.index("happiness")] = 5
    votes[2:, VOTES.index("sadness")] = 5
    return Split(images, np.array([happiness] * 3 + [sadness]), votes)


def test_figures_counted_by_hand(lights: Split) -> None:
    rows = {(row.condition, row.view): row for row in measure_robustness(brightness_reader, lights)}
    assert [name for name, view in rows if view == "fer2013"] == [condition.name for condition in CONDITIONS]
    clean, dark = rows["clean", "fer2013"], rows["dark", "fer2013"]
    assert (clean.faces, clean.accuracy, clean.macro_recall) == (4, 1, 1)
    assert (clean.accuracy_lost, clean.macro_recall_lost) == (0, 0)
    assert (dark.accuracy, dark.macro_recall) == (1 / 4, 1 / 2)
    assert (dark.accuracy_lost, dark.macro_recall_lost) == (3 / 4, 1 / 2)
    plus = rows["dark", "ferplus"]
    assert (plus.faces, plus.accuracy, plus.accuracy_lost) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert rows["shifted", "fer2013"].accuracy == 1


def test_without_votes_there_is_one_view(lights: Split) -> None:
    rows = measure_robustness(brightness_reader, replace(lights, votes=np.zeros_like(lights.votes)))
    assert {(row.view, row.against) for row in rows} == {("fer2013", "label"), ("combined", "label")}
    assert len(rows) == 2 * len(CONDITIONS)


def test_the_text_has_every_row_in_percent(lights: Split) -> None:
    head, *lines = render_robustness({"PublicTest": measure_robustness(brightness_reader, lights)}).splitlines()
    assert head.split() == ["rows", "condition", "view", "against", "faces", "accuracy", "lost", "macro", "lost"]
    assert len(lines) == len(CONDITIONS) * len(QUESTIONS)
    dark = next(line.split() for line in lines if "dark" in line)
    assert dark == ["PublicTest", "dark", "fer2013", "label", "4", "25.00", "75.00", "50.00", "50.00"]
