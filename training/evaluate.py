"""How well a classifier answers, each view on its own questions. Pure NumPy.

Conventions
    Those of :mod:`training.metrics`; where a figure is NaN there, it is null in JSON.
    ``fer2013`` is asked for the data set's label, on every row of the official split.
    ``ferplus`` is asked for the emotion that most of FER+'s raters chose, on the rows where that is one emotion and one
    of the seven (:attr:`training.fer2013.Split.majority`): ties, contempt, unknown and "not a face" are left out.
    Its shares are also held against the raters' own, on every row where one of them chose one of the seven.
    With flips, the shares are the mean of those of a picture and of its mirror image.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from training import metrics
from training.fer2013 import SEVEN, Split
from training.metrics import Estimate, Losses, Reliability

Predict = Callable[[np.ndarray], np.ndarray]
"""(N, 48, 48) uint8 faces to (N, 2, 7) shares, axes as in VIEWS and EMOTIONS."""

TEST_SPLITS = ("PublicTest", "PrivateTest")
UNSEEN = "PrivateTest, unseen"
"""PrivateTest less the rows whose picture, pixel by pixel, also stands in Training."""
UNCALIBRATED = (1.0,) * len(VIEWS)
"""The temperatures of a model whose logits go into the softmax as they are."""


@dataclass(frozen=True)
class Result:
    """One view's answers on one set of rows."""

    rows: str
    """One of TEST_SPLITS, or UNSEEN."""
    view: str
    flips: bool
    confusion: np.ndarray
    """(7, 7) counts."""

    @property
    def faces(self) -> int:
        """How many rows had an answer to be compared with."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Part of the faces that were answered right."""
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
    """What one view's shares are worth on one set of rows, without flips."""

    rows: str
    """One of TEST_SPLITS."""
    view: str
    against: str
    """What they are held against: ``label``, ``majority``, or ``votes``, which are shares of raters."""
    faces: int
    accuracy: Estimate | None
    """None against votes, where no one answer is right."""
    macro_recall: Estimate | None
    reliability: Reliability
    losses: Losses
    uncalibrated_reliability: Reliability
    """Without the model's temperature."""
    uncalibrated_losses: Losses
    prior_losses: Losses
    """Of one constant answer: the mean over Training, or over these rows where Training is not there."""

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
            "nll": {kind: one.nll for kind, one in kinds.items()},
            "brier": {kind: one.brier for kind, one in kinds.items()},
            "bins": {
                "faces": self.reliability.faces.tolist(),
                "confidence": self.reliability.confidence.tolist(),
                "accuracy": self.reliability.accuracy.tolist(),
            },
        }


@dataclass(frozen=True)
class Report:
    """Every result and every score, in the order in which they are shown."""

    results: tuple[Result, ...]
    scores: tuple[Score, ...] = ()

    def one(self, rows: str, view: str, *, flips: bool) -> Result:
        """The result of one view on one set of rows.

        Raises:
            KeyError: there is none.
        """
        for result in self.results:
            if (result.rows, result.view, result.flips) == (rows, view, flips):
                return result
        raise KeyError((rows, view, flips))

    def score(self, rows: str, view: str, against: str) -> Score:
        """The score of one view on one set of rows.

        Raises:
            KeyError: there is none.
        """
        for score in self.scores:
            if (score.rows, score.view, score.against) == (rows, view, against):
                return score
        raise KeyError((rows, view, against))

    def as_json(self) -> list[dict[str, Any]]:
        """Every result, ready for JSON."""
        return [result.as_json() for result in self.results]

    def scores_as_json(self) -> list[dict[str, Any]]:
        """Every score, ready for JSON."""
        return [score.as_json() for score in self.scores]


def evaluate(predict: Predict, splits: Mapping[str, Split], temperatures: Sequence[float] = UNCALIBRATED) -> Report:
    """Ask ``predict`` about the test splits that are there; a view without a single answered row is left out.

    UNSEEN is reported where Training is there too. ``temperatures``, one for each of VIEWS, are those that ``predict``
    applies; without them the scores tell what its shares would be worth.
    """
    results: list[Result] = []
    scores: list[Score] = []
    for name in TEST_SPLITS:
        if name not in splits:
            continue
        split = splits[name]
        plain = predict(split.images)
        flipped = (plain + predict(np.ascontiguousarray(split.images[:, :, ::-1]))) / 2
        every = np.ones(len(split), bool)
        results += _results(name, split, every, plain, flipped)
        if name == "PrivateTest" and "Training" in splits:
            results += _results(UNSEEN, split, ~stands_in(split.images, splits["Training"].images), plain, flipped)
        scores += _scores(name, split, splits.get("Training", split), plain, temperatures)
    return Report(tuple(results), tuple(scores))


