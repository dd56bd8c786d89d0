"""Figures against figures counted by hand, and against what must hold for every confusion matrix."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.faces import SIDE
from training.evaluate import (
    UNSEEN,
    accuracy,
    confusion_matrix,
    evaluate,
    macro_recall,
    recall,
    render,
    stands_in,
)
from training.fer2013 import SEVEN, VOTES, Split

ANGER, DISGUST, FEAR, HAPPINESS = range(4)
COUNT = len(EMOTIONS)

confusions = arrays.arrays(np.int64, (COUNT, COUNT), elements=st.integers(0, 50))


def one_hot(classes: list[int]) -> np.ndarray:
    return np.eye(COUNT, dtype=np.float32)[classes]


def split(labels: list[int], votes: list[dict[str, int]] | None = None, first_picture: int = 0) -> Split:
    """Rows whose pictures all differ: picture i has its number in its first pixel, and a mark on its left."""
    images = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    images[:, 0, 0] = np.arange(first_picture, first_picture + len(labels))
    table = np.zeros((len(labels), len(VOTES)), np.uint8)
    for row, chosen in enumerate(votes or []):
        for name, count in chosen.items():
            table[row, VOTES.index(name)] = count
    return Split(images, np.array(labels), table)


def answers(fer2013: list[int], ferplus: list[int] | None = None):
    """A classifier that answers by a picture's number, whichever side it stands on."""

    def predict(faces: np.ndarray) -> np.ndarray:
        numbers = np.maximum(faces[:, 0, 0], faces[:, 0, -1])
        return np.stack([one_hot(fer2013)[numbers], one_hot(ferplus or fer2013)[numbers]], axis=1)

    return predict


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


@settings(deadline=None)  # the first example may wait for a busy machine
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


def test_each_view_is_asked_its_own_question() -> None:
    votes = [
        {"anger": 10},
        {"fear": 6, "anger": 4},
        {"happiness": 5, "neutral": 5},  # a tie: not asked
        {"contempt": 9, "anger": 1},  # none of the seven: not asked
    ]
    report = evaluate(
        answers([ANGER, ANGER, HAPPINESS, ANGER], [ANGER, ANGER, HAPPINESS, ANGER]),
        {"PublicTest": split([ANGER, ANGER, ANGER, ANGER], votes)},
    )
    of_labels = report.one("PublicTest", "fer2013", flips=False)
    of_raters = report.one("PublicTest", "ferplus", flips=False)
    assert (of_labels.faces, of_labels.accuracy) == (4, 0.75)
    assert (of_raters.faces, of_raters.accuracy) == (2, 0.5)
    assert of_raters.recall[[ANGER, FEAR]].tolist() == [1, 0]


def test_the_heads_are_not_exchanged() -> None:
    rows = split([ANGER] * 3, [{"fear": 10}] * 3)
    report = evaluate(answers([ANGER] * 3, [FEAR] * 3), {"PublicTest": rows})
    assert [result.accuracy for result in report.results] == [1, 1, 1, 1]


def test_flips_average_shares_and_not_answers() -> None:
    def predict(faces: np.ndarray) -> np.ndarray:
        """A little for anger as the face is, much for fear in its mirror image."""
        is_mirrored = faces[:, 0, -1] > 0
        shares = np.where(is_mirrored[:, np.newaxis], one_hot([FEAR]), 0.6 * one_hot([ANGER]) + 0.4 * one_hot([FEAR]))
        return np.stack([shares, shares], axis=1)

    report = evaluate(predict, {"PublicTest": split([FEAR, FEAR], first_picture=1)})
    assert report.one("PublicTest", "fer2013", flips=False).accuracy == 0
    assert report.one("PublicTest", "fer2013", flips=True).accuracy == 1


def test_pictures_that_stand_in_training_are_left_out_of_unseen() -> None:
    splits = {
        "Training": split([ANGER] * 10),
        "PrivateTest": split([ANGER, ANGER, FEAR, FEAR], [{"anger": 10}] * 4, first_picture=8),
    }
    report = evaluate(answers([ANGER] * 12), splits)
    assert report.one("PrivateTest", "fer2013", flips=False).faces == 4
    assert report.one("PrivateTest", "fer2013", flips=False).accuracy == 0.5
    for flips in (False, True):
        unseen = report.one(UNSEEN, "fer2013", flips=flips)
        assert (unseen.faces, unseen.accuracy) == (2, 0.0)
        assert report.one(UNSEEN, "ferplus", flips=flips).accuracy == 1.0


def test_unseen_needs_training_and_a_view_needs_answers() -> None:
    report = evaluate(answers([ANGER] * 2), {"PrivateTest": split([ANGER, FEAR])})
    assert [(result.rows, result.view) for result in report.results] == [("PrivateTest", "fer2013")] * 2
    with pytest.raises(KeyError):
        report.one("PrivateTest", "ferplus", flips=False)


def test_one_pixel_makes_another_picture() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE), np.uint8)
    others = images[[2, 0]].copy()
    others[1, 5, 7] ^= 1
    assert stands_in(images, others).tolist() == [False, False, True, False]


def test_json_keeps_every_count_and_no_nan() -> None:
    report = evaluate(answers([ANGER, FEAR]), {"PublicTest": split([ANGER, HAPPINESS], [{"anger": 10}] * 2)})
    results = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert [(one["view"], one["flips"]) for one in results] == [
        (view, flips) for view in VIEWS for flips in (False, True)
    ]
    assert results[0]["recall"] == {**dict.fromkeys(EMOTIONS), "anger": 1.0, "happiness": 0.0}
    assert results[0]["confusion"][HAPPINESS][FEAR] == 1
    assert results[0]["faces"] == np.sum(results[0]["confusion"]) == 2


def test_the_table_has_a_line_for_each_result_and_fits_its_heads() -> None:
    report = evaluate(answers([ANGER, FEAR]), {"PublicTest": split([ANGER, HAPPINESS])})
    head, plain, flipped = render(report).splitlines()
    assert len(head) == len(plain) == len(flipped)
    assert plain.split() == ["PublicTest", "fer2013", "no", "2", "50.00", "50.00", "100.00", "-", "-", "0.00", *"---"]
    assert flipped.split()[2] == "yes"


def test_the_seven_are_in_the_order_of_the_emotions() -> None:
    assert tuple(VOTES[at] for at in SEVEN) == EMOTIONS
