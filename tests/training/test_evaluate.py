"""Who is asked what, and what becomes of the answers."""

import json

import numpy as np
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, FERPLUS_PARTS, VIEWS
from training.evaluate import QUESTIONS, UNSEEN, are_among, evaluate, render_results, render_scores
from training.fer2013 import SEVEN, VOTES, Split

ANGER, DISGUST, FEAR, HAPPINESS = range(4)
COUNT = len(EMOTIONS)


def one_hot(classes: list[int]) -> np.ndarray:
    return np.eye(COUNT, dtype=np.float32)[classes]


def split(labels: list[int], votes: list[dict[str, int]] | None = None, first_image: int = 0) -> Split:
    """Rows whose images all differ: image i has its number in its first pixel, and a mark on its left."""
    images = np.zeros((len(labels), CROP_SIDE, CROP_SIDE), np.uint8)
    images[:, 0, 0] = np.arange(first_image, first_image + len(labels))
    table = np.zeros((len(labels), len(VOTES)), np.uint8)
    for row, chosen in enumerate(votes or []):
        for name, count in chosen.items():
            table[row, VOTES.index(name)] = count
    return Split(images, np.array(labels), table)


def answers(fer2013: list[int], ferplus: list[int] | None = None):
    """A classifier that answers by an image's number, whichever side it stands on."""

    def predict(faces: np.ndarray) -> np.ndarray:
        numbers = np.maximum(faces[:, 0, 0], faces[:, 0, -1])
        return np.stack([one_hot(fer2013)[numbers], one_hot(ferplus or fer2013)[numbers]], axis=1)

    return predict


def test_each_view_is_asked_its_own_question() -> None:
    votes = [
        {"anger": 10},
        {"fear": 6, "anger": 4},
        {"happiness": 5, "neutral": 5},  # a tie: not asked
        {"contempt": 9, "anger": 1},  # none of the seven: not asked
    ]
    evaluation = evaluate(
        answers([ANGER, ANGER, HAPPINESS, ANGER], [ANGER, ANGER, HAPPINESS, ANGER]),
        {"PublicTest": split([ANGER, ANGER, ANGER, ANGER], votes)},
    )
    of_labels = evaluation.result("PublicTest", "fer2013", flips=False)
    of_raters = evaluation.result("PublicTest", "ferplus", flips=False)
    assert (of_labels.faces, of_labels.accuracy) == (4, 0.75)
    assert (of_raters.faces, of_raters.accuracy) == (2, 0.5)
    assert of_raters.recall[[ANGER, FEAR]].tolist() == [1, 0]


def test_the_heads_are_not_exchanged() -> None:
    rows = split([ANGER] * 3, [{"fear": 10}] * 3)
    evaluation = evaluate(answers([ANGER] * 3, [FEAR] * 3), {"PublicTest": rows})
    accuracies = [result.accuracy for result in evaluation.results if result.view in VIEWS]
    assert accuracies == [1, 1, 1, 1]


def test_flips_average_shares_and_not_answers() -> None:
    def predict(faces: np.ndarray) -> np.ndarray:
        """A little for anger as the face is, much for fear in its mirror image."""
        is_mirrored = faces[:, 0, -1] > 0
        shares = np.where(is_mirrored[:, np.newaxis], one_hot([FEAR]), 0.6 * one_hot([ANGER]) + 0.4 * one_hot([FEAR]))
        return np.stack([shares, shares], axis=1)

    evaluation = evaluate(predict, {"PublicTest": split([FEAR, FEAR], first_image=1)})
    assert evaluation.result("PublicTest", "fer2013", flips=False).accuracy == 0
    assert evaluation.result("PublicTest", "fer2013", flips=True).accuracy == 1


def test_images_that_are_in_training_are_left_out_of_unseen() -> None:
    splits = {
        "Training": split([ANGER] * 10),
        "PrivateTest": split([ANGER, ANGER, FEAR, FEAR], [{"anger": 10}] * 4, first_image=8),
    }
    evaluation = evaluate(answers([ANGER] * 12), splits)
    assert evaluation.result("PrivateTest", "fer2013", flips=False).faces == 4
    assert evaluation.result("PrivateTest", "fer2013", flips=False).accuracy == 0.5
    for flips in (False, True):
        unseen = evaluation.result(UNSEEN, "fer2013", flips=flips)
        assert (unseen.faces, unseen.accuracy) == (2, 0.0)
        assert evaluation.result(UNSEEN, "ferplus", flips=flips).accuracy == 1.0


