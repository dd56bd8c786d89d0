"""The score that chooses models, by hand."""

import numpy as np
import pytest

from fer_batch.emotions import EMOTIONS, NEUTRAL, TABLE_VIEWS
from training.fer2013 import SEVEN, VOTES, Split
from training.robustness import CONDITIONS
from training.scoring import FEWEST, FIGURES, Shares, Trial, choose, measure, render_scores

COUNT = len(EMOTIONS)
ANGER, HAPPINESS = EMOTIONS.index("anger"), EMOTIONS.index("happiness")


def rows(labels: np.ndarray, majority: np.ndarray) -> Split:
    votes = np.zeros((len(labels), len(VOTES)), np.uint8)
    votes[np.arange(len(labels)), np.array(SEVEN)[majority]] = 10
    return Split(np.zeros((len(labels), 48, 48), np.uint8), labels, votes)


@pytest.fixture
def trial() -> Trial:
    """PublicTest: 70 faces, whose raters call anger neutral. Others: 50 neutral, 20 happy, 3 angry."""
    labels = np.arange(70) % COUNT
    others = np.array([NEUTRAL] * 50 + [HAPPINESS] * FEWEST + [ANGER] * 3)
    return Trial(rows(labels, np.where(labels == ANGER, NEUTRAL, labels)), rows(others, others))


def answering(fer2013: np.ndarray, ferplus: np.ndarray, others: np.ndarray) -> Shares:
    """A model that is a little surer of its first output's answer than of its second's, under every condition."""
    public = np.stack([np.eye(COUNT)[fer2013], 0.9 * np.eye(COUNT)[ferplus] + 0.1 / COUNT], axis=1)
    return Shares(np.stack([public] * len(CONDITIONS)), np.stack([np.eye(COUNT)[others]] * 2, axis=1))


def test_figures_by_hand(trial: Trial) -> None:
    labels, majority = trial.public.labels, trial.public.majority
    score = measure(answering(labels, majority, np.where(trial.others.labels == ANGER, 0, NEUTRAL)), trial)
    combined, fer2013, ferplus = score.figures
    # All that are not neutral are called neutral: happiness is never right; anger has too few faces to count.
    others = [0.5, 1.0]
    assert fer2013 == pytest.approx([1, 1, 1, *others])
    assert ferplus == pytest.approx([1, 1, 1, *others])
    # The mean follows the output that counts for more: right by raters, and by labels where these agree.
    assert combined == pytest.approx([(1 + 6 / 7) / 2] * 3 + others)
    assert score.value == pytest.approx(score.figures.mean())


def test_spoilt_images_are_those_that_are_not_clean(trial: Trial) -> None:
    right = answering(trial.public.labels, trial.public.majority, trial.others.labels)
    wrong = answering((trial.public.labels + 1) % COUNT, (trial.public.majority + 1) % COUNT, trial.others.labels)
    public = np.concatenate([right.public[:1], wrong.public[1:]])
    figures = measure(Shares(public, right.others), trial).figures[TABLE_VIEWS.index("fer2013")]
    assert dict(zip(FIGURES, figures, strict=True))["accuracy"] == 1
    assert dict(zip(FIGURES, figures, strict=True))["spoilt accuracy"] == 0


def test_a_model_does_not_differ_from_itself_and_a_worse_one_is_told(trial: Trial) -> None:
    right = answering(trial.public.labels, trial.public.majority, trial.others.labels)
    noise = np.random.default_rng(0).integers(COUNT, size=70)
    worse = answering(noise, noise, trial.others.labels)
    first, second = measure(right, trial), measure(worse, trial)
    assert first.error_against(first) == 0
    assert first.value - second.value > 3 * first.error_against(second) > 0
    head, *lines = render_scores({"right": first, "worse": second}).splitlines()
    assert {len(line) for line in lines} == {len(head)}
    assert lines[3].split() == ["right", "all", "+0.00", "±", "0.00", f"{100 * first.value:.2f}"]


def test_a_committee_begins_with_the_best_and_takes_who_helps_most(trial: Trial) -> None:
    labels, majority, others = trial.public.labels, trial.public.majority, trial.others.labels
    half = np.arange(70) < 30
    shares = {
        "none": answering((labels + 1) % COUNT, (majority + 1) % COUNT, (others + 1) % COUNT),
        "few": answering(np.where(half, labels, 1), np.where(half, majority, 1), others),
        "most": answering(np.where(half, 1, labels), np.where(half, 1, majority), others),
    }
    names, scores = zip(*choose(shares, trial), strict=True)
    assert names == ("most", "few", "none")
    assert scores[0].value == measure(shares["most"], trial).value
    expected = measure(Shares.mean([shares["most"], shares["few"]]), trial)
    assert scores[1].value == expected.value
