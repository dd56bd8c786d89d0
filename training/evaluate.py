"""How well a classifier answers, each view compared with its own ground truth. Pure NumPy.

Conventions
    Those of :mod:`training.metrics`; where a figure is NaN there, it is null in JSON.
    ``fer2013`` is compared with the data set's label, on every row of the official split.
    ``ferplus`` is compared with the emotion that most of FER+'s raters chose, on the rows where that is a single one of
    the seven (:attr:`training.fer2013.Split.majority`): ties, contempt, unknown and "not a face" are left out.
    Its shares are also compared with the raters' own, on every row where a rater chose one of the seven.
    ``combined`` is compared with all of these, and with the same mean of label and raters' shares as it is of the two
    others (``both``).
    With flips, the shares are the mean of those of an image and of its mirror image.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_batch.emotions import COMBINED, EMOTIONS, FERPLUS_PARTS, VIEWS, in_view
from training import metrics
from training.fer2013 import SEVEN, Split
from training.metrics import Estimate, Losses, Opinions, Reliability

Predict = Callable[[np.ndarray], np.ndarray]
"""(N, 48, 48) uint8 faces to (N, 2, 7) shares, axes as in VIEWS and EMOTIONS."""

LABEL, MAJORITY, VOTES, BOTH = "label", "majority", "votes", "both"
"""Compared with FER2013's label; FER+'s top vote; the shares of raters; the mean of label and raters' shares."""

QUESTIONS = (("fer2013", LABEL), ("ferplus", MAJORITY), (COMBINED, LABEL), (COMBINED, MAJORITY))
"""Each view, and what its answers are compared with."""

TEST_SPLITS = ("PublicTest", "PrivateTest")
UNSEEN = "PrivateTest, unseen"
"""PrivateTest without the rows whose image is, pixel by pixel, also one of Training's."""
UNCALIBRATED = (1.0,) * len(VIEWS)
"""The temperatures, one for each of VIEWS, of a model whose logits go into the softmax as they are."""


@dataclass(frozen=True)
class Result:
    """A view's answers on a set of rows."""

    rows: str
    """One of TEST_SPLITS, or UNSEEN."""
    view: str
    against: str
    """LABEL or MAJORITY."""
    flips: bool
    confusion: np.ndarray
    """(7, 7) faces: axis 0 is the truth, axis 1 the answer."""

    @property
    def faces(self) -> int:
        """Rows that have a ground truth."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Part of the faces that were answered right, 0 to 1."""
        return metrics.accuracy(self.confusion)

    @property
    def recall(self) -> np.ndarray:
        """(7,) recall of each class."""
        return metrics.recall(self.confusion)

    @property
    def macro_recall(self) -> float:
        """Mean recall."""
        return metrics.macro_recall(self.confusion)

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "rows": self.rows,
            "view": self.view,
            "against": self.against,
            "flips": self.flips,
            "faces": self.faces,
            "accuracy": self.accuracy,
            "macro_recall": self.macro_recall,
            "recall": {
                name: None if math.isnan(value) else value
                for name, value in zip(EMOTIONS, self.recall.tolist(), strict=True)
            },
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True)
class Score:
    """How good a view's shares are as probabilities on a set of rows, without flips."""

    rows: str
    """One of TEST_SPLITS."""
    view: str
    against: str
    """LABEL, MAJORITY, VOTES or BOTH."""
    faces: int
    accuracy: Estimate | None
    """None against VOTES and BOTH, where no single answer is right."""
    macro_recall: Estimate | None
    reliability: Reliability
    losses: Losses
    uncalibrated_reliability: Reliability
    """Without the model's temperature."""
    uncalibrated_losses: Losses
    prior_losses: Losses
    """Those of a constant answer: the mean over Training, or over these rows where there is no Training."""

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        kinds = {"model": self.losses, "uncalibrated": self.uncalibrated_losses, "prior": self.prior_losses}
        return {
            "rows": self.rows,
            "view": self.view,
            "against": self.against,
            "faces": self.faces,
            "accuracy": asdict(self.accuracy) if self.accuracy else None,
            "macro_recall": asdict(self.macro_recall) if self.macro_recall else None,
            "calibration_error": {
                "model": self.reliability.error,
                "perfect": self.reliability.expected,
                "uncalibrated": self.uncalibrated_reliability.error,
            },
            "nll": {kind: losses.nll for kind, losses in kinds.items()},
            "brier": {kind: losses.brier for kind, losses in kinds.items()},
            "bins": {
                "faces": self.reliability.faces.tolist(),
                "confidence": self.reliability.confidence.tolist(),
                "accuracy": self.reliability.accuracy.tolist(),
            },
        }


