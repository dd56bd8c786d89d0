"""Figures against figures counted by hand, and against what must hold whatever the shares are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_batch.emotions import EMOTIONS
from training.metrics import (
    BINS,
    SMALLEST_SHARE,
    accuracy,
    confusion_matrix,
    estimates,
    losses,
    macro_recall,
    one_hot,
    recall,
    reliability,
    tempered,
)

ANGER, DISGUST, FEAR, HAPPINESS = range(4)
COUNT = len(EMOTIONS)

confusions = arrays.arrays(np.int64, (COUNT, COUNT), elements=st.integers(0, 50))
temperatures = st.floats(0.2, 5)


@st.composite
def answered(draw: st.DrawFn, greatest_logit: float = 20) -> tuple[np.ndarray, np.ndarray]:
    """Shares (N, 7) and classes (N,)."""
    rows = draw(st.integers(1, 40))
    elements = st.floats(-greatest_logit, greatest_logit)
    logits = draw(arrays.arrays(np.float64, (rows, COUNT), elements=elements))
    return softmax(logits), draw(arrays.arrays(np.int64, rows, elements=st.integers(0, COUNT - 1)))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares, and classes that were drawn from them: calibrated perfectly."""
    random = np.random.default_rng(seed)
    shares = softmax(random.normal(0, 2, (rows, COUNT)))
    classes = (random.random((rows, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return shares, classes.clip(max=COUNT - 1)


def of_one(shares: np.ndarray, truth: np.ndarray):
    return reliability(shares, one_hot(truth), [(1, np.ones(len(truth), int))])


def test_figures_counted_by_hand() -> None:
    truth = np.array([ANGER, ANGER, ANGER, ANGER, FEAR, FEAR, HAPPINESS])
    given_answers = np.array([ANGER, ANGER, ANGER, FEAR, FEAR, ANGER, HAPPINESS])
    confusion = confusion_matrix(truth, given_answers)
    assert confusion[ANGER].tolist() == [3, 0, 1, 0, 0, 0, 0]
    assert confusion[FEAR].tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert confusion[HAPPINESS].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert accuracy(confusion) == pytest.approx(5 / 7)
    np.testing.assert_array_equal(recall(confusion), [0.75, math.nan, 0.5, 1.0, math.nan, math.nan, math.nan])
    assert macro_recall(confusion) == pytest.approx((0.75 + 0.5 + 1) / 3)


def test_without_a_face_there_is_no_figure() -> None:
    empty = np.zeros((COUNT, COUNT), np.int64)
    assert math.isnan(accuracy(empty))
    assert math.isnan(macro_recall(empty))
    assert np.isnan(recall(empty)).all()


@settings(deadline=None)  # an example may wait for a busy machine
@given(confusions)
def test_a_recall_is_a_part(confusion: np.ndarray) -> None:
    known = confusion.sum(axis=1) > 0
    parts = recall(confusion)
    assert (np.isnan(parts) == ~known).all()
    assert ((parts[known] >= 0) & (parts[known] <= 1)).all()
    if known.any():
        assert parts[known].min() - 1e-12 <= macro_recall(confusion) <= parts[known].max() + 1e-12
        assert parts[known].min() - 1e-12 <= accuracy(confusion) <= parts[known].max() + 1e-12


@settings(deadline=None)
@given(confusions, st.permutations(range(COUNT)))
def test_the_order_of_the_emotions_does_not_matter(confusion: np.ndarray, order: list[int]) -> None:
    shuffled = confusion[np.ix_(order, order)]
    np.testing.assert_equal(accuracy(shuffled), accuracy(confusion))
    np.testing.assert_allclose(macro_recall(shuffled), macro_recall(confusion))
    np.testing.assert_array_equal(recall(shuffled), recall(confusion)[order])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1), st.randoms())
def test_the_order_of_the_faces_does_not_matter(pairs: list[tuple[int, int]], random) -> None:
    before = confusion_matrix(*np.array(pairs).T)
    random.shuffle(pairs)
    np.testing.assert_array_equal(confusion_matrix(*np.array(pairs).T), before)
    assert before.sum() == len(pairs)


def test_losses_by_hand() -> None:
    shares = np.array([[0.5, 0.25, 0.25, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0]])
    found = losses(shares, one_hot(np.array([ANGER, FEAR])))
    assert found.nll == pytest.approx(math.log(2) / 2)
    assert found.brier == pytest.approx((0.25 + 2 * 0.0625) / 2)
    opinions = np.array([[0.75, 0.25, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0]])
    found = losses(shares, opinions)
    assert found.nll == pytest.approx((0.75 * math.log(2) + 0.25 * math.log(4)) / 2)
    assert found.brier == pytest.approx((0.25**2 + 0.25**2) / 2)


def test_a_miss_without_any_share_costs_much_and_not_infinity() -> None:
    found = losses(one_hot(np.array([ANGER])), one_hot(np.array([FEAR])))
    assert found.nll == pytest.approx(-math.log(SMALLEST_SHARE))
    assert found.brier == 2


def test_one_row_is_a_constant_answer() -> None:
    targets = one_hot(np.array([ANGER, ANGER, FEAR]))
    prior = targets.mean(axis=0)
    assert losses(prior, targets) == losses(np.tile(prior, (3, 1)), targets)


@settings(deadline=None)
@given(answered())
def test_the_truth_itself_costs_nothing_and_nothing_is_cheaper(rows: tuple[np.ndarray, np.ndarray]) -> None:
    shares, truth = rows
    best = losses(one_hot(truth), one_hot(truth))
    assert (best.nll, best.brier) == (0, 0)
    found = losses(shares, one_hot(truth))
    assert found.nll >= 0
    assert 0 <= found.brier <= 2


def test_a_calibration_error_by_hand() -> None:
    """Two faces a bin: the least confident are both right, the others as often as their shares say."""
    confidence = np.repeat(np.linspace(0.4, 1, BINS), 2)
    shares = np.column_stack([confidence, *[(1 - confidence) / 6] * 6])
    truth = np.full(2 * BINS, ANGER)
    found = of_one(shares, truth)
    np.testing.assert_array_equal(found.faces, 2)
    np.testing.assert_allclose(found.confidence, np.linspace(0.4, 1, BINS))
    np.testing.assert_array_equal(found.accuracy, 1)
    assert found.error == pytest.approx((1 - confidence).mean())
    truth[:2] = FEAR
    found = of_one(shares, truth)
    assert found.accuracy.tolist() == [0] + [1] * (BINS - 1)
    assert found.error == pytest.approx(((1 - confidence).sum() - 2 * 0.6 + 2 * 0.4) / 30)


def test_raters_who_agree_stand_for_accuracy() -> None:
    shares = np.tile([0.6, 0.4, 0, 0, 0, 0, 0], (2, 1))
    opinions = np.array([[0.5, 0.5, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0, 0]])
    assert reliability(shares, opinions, [(1, np.array([10, 10]))]).error == pytest.approx((0.1 + 0.4) / 2)


def test_more_raters_leave_less_to_chance() -> None:
    shares, truth = drawn(300, seed=0)
    few, many = (reliability(shares, one_hot(truth), [(1, np.full(300, raters))]).expected for raters in (1, 100))
    assert many < few / 5


@settings(deadline=None)
@given(answered())
def test_a_calibration_error_is_a_part(rows: tuple[np.ndarray, np.ndarray]) -> None:
    found = of_one(*rows)
    assert 0 <= found.error <= 1
    assert 0 <= found.expected <= 1
    assert found.faces.sum() == len(rows[1])
    assert found.faces.max() - found.faces.min() <= 1
    assert (np.diff(found.confidence) >= -1e-12).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_a_perfectly_calibrated_classifier_errs_as_expected(seed: int) -> None:
    perfect = of_one(*drawn(2000, seed))
    assert 0.3 * perfect.expected < perfect.error < 2.2 * perfect.expected


def test_one_that_is_too_sure_errs_more_than_expected() -> None:
    shares, truth = drawn(2000, seed=1)
    for temperature in (0.5, 2.0):
        found = of_one(tempered(shares, temperature), truth)
        assert found.error > 4 * found.expected


def test_the_same_rows_give_the_same_figures() -> None:
    shares, truth = drawn(200, seed=2)
    assert of_one(shares, truth).expected == of_one(shares, truth).expected
    confusion = confusion_matrix(truth, shares.argmax(axis=1))
    assert estimates(confusion) == estimates(confusion)


def test_an_interval_is_that_of_the_binomial_distribution() -> None:
    confusion = np.zeros((COUNT, COUNT), np.int64)
    confusion[ANGER, ANGER], confusion[ANGER, FEAR] = 700, 300
    found, macro = estimates(confusion)
    deviation = math.sqrt(0.7 * 0.3 / 1000)
    assert found.value == 0.7
    assert found.low == pytest.approx(0.7 - 1.96 * deviation, abs=0.004)
    assert found.high == pytest.approx(0.7 + 1.96 * deviation, abs=0.004)
    assert macro == found  # one class only


def test_intervals_are_those_of_drawing_the_faces_themselves() -> None:
    shares, truth = drawn(400, seed=3)
    answers = shares.argmax(axis=1)
    random = np.random.default_rng(0)
    resampled = [
        macro_recall(confusion_matrix(truth[rows], answers[rows])) for rows in random.integers(0, 400, (1000, 400))
    ]
    _, macro = estimates(confusion_matrix(truth, answers))
    np.testing.assert_allclose((macro.low, macro.high), np.quantile(resampled, (0.025, 0.975)), atol=0.01)


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.int64, (COUNT, COUNT), elements=st.integers(1, 50)))
def test_an_interval_holds_its_figure(confusion: np.ndarray) -> None:
    for found in estimates(confusion):
        assert 0 <= found.low <= found.value <= found.high <= 1


@settings(deadline=None, max_examples=30)
@given(confusions.filter(np.any))
def test_classes_that_a_resample_misses_do_no_harm(confusion: np.ndarray) -> None:
    for found in estimates(confusion):
        assert 0 <= found.low <= found.high <= 1


@settings(deadline=None)
@given(answered(greatest_logit=8), temperatures)  # no share falls below the smallest that counts
def test_a_temperature_keeps_the_order_and_is_undone_by_its_inverse(
    rows: tuple[np.ndarray, np.ndarray], temperature: float
) -> None:
    shares, _ = rows
    even = tempered(shares, temperature)
    np.testing.assert_allclose(even.sum(axis=1), 1)
    greatest = np.take_along_axis(even, shares.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_array_equal(greatest, even.max(axis=1))
    np.testing.assert_allclose(tempered(even, 1 / temperature), shares, atol=1e-9)


def test_a_temperature_divides_logits() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (5, COUNT))
    np.testing.assert_allclose(tempered(softmax(logits), 2.5), softmax(logits / 2.5))
