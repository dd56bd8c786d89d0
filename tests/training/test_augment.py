"""What augmentation may do to an image, and what it may not."""

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

from fer_batch.detection import crop
from fer_batch.detection.crop import CROP_SIDE
from training import augment
from training.augment import RandomCompression, RandomDarkness, RandomPlacement, RandomSoftness
from training.config import Config

CENTRE = (CROP_SIDE - 1) / 2
LAID_ALONG_THE_CENTRE = 16
"""Distance of the blob from the centre, in pixels, to the right of it."""


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (64, CROP_SIDE, CROP_SIDE)).astype(np.float32)


def blobs(count: int) -> np.ndarray:
    """(N, 48, 48, 1): a soft blob to the right of the centre."""
    y, x = np.mgrid[:CROP_SIDE, :CROP_SIDE] - CENTRE
    blob = np.exp(-((x - LAID_ALONG_THE_CENTRE) ** 2 + y**2) / 8).astype(np.float32)
    return np.tile(blob[np.newaxis, :, :, np.newaxis], (count, 1, 1, 1))


def placed(layer: RandomPlacement) -> np.ndarray:
    """(400, 2) x and y of the blob from the centre, after ``layer``; mirrored ones turned back."""
    moved = keras.ops.convert_to_numpy(layer(blobs(400), training=True))[..., 0]
    axis = np.arange(CROP_SIDE) - CENTRE
    mass = moved.sum(axis=(1, 2))
    x, y = (moved.sum(axis=1) @ axis) / mass, (moved.sum(axis=2) @ axis) / mass
    return np.stack([np.abs(x), y], axis=1)


def both(config: Config, images: np.ndarray, *, training: bool) -> np.ndarray:
    """``images`` placed and degraded."""
    placed = augment.placement(config)(images, training=training)
    return np.asarray(keras.ops.convert_to_numpy(augment.degradation(config)(placed, training=training)))


def test_in_use_an_image_stays_as_it_is(images: np.ndarray) -> None:
    np.testing.assert_array_equal(both(Config(), images, training=False), images)


def test_in_training_every_image_changes_and_keeps_its_range(images: np.ndarray) -> None:
    changed = both(Config(), images, training=True)
    assert changed.shape == images.shape
    assert (np.abs(changed - images).max(axis=(1, 2)) > 1).all()
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_the_same_seed_makes_the_same_images(images: np.ndarray) -> None:
    first, second = (both(Config(), images, training=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, both(replace(Config(), seed=9), images, training=True))


def test_without_ranges_half_of_the_images_are_mirrored_and_nothing_else() -> None:
    images = np.random.default_rng(1).uniform(0, 255, (400, CROP_SIDE, CROP_SIDE, 1)).astype(np.float32)
    moved = keras.ops.convert_to_numpy(RandomPlacement(0.0, 0.0, 0.0, seed=0)(images, training=True))
    kept = np.abs(moved - images).max(axis=(1, 2, 3)) < 0.1
    mirrored = np.abs(moved - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.1
    assert (kept ^ mirrored).all()
    assert 150 < mirrored.sum() < 250  # five standard deviations either way


def test_a_turn_keeps_the_distance_and_stays_in_its_range() -> None:
    x, y = placed(RandomPlacement(15.0, 0.0, 0.0, seed=0)).T
    np.testing.assert_allclose(np.hypot(x, y), LAID_ALONG_THE_CENTRE, atol=0.2)
    angles = np.degrees(np.arctan2(y, x))
    assert np.abs(angles).max() <= 15.3
    assert angles.min() < -12
    assert angles.max() > 12


def test_scaling_moves_along_the_ray_and_stays_in_its_range() -> None:
    x, y = placed(RandomPlacement(0.0, 0.0, 0.15, seed=0)).T
    np.testing.assert_allclose(y, 0, atol=0.2)
    factors = x / LAID_ALONG_THE_CENTRE
    assert 1 / 1.16 < factors.min() < 0.9
    assert 1.1 < factors.max() < 1.16


def test_a_shift_goes_both_ways_on_both_axes_and_stays_in_its_range() -> None:
    x, y = placed(RandomPlacement(0.0, 0.08, 0.0, seed=0)).T
    limit = 0.08 * CROP_SIDE
    for shift in (x - LAID_ALONG_THE_CENTRE, y):
        assert -limit - 0.1 <= shift.min() < -0.8 * limit
        assert 0.8 * limit < shift.max() <= limit + 0.1


@pytest.mark.parametrize("layer", [RandomSoftness, RandomDarkness, RandomCompression])
def test_a_change_of_quality_meets_its_part_of_the_images_and_leaves_the_rest(
    layer: type[RandomSoftness], images: np.ndarray
) -> None:
    many = np.tile(images, (10, 1, 1))[..., np.newaxis]
    changed = keras.ops.convert_to_numpy(layer(0.3, seed=0)(many, training=True))
    met = (changed != many).any(axis=(1, 2, 3))
    assert met.mean() == pytest.approx(0.3, abs=0.09)  # five standard deviations
    np.testing.assert_array_equal(layer(0.3, seed=0)(many), many)
    np.testing.assert_array_equal(layer(0.0, seed=0)(many, training=True), many)


def test_softness_is_what_opencv_does(images: np.ndarray) -> None:
    image = images[0]
    blur, small = augment._softeners([1.5], [24])
    expected = cv2.GaussianBlur(image, (13, 13), 1.5, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(blur @ image @ blur.T, expected, atol=0.05)
    expected = crop.resample(cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA))
    np.testing.assert_allclose(small @ image @ small.T, expected, atol=0.05)


def test_softness_takes_grain_away(images: np.ndarray) -> None:
    soft = changed_by(RandomSoftness(1.0, seed=0), images)
    grain = [np.abs(np.diff(one, axis=1)).mean(axis=(1, 2)) for one in (images, soft)]
    assert (grain[1] < 0.9 * grain[0]).all()
    np.testing.assert_allclose(soft.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=8)


def test_darkness_takes_light_away_and_adds_noise() -> None:
    white = np.full((300, CROP_SIDE, CROP_SIDE), 200, np.float32)
    dark = changed_by(RandomDarkness(1.0, seed=0), white)
    light, noise = dark.mean(axis=(1, 2)) / 200, dark.std(axis=(1, 2))
    assert 0.14 < light.min() < 0.25
    assert 0.9 < light.max() < 1.01
    assert noise.min() < 1
    assert 7 < noise.max() < 9
    np.testing.assert_array_equal(dark, np.rint(dark))


@pytest.mark.parametrize("quality", [10, 20, 50, 75])
def test_compression_is_what_a_jpeg_encoder_does(quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    y, x = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    image = np.rint(128 + 60 * np.sin(x / 3) + 50 * np.cos(y / 5) + 10 * np.sin(x * y)).clip(0, 255)
    monkeypatch.setattr(RandomCompression, "QUALITY", (float(quality), float(quality)))
    ours = changed_by(RandomCompression(1.0, seed=0), image[np.newaxis].astype(np.float32))[0]
    _, encoded = cv2.imencode(".jpg", image.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    theirs = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    lost = np.abs(theirs - image).mean()
    assert lost > 1
    assert np.abs(ours - theirs).mean() < 0.1 * lost


def changed_by(layer: RandomSoftness, images: np.ndarray) -> np.ndarray:
    """(N, 48, 48) images through a layer in training."""
    return np.asarray(keras.ops.convert_to_numpy(layer(images[..., np.newaxis], training=True)))[..., 0]