@dataclass(frozen=True)
class Evaluation:
    """Every result and every score, in the order in which they are shown."""

    results: tuple[Result, ...]
    scores: tuple[Score, ...] = ()

    def result(self, rows: str, view: str, against: str | None = None, *, flips: bool) -> Result:
        """The result of a view on a set of rows; ``against`` may be left out for one of VIEWS.

        Raises:
            KeyError: there is none.
        """
        against = against or dict(QUESTIONS[:2])[view]
        for result in self.results:
            if (result.rows, result.view, result.against, result.flips) == (rows, view, against, flips):
                return result
        raise KeyError((rows, view, against, flips))

    def score(self, rows: str, view: str, against: str) -> Score:
        """The score of a view on a set of rows.

        Raises:
            KeyError: there is none.
        """
        for score in self.scores:
            if (score.rows, score.view, score.against) == (rows, view, against):
                return score
        raise KeyError((rows, view, against))

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Every result and every score, ready for JSON."""
        return {
            "results": [result.as_json() for result in self.results],
            "scores": [score.as_json() for score in self.scores],
        }


def evaluate(predict: Predict, splits: Mapping[str, Split], temperatures: Sequence[float] = UNCALIBRATED) -> Evaluation:
    """Evaluate ``predict`` on those of TEST_SPLITS that are there; a view without any ground truth is left out.

    UNSEEN is added where Training is there too. ``temperatures``, one for each of VIEWS, are those that ``predict``
    applies: the scores say how good its shares would be without them.
    """
    results: list[Result] = []
    scores: list[Score] = []
    for name in TEST_SPLITS:
        if name not in splits:
            continue
        split = splits[name]
        plain = predict(split.images)
        flipped = (plain + predict(np.ascontiguousarray(split.images[:, :, ::-1]))) / 2
        all_rows = np.ones(len(split), bool)
        results += _results(name, split, all_rows, plain, flipped)
        if name == "PrivateTest" and "Training" in splits:
            results += _results(UNSEEN, split, ~are_among(split.images, splits["Training"].images), plain, flipped)
        scores += _scores(name, split, splits.get("Training", split), plain, temperatures)
    return Evaluation(tuple(results), tuple(scores))


def are_among(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) bool: which of ``images`` (N, 48, 48) are, pixel by pixel, also one of ``others`` (M, 48, 48)."""
    known = {_digest(other) for other in others}
    return np.array([_digest(image) in known for image in images], bool)


def right_answers(split: Split, against: str) -> np.ndarray:
    """(N,) the right answers of a split, positions in EMOTIONS; -1: none. ``against`` is LABEL or MAJORITY."""
    return split.labels if against == LABEL else split.majority


def render_results(evaluation: Evaluation) -> str:
    """A table for a terminal: a line for each result, figures in percent."""
    rows = max((len(result.rows) for result in evaluation.results), default=0)
    heads = ("accuracy", "macro", *(name[:9] for name in EMOTIONS))
    lines = [f"{'rows':<{rows}}  view      against   flips  faces" + "".join(f"{head:>10}" for head in heads)]
    for result in evaluation.results:
        figures = (result.accuracy, result.macro_recall, *result.recall.tolist())
        lines.append(
            f"{result.rows:<{rows}}  {result.view:<8}  {result.against:<8}  {'yes' if result.flips else 'no':<5}"
            f"  {result.faces:>5}"
            + "".join(f"{'-' if math.isnan(figure) else format(100 * figure, '.2f'):>10}" for figure in figures)
        )
    return "\n".join(lines)


