"""What augmentation may do to a picture, and what it may not."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_batch.faces import SIDE
from training import augment
from training.augment import RandomPlacement
from training.config import Config

CENTRE = (SIDE - 1) / 2
LAID_ALONG_THE_CENTRE = 16
"""Distance of the blob from the centre, in pixels, to the right of it."""


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (64, SIDE, SIDE)).astype(np.float32)


def blobs(count: int) -> np.ndarray:
    """(N, 48, 48, 1): a soft blob to the right of the centre."""
    y, x = np.mgrid[:SIDE, :SIDE] - CENTRE
    blob = np.exp(-((x - LAID_ALONG_THE_CENTRE) ** 2 + y**2) / 8).astype(np.float32)
    return np.tile(blob[np.newaxis, :, :, np.newaxis], (count, 1, 1, 1))


def placed(layer: RandomPlacement) -> np.ndarray:
    """(400, 2) x and y of the blob from the centre, after ``layer``; mirrored ones turned back."""
    moved = keras.ops.convert_to_numpy(layer(blobs(400), training=True))[..., 0]
    axis = np.arange(SIDE) - CENTRE
    mass = moved.sum(axis=(1, 2))
    x, y = (moved.sum(axis=1) @ axis) / mass, (moved.sum(axis=2) @ axis) / mass
    return np.stack([np.abs(x), y], axis=1)


def test_in_use_a_picture_stays_as_it_is(pictures: np.ndarray) -> None:
    unchanged = augment.build(Config())(pictures, training=False)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(unchanged), pictures)


def test_in_training_every_picture_changes_and_keeps_its_range(pictures: np.ndarray) -> None:
    changed = keras.ops.convert_to_numpy(augment.build(Config())(pictures, training=True))
    assert changed.shape == pictures.shape
    assert (np.abs(changed - pictures).max(axis=(1, 2)) > 1).all()
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_the_same_seed_makes_the_same_pictures(pictures: np.ndarray) -> None:
    def changed(config: Config) -> np.ndarray:
        return np.asarray(keras.ops.convert_to_numpy(augment.build(config)(pictures, training=True)))

    np.testing.assert_array_equal(changed(Config()), changed(Config()))
    assert not np.array_equal(changed(Config()), changed(replace(Config(), seed=9)))


def test_without_ranges_half_of_the_pictures_are_mirrored_and_nothing_else() -> None:
    pictures = np.random.default_rng(1).uniform(0, 255, (400, SIDE, SIDE, 1)).astype(np.float32)
    moved = keras.ops.convert_to_numpy(RandomPlacement(0.0, 0.0, 0.0, seed=0)(pictures, training=True))
    kept = np.abs(moved - pictures).max(axis=(1, 2, 3)) < 0.1
    mirrored = np.abs(moved - pictures[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.1
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
    limit = 0.08 * SIDE
    for shift in (x - LAID_ALONG_THE_CENTRE, y):
        assert -limit - 0.1 <= shift.min() < -0.8 * limit
        assert 0.8 * limit < shift.max() <= limit + 0.1


def test_darkness_takes_light_away_and_adds_little_noise() -> None:
    white = np.full((300, SIDE, SIDE, 1), 200, np.float32)
    dark = keras.ops.convert_to_numpy(augment.RandomDarkness(0.75, seed=0)(white, training=True))
    light = dark.mean(axis=(1, 2, 3)) / 200
    assert 0.24 < light.min() < 0.35
    assert 0.9 < light.max() < 1.01
    assert dark.std(axis=(1, 2, 3)).max() < 4
    np.testing.assert_array_equal(augment.RandomDarkness(0.75, seed=0)(white), white)


def test_blur_softens_some_pictures_only() -> None:
    still = replace(
        Config(), rotation_degrees=0.0, translation=0.0, scale=0.0, brightness=0.0, contrast=0.0, erasing=0.0
    )
    noise = np.random.default_rng(0).uniform(0, 255, (200, SIDE, SIDE)).astype(np.float32)

    def grain(config: Config) -> np.ndarray:
        steps = augment.build(config)
        batches = [keras.ops.convert_to_numpy(steps(noise, training=True)) for _ in range(8)]  # one strength a batch
        return np.abs(np.diff(np.concatenate(batches), axis=1)).mean(axis=(1, 2))

    assert grain(still).min() > 70
    blurred = grain(replace(still, blur=1.0)) < 60
    assert 0.1 < blurred.mean() < 0.9
