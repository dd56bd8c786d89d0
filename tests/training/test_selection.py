"""Leaving out degraded images: they are degraded as stated, and the figures are those of what is left."""

import cv2
import numpy as np
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS
from training.fer2013 import VOTES, Split
from training.selection import DEGRADED_PART, WAYS, degrade_some, measure_selection, render_selection

COUNT = 400


@pytest.fixture(scope="module")
def split() -> Split:
    """Images whose mean grey tells their label, with some structure."""
    random = np.random.default_rng(0)
    labels = np.arange(COUNT) % len(EMOTIONS)
    smooth = [cv2.GaussianBlur(image, (0, 0), 2) * 120 for image in random.normal(0, 1, (COUNT, CROP_SIDE, CROP_SIDE))]
    images = 60 + 15 * labels[:, np.newaxis, np.newaxis] + np.stack(smooth)
    images += random.normal(0, 2, images.shape)
    return Split(images.clip(0, 255).astype(np.uint8), labels, np.zeros((COUNT, len(VOTES)), int))


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_degrades_the_same_images_alike(split: Split, way: str) -> None:
    before = split.images.tobytes()
    one, other = (WAYS[way](split.images, np.random.default_rng(3)) for _ in range(2))
    assert one.images.tobytes() == other.images.tobytes()
    assert (one.sides == other.sides).all()
    assert (one.images.dtype, one.images.shape) == (np.uint8, split.images.shape)
    assert split.images.tobytes() == before


def test_a_fifth_is_degraded_and_the_rest_is_as_it_was(split: Split) -> None:
    degraded = degrade_some(split.images, np.random.default_rng(0))
    changed = (degraded.images != split.images).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(DEGRADED_PART, abs=0.06)
    assert set(degraded.sides[~changed]) == {CROP_SIDE}
    assert degraded.quality[changed].mean() < degraded.quality[~changed].mean()


def test_what_is_left_is_judged(split: Split) -> None:
    """A model that is right of every image but those that were changed, and as sure of all."""
    known = {image.tobytes(): label for image, label in zip(split.images, split.labels, strict=True)}

    def predict(images: np.ndarray) -> np.ndarray:
        shares = np.full((len(images), 2, 7), 0.1, np.float32)
        for row, image in enumerate(images):
            label = known.get(image.tobytes())
            shares[row, :, 0 if label is None else label] = 0.4
        return shares

    nothing, by_quality, by_share = measure_selection(predict, split, "some")
    assert (nothing.left_out, by_quality.left_out, by_share.left_out) == (
        "nothing", "lowest quality", "lowest top share",
    )  # fmt: skip
    assert nothing.accuracy == pytest.approx(1 - DEGRADED_PART * 6 / 7, abs=0.05)
    assert nothing.shift == 0
    assert by_quality.accuracy > nothing.accuracy
    assert by_quality.shift > 0
    assert "lowest quality" in render_selection("PublicTest, some degraded", (nothing, by_quality))
