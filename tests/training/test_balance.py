"""Rare emotions gain weight, for no more than the price."""

import numpy as np
import pytest

from fer_batch.emotions import EMOTIONS
from training import balance
from training.fer2013 import Split
from training.metrics import accuracy, confusion_matrix, macro_recall

PRIOR = np.array([0.19, 0.01, 0.1, 0.3, 0.1, 0.1, 0.2])


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Shares of an able classifier, and truths of which one in a hundred is the second class."""
    random = np.random.default_rng(0)
    truth = random.choice(len(EMOTIONS), 20000, p=PRIOR)
    evidence = random.normal(0, 1, (len(truth), len(EMOTIONS))) + 1.5 * np.eye(len(EMOTIONS))[truth]
    powers = PRIOR * np.exp(1.5 * evidence)  # Bayes' rule for normal evidence
    return powers / powers.sum(axis=1, keepdims=True), truth


def answered(shares: np.ndarray, truth: np.ndarray, bias: np.ndarray | float) -> np.ndarray:
    return confusion_matrix(truth, (np.log(shares) + bias).argmax(axis=1))


def test_the_rare_gain_recall_at_no_more_than_the_price(
    faces: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "PRICE", 0.003)
    shares, truth = faces
    bias = balance.fit_bias(shares, truth, PRIOR)
    before, after = answered(shares, truth, 0.0), answered(shares, truth, bias)
    assert accuracy(after) >= accuracy(before) - balance.PRICE
    assert macro_recall(after) > macro_recall(before) + 0.01
    assert after[1, 1] > 1.2 * before[1, 1]
    assert bias.argmax() == 1
    assert bias.sum() == pytest.approx(0)


def test_what_gains_nothing_stays(faces: tuple[np.ndarray, np.ndarray]) -> None:
    shares, truth = faces
    certain = 0.9 * np.eye(len(EMOTIONS))[truth] + 0.1 / len(EMOTIONS)
    np.testing.assert_array_equal(balance.fit_bias(certain, truth, PRIOR), 0)
    equal = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    np.testing.assert_allclose(balance.fit_bias(shares, truth, equal), 0, atol=1e-12)


def test_each_view_is_balanced_on_its_own_question(splits: dict[str, Split]) -> None:
    split = splits["PrivateTest"]

    def guess(images: np.ndarray) -> np.ndarray:
        return np.random.default_rng(0).dirichlet(np.ones(len(EMOTIONS)), (len(images), 2))

    found = balance.fit_biases(guess, split)
    assert found.shape == (2, len(EMOTIONS))
    voteless = Split(split.images, split.labels, np.zeros_like(split.votes))
    np.testing.assert_array_equal(balance.fit_biases(guess, voteless)[1], 0)