def render_scores(evaluation: Evaluation) -> str:
    """A table for a terminal: a line for each score, accuracies, recalls and calibration errors in percent.

    ``before`` is without the model's temperature, ``perfect`` what a perfectly calibrated model would show by chance.
    """
    rows = max((len(score.rows) for score in evaluation.scores), default=0)
    heads = f"{'accuracy, 95 %':>20}{'macro, 95 %':>20}{'ECE':>8}{'perfect':>8}{'before':>8}"
    heads += "".join(f"{loss:>8}{'before':>8}{'prior':>8}" for loss in ("NLL", "Brier"))
    lines = [f"{'rows':<{rows}}  view      against   faces{heads}"]
    for score in evaluation.scores:
        errors = (score.reliability.error, score.reliability.expected, score.uncalibrated_reliability.error)
        kinds = (score.losses, score.uncalibrated_losses, score.prior_losses)
        lines.append(
            f"{score.rows:<{rows}}  {score.view:<8}  {score.against:<8}  {score.faces:>5}"
            + f"{_render_estimate(score.accuracy):>20}{_render_estimate(score.macro_recall):>20}"
            + "".join(f"{100 * error:>8.2f}" for error in errors)
            + "".join(f"{losses.nll:>8.4f}" for losses in kinds)
            + "".join(f"{losses.brier:>8.4f}" for losses in kinds)
        )
    return "\n".join(lines)


def _render_estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{100 * estimate.value:.2f} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"


def _results(rows: str, split: Split, chosen: np.ndarray, plain: np.ndarray, flipped: np.ndarray) -> Iterator[Result]:
    for view, against in QUESTIONS:
        right = right_answers(split, against)
        known = chosen & (right >= 0)
        if not known.any():
            continue
        for flips, shares in ((False, plain), (True, flipped)):
            answers = in_view(shares[known], view).argmax(axis=1)
            yield Result(rows, view, against, flips, metrics.confusion_matrix(right[known], answers))


@dataclass(frozen=True)
class _GroundTruth:
    """Something with which a view is compared."""

    view: str
    against: str
    known: np.ndarray
    """(N,) bool: the rows of the split that have it."""
    targets: np.ndarray
    """(M, 7) of the M known rows."""
    opinions: Opinions

    @property
    def is_single_emotion(self) -> bool:
        """Every target is a single emotion."""
        return self.against in (LABEL, MAJORITY)


def _ground_truths(split: Split) -> Iterator[_GroundTruth]:
    single = np.ones(len(split), int)
    majority, voted = split.majority, split.has_shares
    clear, raters = majority >= 0, split.votes[:, SEVEN].sum(axis=1, dtype=int)
    labels, shares = metrics.one_hot(split.labels), split.shares[voted].astype(np.float64)
    part = FERPLUS_PARTS[COMBINED]
    one, voters = single[voted], raters[voted]
    kinds: dict[str, tuple[np.ndarray, np.ndarray, Opinions]] = {
        LABEL: (single > 0, labels, [(1, single)]),
        MAJORITY: (clear, metrics.one_hot(majority[clear]), [(1, single[clear])]),
        VOTES: (voted, shares, [(1, voters)]),
        BOTH: (voted, (1 - part) * labels[voted] + part * shares, [(1 - part, one), (part, voters)]),
    }
    for view, against in (*QUESTIONS[:2], ("ferplus", VOTES), *QUESTIONS[2:], (COMBINED, VOTES), (COMBINED, BOTH)):
        yield _GroundTruth(view, against, *kinds[against])


def _scores(
    rows: str, split: Split, reference: Split, plain: np.ndarray, temperatures: Sequence[float]
) -> Iterator[Score]:
    """``reference`` are the rows that the prior is taken from, where they have a ground truth of that kind."""
    for truth, referred in zip(_ground_truths(split), _ground_truths(reference), strict=True):
        if not truth.known.any():
            continue
        targets, outputs = truth.targets, plain[truth.known].astype(np.float64)
        shares = in_view(outputs, truth.view)
        tempered = [metrics.tempered(outputs[:, axis], 1 / value) for axis, value in enumerate(temperatures)]
        uncalibrated = in_view(np.stack(tempered, axis=1), truth.view)
        prior = (referred if referred.known.any() else truth).targets.mean(axis=0)
        accuracy, macro_recall = None, None
        if truth.is_single_emotion:
            confusion = metrics.confusion_matrix(targets.argmax(axis=1), shares.argmax(axis=1))
            accuracy, macro_recall = metrics.estimates(confusion)
        yield Score(
            rows,
            truth.view,
            truth.against,
            len(shares),
            accuracy,
            macro_recall,
            reliability=metrics.reliability(shares, targets, truth.opinions),
            losses=metrics.losses(shares, targets),
            uncalibrated_reliability=metrics.reliability(uncalibrated, targets, truth.opinions),
            uncalibrated_losses=metrics.losses(uncalibrated, targets),
            prior_losses=metrics.losses(prior, targets),
        )


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
