"""The figures: how often a classifier is right, and how good its shares are as probabilities. Pure NumPy.

Conventions
    A class is a position in EMOTIONS; ``shares`` are (N, 7), each row summing to 1; ``targets`` are (N, 7) too, one-hot
    where a single class is right (:func:`one_hot`), shares of raters where there are several raters.
    The answer is the class with the largest share; of equal ones, the first. Its share is the confidence.
    A confusion matrix counts faces: axis 0 is the truth, axis 1 the answer.
    The recall of a class is the part of its faces that were answered right: NaN where it has none.
    Macro recall is the mean over the classes that have a face. Figures are parts of 1, not percent.
    Negative log likelihood is in nats a face, the cross-entropy where targets are shares. A share counts as no smaller
    than float32's smallest normal number, so that an error at share 0 costs 87 nats and not infinity.
    The Brier score is the squared distance of shares and targets, summed over the seven (Brier 1950): 0 to 2 a face.
    The calibration error is that of the answer alone (Guo et al. 2017, arXiv:1706.04599), over bins that hold equally
    many faces (Nixon et al. 2019, arXiv:1904.01685): the mean of |accuracy - mean confidence|. Of equal confidences the
    first rows come first. It is above 0 by chance even for a perfect classifier; :attr:`Reliability.expected` says how
    far. With several raters, accuracy is the part of the raters who agree with the answer. Where a target is the mean
    of several opinions, each of one rater or more, accuracy is that mean of the parts.
    Random draws are seeded: the same rows give the same figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer_batch.emotions import EMOTIONS

BINS = 15
DRAWS = 200
"""Draws of answers from which the calibration error of a perfect classifier is estimated."""
RESAMPLES = 1000
LEVEL = 0.95
"""Part of the resamples that an interval holds."""
SMALLEST_SHARE = float(np.finfo(np.float32).tiny)


Opinions = Sequence[tuple[float, np.ndarray]]
"""Of which opinions targets are the mean: the part of each, and its number of raters, (N,)."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval: percentiles over resamples of the faces (Efron 1979)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Losses:
    """How far shares are from targets; less is better."""

    nll: float
    """Negative log likelihood, nats a face."""
    brier: float
    """Brier score, 0 to 2 a face."""


@dataclass(frozen=True)
class Reliability:
    """How far confidence and accuracy are apart."""

    error: float
    """Expected calibration error."""
    expected: float
    """The same of a perfectly calibrated classifier with these confidences, mean over DRAWS."""
    faces: np.ndarray
    """(B,) faces in each bin, from the least to the most confident; B is BINS, or N where there are fewer faces."""
    confidence: np.ndarray
    """(B,) mean confidence."""
    accuracy: np.ndarray
    """(B,) part of the faces that were answered right, or mean part of the raters who agree."""


def one_hot(classes: np.ndarray) -> np.ndarray:
    """(N, 7) targets of (N,) classes."""
    targets: np.ndarray = np.eye(len(EMOTIONS))[classes]
    return targets


def confusion_matrix(truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(7, 7) counts of two (N,) arrays of classes."""
    count = len(EMOTIONS)
    return np.bincount(truth * count + answers, minlength=count**2).reshape(count, count)


def accuracy(confusion: np.ndarray) -> float:
    """Part of the faces on the diagonal; NaN without a face."""
    faces = confusion.sum()
    return float(confusion.trace() / faces) if faces else math.nan


def recall(confusion: np.ndarray) -> np.ndarray:
    """(…, 7) part of each class's faces on the diagonal of (…, 7, 7); NaN for a class without a face."""
    faces = confusion.sum(axis=-1)
    right = confusion.diagonal(axis1=-2, axis2=-1)
    parts: np.ndarray = np.divide(right, faces, out=np.full(faces.shape, np.nan), where=faces > 0)
    return parts


def macro_recall(confusion: np.ndarray) -> float:
    """Mean recall of the classes that have a face; NaN without a face."""
    return float(np.nanmean(recall(confusion))) if confusion.any() else math.nan


def estimates(confusion: np.ndarray, *, seed: int = 0) -> tuple[Estimate, Estimate]:
    """Accuracy and macro recall of (7, 7) counts of at least one face, with their intervals.

    To draw as many faces with replacement is the same as to draw the matrix's cells from a multinomial distribution. In
    a resample without any face of a class, macro recall is the mean of the others.
    """
    faces = int(confusion.sum())
    cells = np.random.default_rng(seed).multinomial(faces, confusion.ravel() / faces, size=RESAMPLES)
    drawn = cells.reshape(RESAMPLES, *confusion.shape)
    accuracies = drawn.trace(axis1=1, axis2=2) / faces
    macros = np.nanmean(recall(drawn), axis=1)
    return _estimate(accuracy(confusion), accuracies), _estimate(macro_recall(confusion), macros)


def losses(shares: np.ndarray, targets: np.ndarray) -> Losses:
    """Means over the rows; ``shares`` may also be a single row, (7,), for a constant answer."""
    shares = shares.astype(np.float64)
    logs = np.log(np.maximum(shares, SMALLEST_SHARE))
    return Losses(
        nll=float(-(targets * logs).sum(axis=1).mean()), brier=float(((shares - targets) ** 2).sum(axis=1).mean())
    )


def reliability(shares: np.ndarray, targets: np.ndarray, opinions: Opinions, *, seed: int = 0) -> Reliability:
    """The calibration of (N, 7) shares, N > 0; ``opinions`` says whose opinions the targets are."""
    confidence = shares.max(axis=1).astype(np.float64)
    order = np.argsort(confidence, kind="stable")
    agreed = targets[np.arange(len(targets)), shares.argmax(axis=1)][order]
    confidence = confidence[order]
    rows, bins = len(targets), min(BINS, len(targets))
    starts = np.arange(bins) * rows // bins
    faces = np.diff(starts, append=rows)
    confidences = np.add.reduceat(confidence, starts)

    def error(agreed: np.ndarray) -> np.ndarray:
        """(...) errors of (..., N) parts."""
        return np.asarray(np.abs(np.add.reduceat(agreed, starts, axis=-1) - confidences).sum(axis=-1) / rows)

    # Raters drawn from the shares agree with the answer as often as its share says.
    random, chance = np.random.default_rng(seed), confidence.clip(0, 1)
    drawn = sum(part * random.binomial(n[order], chance, size=(DRAWS, rows)) / n[order] for part, n in opinions)
    return Reliability(
        error=float(error(agreed)),
        expected=float(error(np.asarray(drawn)).mean()),
        faces=faces,
        confidence=confidences / faces,
        accuracy=np.add.reduceat(agreed, starts) / faces,
    )


def tempered(shares: np.ndarray, temperature: float) -> np.ndarray:
    """(N, 7) float64: the shares that the same logits give when they are divided by ``temperature``.

    Logarithms of shares are logits, up to a constant that does not change the softmax. A share of 0 stays near 0.
    """
    logits = np.log(np.maximum(shares.astype(np.float64), SMALLEST_SHARE)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    even: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return even


def _estimate(value: float, resampled: np.ndarray) -> Estimate:
    low, high = np.quantile(resampled, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(value, float(low), float(high))
