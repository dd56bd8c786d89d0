"""Batches: every row once an epoch, in one shape, the same wherever a run goes on; mixing keeps the loss true."""

import numpy as np
import pytest

from training.batches import Batches, Rows, even_size, mixed, parts

COUNT = 10


@pytest.fixture
def rows() -> Rows:
    """Ten rows in two views; the grey level of a picture is its row, and ten more in the second view."""
    pictures = np.add.outer([0, COUNT], np.arange(COUNT)).astype(np.uint8)[:, :, np.newaxis, np.newaxis]
    targets = np.zeros((2, COUNT, 7), np.float32)
    targets[:, np.arange(COUNT), np.arange(COUNT) % 7] = 1
    weights = {"fer2013": np.ones(COUNT, np.float32), "ferplus": (np.arange(COUNT) % 2).astype(np.float32)}
    return Rows(np.tile(pictures, (1, 1, 48, 48)), dict.fromkeys(("fer2013", "ferplus"), targets), weights)


def _seen(batches: Batches) -> list[int]:
    return [int(level) for at in range(len(batches)) for level in batches[at][0][:, 0, 0]]


def test_every_row_comes_once_and_the_last_batch_is_filled_up(rows: Rows) -> None:
    batches = Batches(rows, 4, 0.0, seed=0)
    first = _seen(batches)
    assert len(batches) == 3
    assert sorted(first[:COUNT]) == list(range(COUNT))
    assert first[COUNT:] == first[:2]


def test_each_epoch_takes_the_next_view_in_another_order(rows: Rows) -> None:
    batches = Batches(rows, 5, 0.0, seed=0)
    epochs = []
    for _ in range(3):
        epochs.append(_seen(batches))
        batches.on_epoch_end()
    assert [min(epoch) for epoch in epochs] == [0, COUNT, 0]
    assert epochs[0] != epochs[2]


def test_a_run_that_goes_on_sees_what_it_would_have_seen(rows: Rows) -> None:
    whole, later = (Batches(rows, 4, 0.5, seed=3) for _ in range(2))
    list(map(whole.__getitem__, range(3)))
    whole.on_epoch_end()
    later.begin(1)
    for at in range(3):
        np.testing.assert_array_equal(whole[at][0], later[at][0])


def test_answers_go_with_their_pictures(rows: Rows) -> None:
    for at in range(2):
        pictures, answers, weights = Batches(rows, 5, 0.0, seed=0)[at]
        row = pictures[:, 0, 0].astype(int)
        np.testing.assert_array_equal(answers["fer2013"].argmax(axis=1), row % 7)
        np.testing.assert_array_equal(weights["ferplus"], row % 2)


def test_the_loss_of_a_mixed_picture_is_that_of_both_answers(rows: Rows) -> None:
    batches = Batches(rows, COUNT, 1.0, seed=0)
    other = np.roll(batches.order, 1)
    pictures, answers, weights = batches[0]
    own = (pictures[:, 0, 0] - other) / (batches.order - other)
    assert own.min() >= 0.5
    assert own.max() < 1
    for view in ("fer2013", "ferplus"):
        first, second = own * rows.weights[view][batches.order], (1 - own) * rows.weights[view][other]
        expected = first[:, np.newaxis] * rows.targets[view][0, batches.order]
        expected += second[:, np.newaxis] * rows.targets[view][0, other]
        np.testing.assert_allclose(weights[view][:, np.newaxis] * answers[view], expected, atol=1e-5)
        np.testing.assert_allclose(weights[view], first + second, atol=1e-5)


def test_as_many_are_mixed_as_asked_for() -> None:
    part = parts(np.random.default_rng(0), 10_000, 0.3)
    assert (part < 1).mean() == pytest.approx(0.3, abs=0.02)
    assert part.min() >= 0.5


def test_what_is_not_mixed_stays_as_it_is() -> None:
    pictures = np.arange(2, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((48, 48), np.uint8)
    found = mixed(pictures, pictures[::-1], np.array([1.0, 0.75], np.float32))
    np.testing.assert_array_equal(found[:, 0, 0], [0, 0.75])


@pytest.mark.parametrize(("count", "size"), [(3589, 97), (1024, 512), (100, 100), (13, 512), (523, 512)])
def test_batches_of_a_split_are_even(count: int, size: int) -> None:
    assert even_size(count) == size