def test_unseen_needs_training_and_a_view_needs_answers() -> None:
    evaluation = evaluate(answers([ANGER] * 2), {"PrivateTest": split([ANGER, FEAR])})
    found = [(result.rows, result.view, result.against) for result in evaluation.results]
    assert found == [("PrivateTest", "fer2013", "label")] * 2 + [("PrivateTest", "combined", "label")] * 2
    with pytest.raises(KeyError):
        evaluation.result("PrivateTest", "ferplus", flips=False)


def test_a_pixel_makes_another_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, CROP_SIDE, CROP_SIDE), np.uint8)
    others = images[[2, 0]].copy()
    others[1, 5, 7] ^= 1
    assert are_among(images, others).tolist() == [False, False, True, False]


def test_json_keeps_every_count_and_no_nan() -> None:
    evaluation = evaluate(answers([ANGER, FEAR]), {"PublicTest": split([ANGER, HAPPINESS], [{"anger": 10}] * 2)})
    results = json.loads(json.dumps(evaluation.as_json()["results"], allow_nan=False))
    assert [(result["view"], result["against"], result["flips"]) for result in results] == [
        (*question, flips) for question in QUESTIONS for flips in (False, True)
    ]
    assert results[0]["recall"] == {**dict.fromkeys(EMOTIONS), "anger": 1.0, "happiness": 0.0}
    assert results[0]["confusion"][HAPPINESS][FEAR] == 1
    assert results[0]["faces"] == np.sum(results[0]["confusion"]) == 2


def test_the_table_has_a_line_for_each_result_and_fits_its_heads() -> None:
    evaluation = evaluate(answers([ANGER, FEAR]), {"PublicTest": split([ANGER, HAPPINESS])})
    head, plain, flipped, *_ = lines = render_results(evaluation).splitlines()
    assert {len(line) for line in lines} == {len(head)}
    assert plain.split() == [
        "PublicTest",
        "fer2013",
        "label",
        "no",
        "2",
        "50.00",
        "50.00",
        "100.00",
        "-",
        "-",
        "0.00",
        *"---",
    ]
    assert flipped.split()[3] == "yes"


def even(faces: np.ndarray) -> np.ndarray:
    """A classifier that gives anger a half and the others a twelfth each, in both views."""
    shares = np.full((len(faces), len(VIEWS), COUNT), 1 / 12)
    shares[:, :, ANGER] = 0.5
    return shares


def test_scores_by_hand() -> None:
    votes = [{"anger": 10}, {"fear": 6, "anger": 4}, {"happiness": 5, "neutral": 5}, {"contempt": 9, "anger": 1}]
    evaluation = evaluate(even, {"PublicTest": split([ANGER, ANGER, ANGER, FEAR], votes)})
    half, twelfth = np.log(2), np.log(12)
    label = evaluation.score("PublicTest", "fer2013", "label")
    assert (label.faces, label.accuracy.value, label.macro_recall.value) == (4, 0.75, 0.5)
    assert label.losses.nll == pytest.approx((3 * half + twelfth) / 4)
    # Without Training the prior is these rows' own: three in four.
    assert label.prior_losses.nll == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    assert label.prior_losses.brier == pytest.approx(0.75 * (2 * 0.25**2) + 0.25 * (2 * 0.75**2))
    majority = evaluation.score("PublicTest", "ferplus", "majority")
    assert (majority.faces, majority.accuracy.value) == (2, 0.5)
    opinions = evaluation.score("PublicTest", "ferplus", "votes")
    assert (opinions.faces, opinions.accuracy) == (4, None)
    assert opinions.losses.nll == pytest.approx((half + (0.6 * twelfth + 0.4 * half) + twelfth + half) / 4)
    # One face a bin: the raters who agree with "anger" are 1, .4, 0 and 1.
    assert opinions.reliability.error == pytest.approx((0.5 + 0.1 + 0.5 + 0.5) / 4)
    with pytest.raises(KeyError):
        evaluation.score("PrivateTest", "fer2013", "label")