def stands_in(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) bool: the very same pixels are a picture of ``others`` (M, 48, 48)."""
    known = {_digest(other) for other in others}
    return np.array([_digest(image) in known for image in images], bool)


def render(report: Report) -> str:
    """A table for a terminal: a line for each result, figures in percent."""
    rows = max((len(result.rows) for result in report.results), default=0)
    heads = ("accuracy", "macro", *(name[:9] for name in EMOTIONS))
    lines = [f"{'rows':<{rows}}  view     flips  faces" + "".join(f"{head:>10}" for head in heads)]
    for result in report.results:
        figures = (result.accuracy, result.macro_recall, *result.recall.tolist())
        lines.append(
            f"{result.rows:<{rows}}  {result.view:<7}  {'yes' if result.flips else 'no':<5}  {result.faces:>5}"
            + "".join(f"{'-' if math.isnan(figure) else format(100 * figure, '.2f'):>10}" for figure in figures)
        )
    return "\n".join(lines)


def render_scores(report: Report) -> str:
    """A table for a terminal: a line for each score, accuracies, recalls and calibration errors in percent.

    ``before`` is without the model's temperature, ``perfect`` what a perfectly calibrated model would show by chance.
    """
    rows = max((len(score.rows) for score in report.scores), default=0)
    heads = f"{'accuracy, 95 %':>20}{'macro, 95 %':>20}{'ECE':>8}{'perfect':>8}{'before':>8}"
    heads += "".join(f"{loss:>8}{'before':>8}{'prior':>8}" for loss in ("NLL", "Brier"))
    lines = [f"{'rows':<{rows}}  view     against   faces{heads}"]
    for score in report.scores:
        errors = (score.reliability.error, score.reliability.expected, score.uncalibrated_reliability.error)
        kinds = (score.losses, score.uncalibrated_losses, score.prior_losses)
        lines.append(
            f"{score.rows:<{rows}}  {score.view:<7}  {score.against:<8}  {score.faces:>5}"
            + f"{_spelled(score.accuracy):>20}{_spelled(score.macro_recall):>20}"
            + "".join(f"{100 * error:>8.2f}" for error in errors)
            + "".join(f"{one.nll:>8.4f}" for one in kinds)
            + "".join(f"{one.brier:>8.4f}" for one in kinds)
        )
    return "\n".join(lines)


def _spelled(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{100 * estimate.value:.2f} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"


def _results(rows: str, split: Split, chosen: np.ndarray, plain: np.ndarray, flipped: np.ndarray) -> Iterator[Result]:
    truths = {"fer2013": split.labels, "ferplus": split.majority}
    for axis, view in enumerate(VIEWS):
        truth = truths[view]
        asked = chosen & (truth >= 0)
        if not asked.any():
            continue
        for flips, shares in ((False, plain), (True, flipped)):
            yield Result(rows, view, flips, metrics.confusion_matrix(truth[asked], shares[asked, axis].argmax(axis=1)))


@dataclass(frozen=True)
class _Question:
    """One thing that a view is held against."""

    view: str
    against: str
    asked: np.ndarray
    """(N,) bool: the rows of the split that have an answer."""
    targets: np.ndarray
    """(M, 7) of the M rows that are asked."""
    raters: np.ndarray
    """(M,) of how many opinions each target is made."""

    @property
    def has_one_answer(self) -> bool:
        """Every target is one emotion."""
        return self.against != "votes"


def _questions(split: Split) -> Iterator[_Question]:
    one = np.ones(len(split), int)
    majority, voted = split.majority, split.has_shares
    clear, voices = majority >= 0, split.votes[:, SEVEN].sum(axis=1, dtype=int)
    yield _Question("fer2013", "label", one > 0, metrics.one_hot(split.labels), one)
    yield _Question("ferplus", "majority", clear, metrics.one_hot(majority[clear]), one[clear])
    yield _Question("ferplus", "votes", voted, split.shares[voted].astype(np.float64), voices[voted])


def _scores(
    rows: str, split: Split, reference: Split, plain: np.ndarray, temperatures: Sequence[float]
) -> Iterator[Score]:
    """``reference`` are the rows that the prior is taken from, if they have an answer of that kind at all."""
    for question, referred in zip(_questions(split), _questions(reference), strict=True):
        if not question.asked.any():
            continue
        axis, targets = VIEWS.index(question.view), question.targets
        shares = plain[question.asked, axis].astype(np.float64)
        uncalibrated = metrics.tempered(shares, 1 / temperatures[axis])
        prior = (referred if referred.asked.any() else question).targets.mean(axis=0)
        accuracy, macro_recall = None, None
        if question.has_one_answer:
            confusion = metrics.confusion_matrix(targets.argmax(axis=1), shares.argmax(axis=1))
            accuracy, macro_recall = metrics.estimates(confusion)
        yield Score(
            rows,
            question.view,
            question.against,
            len(shares),
            accuracy,
            macro_recall,
            reliability=metrics.reliability(shares, targets, question.raters),
            losses=metrics.losses(shares, targets),
            uncalibrated_reliability=metrics.reliability(uncalibrated, targets, question.raters),
            uncalibrated_losses=metrics.losses(uncalibrated, targets),
            prior_losses=metrics.losses(prior, targets),
        )


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
