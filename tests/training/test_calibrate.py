"""A temperature is found again, in logits and in a model file, and changes no answer."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.classifiers.model_file import read_metadata
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import ModelError
from training import calibrate, export, prediction
from training.fer2013 import SEVEN, VOTES, Split
from training.metrics import losses, one_hot, tempered

COUNT = len(EMOTIONS)


def logits_of(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (rows, COUNT))


@pytest.fixture(scope="module")
def model(run) -> keras.Model:
    return export.with_shares(run.network, run.config)


@pytest.fixture(scope="module")
def sharpened(run) -> keras.Model:
    """Logits three and two times as large as they were trained to be: not by the temperature, which stays 1."""
    copy = export.with_shares(run.network, run.config)
    for view, factor in zip(VIEWS, (3.0, 2.0), strict=True):
        dense = copy.get_layer(f"{view}_logits")
        dense.set_weights([factor * weights for weights in dense.get_weights()])
    return copy


@pytest.fixture(scope="module")
def opinions(model: keras.Model) -> Split:
    """Noise, whose labels and votes are drawn from the shares that ``model`` gives: it is calibrated."""
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (600, 48, 48), np.uint8)
    shares = prediction.predictor(model)(faces).astype(np.float64)
    shares /= shares.sum(axis=2, keepdims=True)
    votes = np.zeros((len(faces), len(VOTES)), np.uint8)
    votes[:, SEVEN] = random.multinomial(10, shares[:, 1])
    return Split(faces, random.multinomial(1, shares[:, 0]).argmax(axis=1), votes)


@settings(deadline=None)
@given(st.floats(0.1, 10), st.integers(0, 100))
def test_a_known_temperature_is_found(temperature: float, seed: int) -> None:
    logits = logits_of(50, seed)
    truth = tempered(np.exp(logits), 1)
    assert calibrate.fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=1e-6)


def test_it_is_where_the_likelihood_is_greatest() -> None:
    logits = logits_of(500, seed=1)
    targets = one_hot(np.random.default_rng(1).integers(0, COUNT, 500))
    targets[:300] = one_hot(logits[:300].argmax(axis=1))
    shares = tempered(np.exp(logits), 1)
    found = calibrate.fit_temperature(logits, targets)
    least = losses(tempered(shares, found), targets).nll
    for other in (0.98, 1.02):
        assert losses(tempered(shares, found * other), targets).nll > least


def test_what_has_no_best_temperature_stays_in_bounds() -> None:
    logits = logits_of(20, seed=2)
    assert calibrate.fit_temperature(logits, one_hot(logits.argmax(axis=1))) == pytest.approx(calibrate.BOUNDS[0])
    assert calibrate.fit_temperature(logits, one_hot(logits.argmin(axis=1))) == pytest.approx(calibrate.BOUNDS[1])
    assert calibrate.fit_temperature(np.zeros((5, COUNT)), one_hot(np.arange(5))) == 1
    assert calibrate.fit_temperature(np.empty((0, COUNT)), np.empty((0, COUNT))) == 1


def test_each_view_has_its_own_question() -> None:
    """One view's logits are twice, the other's half as large as is right; rows without votes are left out."""
    logits = logits_of(4000, seed=3)
    shares = tempered(np.exp(logits), 1)
    random = np.random.default_rng(3)
    labels = random.multinomial(1, shares).argmax(axis=1)
    votes = np.zeros((4000, len(VOTES)), np.uint8)
    votes[:2000, SEVEN] = random.multinomial(10, shares[:2000])
    split = Split(np.zeros((4000, 1, 1), np.uint8), labels, votes)
    both = np.stack([tempered(shares, 0.5), tempered(shares, 2.0)], axis=1)
    found = calibrate.fit_temperatures(lambda _: both, split)
    assert found == pytest.approx((2.0, 0.5), rel=0.06)
    voteless = Split(split.images, labels, np.zeros_like(votes))
    assert calibrate.fit_temperatures(lambda _: both, voteless) == (found[0], 1.0)


def test_a_sharpened_model_comes_back(sharpened: keras.Model, opinions: Split) -> None:
    found = calibrate.fit_temperatures(prediction.predictor(sharpened), opinions)
    assert found == pytest.approx((3.0, 2.0), rel=0.15)
    calibrated = export.with_temperatures(sharpened, found)
    assert export.read_temperatures(calibrated) == pytest.approx(found)
    assert export.read_temperatures(sharpened) == (1, 1)
    again = calibrate.fit_temperatures(prediction.predictor(calibrated), opinions)
    assert again == pytest.approx((1, 1), abs=1e-3)


def test_no_answer_changes(sharpened: keras.Model, splits: dict[str, Split]) -> None:
    faces = splits["PrivateTest"].images
    before = prediction.predictor(sharpened)(faces)
    after = prediction.predictor(export.with_temperatures(sharpened, (1.7, 1.3)))(faces)
    np.testing.assert_array_equal(after.argmax(axis=2), before.argmax(axis=2))
    for axis, temperature in enumerate((1.7, 1.3)):
        np.testing.assert_allclose(after[:, axis], tempered(before[:, axis], temperature), atol=1e-5)


def test_a_model_without_the_layer_is_refused() -> None:
    inputs = keras.Input((48, 48))
    bare = keras.Model(inputs, keras.layers.Flatten()(inputs))
    with pytest.raises(ModelError, match="no layer fer2013_temperature"):
        export.read_temperatures(bare)


def test_a_file_keeps_its_temperatures(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "cool.keras"
    export.write_model(export.with_temperatures(model, (1.5, 0.75)), path, {"made": "here"})
    assert read_metadata(path)["provenance"] == {"made": "here"}
    loaded = prediction.load(path)
    assert export.read_temperatures(loaded) == pytest.approx((1.5, 0.75))
    assert math.isclose(loaded.get_layer("ferplus_temperature").scale, 1 / 0.75)