def test_combined_is_the_mean_of_the_outputs_and_is_asked_what_both_are() -> None:
    """On the first face the outputs disagree: 1 - part for anger, part for fear; ten raters, six of whom say fear."""
    part = FERPLUS_PARTS["combined"]
    votes = [{"anger": 4, "fear": 6}, {"anger": 10}]
    evaluation = evaluate(answers([ANGER, ANGER], [FEAR, ANGER]), {"PublicTest": split([ANGER, ANGER], votes)})
    label, both = (evaluation.score("PublicTest", "combined", against) for against in ("label", "both"))
    assert label.losses.nll == pytest.approx(-np.log(1 - part) / 2)
    of_anger = (1 - part) + part * 0.4
    assert both.losses.nll == pytest.approx((-of_anger * np.log(1 - part) - (1 - of_anger) * np.log(part)) / 2)
    assert (both.faces, both.accuracy) == (2, None)
    assert evaluation.result("PublicTest", "combined", "label", flips=False).faces == 2
    assert evaluation.result("PublicTest", "combined", "majority", flips=False).faces == 2


def test_opinions_of_one_and_of_many_vary_less_than_of_one() -> None:
    rows = split([ANGER] * 200, [{"anger": 10}] * 200)
    evaluation = evaluate(even, {"PublicTest": rows})
    one, both, many = (
        evaluation.score("PublicTest", "combined", against).reliability.expected
        for against in ("label", "both", "votes")
    )
    assert one > both > many


def test_the_prior_is_that_of_training() -> None:
    splits = {
        "Training": split([ANGER, FEAR], [{"anger": 10}, {"anger": 5, "fear": 5}]),
        "PublicTest": split([ANGER] * 4, [{"anger": 10}] * 4),
    }
    evaluation = evaluate(even, splits)
    assert evaluation.score("PublicTest", "fer2013", "label").prior_losses.nll == pytest.approx(np.log(2))
    assert evaluation.score("PublicTest", "ferplus", "majority").prior_losses.nll == pytest.approx(0)
    assert evaluation.score("PublicTest", "ferplus", "votes").prior_losses.nll == pytest.approx(-np.log(0.75))


def test_scores_tell_what_was_before_the_temperature() -> None:
    rows = split([ANGER] * 4, [{"anger": 10}] * 4)
    evaluation = evaluate(even, {"PublicTest": rows}, temperatures=(2.0, 1.0))
    label, majority = (
        evaluation.score("PublicTest", *kind) for kind in [("fer2013", "label"), ("ferplus", "majority")]
    )
    # Half and six twelfths were sharper before: their squares.
    before = 0.25 / (0.25 + 6 / 144)
    assert label.uncalibrated_losses.nll == pytest.approx(-np.log(before))
    assert label.uncalibrated_reliability.error == pytest.approx(1 - before)
    assert label.losses.nll == majority.losses.nll == pytest.approx(np.log(2))
    assert majority.uncalibrated_losses.nll == pytest.approx(np.log(2))


def test_scores_are_json_and_a_table_that_fits_its_head() -> None:
    evaluation = evaluate(even, {"PublicTest": split([ANGER, FEAR], [{"anger": 10}] * 2)})
    label, _, votes, *_ = scores = json.loads(json.dumps(evaluation.as_json()["scores"], allow_nan=False))
    assert [(score["view"], score["against"]) for score in scores] == [
        ("fer2013", "label"), ("ferplus", "majority"), ("ferplus", "votes"),
        ("combined", "label"), ("combined", "majority"), ("combined", "votes"), ("combined", "both"),
    ]  # fmt: skip
    assert label["accuracy"] == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert votes["accuracy"] is None
    assert set(label["nll"]) == set(label["brier"]) == {"model", "uncalibrated", "prior"}
    assert sum(label["bins"]["faces"]) == 2
    head, *lines = render_scores(evaluation).splitlines()
    assert {len(line) for line in lines} == {len(head)}
    assert lines[0].split()[:6] == ["PublicTest", "fer2013", "label", "2", "50.00", "(0.0-100.0)"]
    assert lines[2].split()[4:6] == ["-", "-"]


def test_the_seven_are_in_the_order_of_the_emotions() -> None:
    assert tuple(VOTES[position] for position in SEVEN) == EMOTIONS
