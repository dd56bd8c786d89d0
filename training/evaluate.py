"""How well a classifier answers, each view on its own question. Pure NumPy.

Conventions
    A class is a position in EMOTIONS. A confusion matrix counts faces: axis 0 is the truth, axis 1 the answer.
    The answer is the class with the largest share; of equal ones, the first.
    The recall of a class is the part of its faces that were answered right: NaN, null in JSON, where it has none.
    Macro recall is the mean over the classes that have a face. Figures are parts of 1, not percent.
    ``fer2013`` is asked for the data set's label, on every row of the official split.
    ``ferplus`` is asked for the emotion that most of FER+'s raters chose, on the rows where that is one emotion and one
    of the seven (:attr:`training.fer2013.Split.majority`): ties, contempt, unknown and "not a face" are left out.
    With flips, the shares are the mean of those of a picture and of its mirror image.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from training.fer2013 import Split

Predict = Callable[[np.ndarray], np.ndarray]
"""(N, 48, 48) uint8 faces to (N, 2, 7) shares, axes as in VIEWS and EMOTIONS."""

TEST_SPLITS = ("PublicTest", "PrivateTest")
UNSEEN = "PrivateTest, unseen"
"""PrivateTest less the rows whose picture, pixel by pixel, also stands in Training."""


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
        return accuracy(self.confusion)

    @property
    def recall(self) -> np.ndarray:
        """(7,) recall of each class."""
        return recall(self.confusion)

    @property
    def macro_recall(self) -> float:
        """Mean recall."""
        return macro_recall(self.confusion)

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
class Report:
    """Every result, in the order in which it is shown."""

    results: tuple[Result, ...]

    def one(self, rows: str, view: str, *, flips: bool) -> Result:
        """The result of one view on one set of rows.

        Raises:
            KeyError: there is none.
        """
        for result in self.results:
            if (result.rows, result.view, result.flips) == (rows, view, flips):
                return result
        raise KeyError((rows, view, flips))

    def as_json(self) -> list[dict[str, Any]]:
        """Every result, ready for JSON."""
        return [result.as_json() for result in self.results]


def evaluate(predict: Predict, splits: Mapping[str, Split]) -> Report:
    """Ask ``predict`` about the test splits that are there; a view without a single answered row is left out.

    UNSEEN is reported where Training is there too.
    """
    results: list[Result] = []
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
    return Report(tuple(results))


def confusion_matrix(truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(7, 7) counts of two (N,) arrays of classes."""
    count = len(EMOTIONS)
    return np.bincount(truth * count + answers, minlength=count**2).reshape(count, count)


def accuracy(confusion: np.ndarray) -> float:
    """Part of the faces on the diagonal; NaN without a face."""
    faces = confusion.sum()
    return float(confusion.trace() / faces) if faces else math.nan


def recall(confusion: np.ndarray) -> np.ndarray:
    """(7,) part of each class's faces on the diagonal; NaN for a class without a face."""
    faces = confusion.sum(axis=1)
    missing = np.full(len(faces), np.nan)
    parts: np.ndarray = np.divide(confusion.diagonal(), faces, out=missing, where=faces > 0)
    return parts


def macro_recall(confusion: np.ndarray) -> float:
    """Mean recall of the classes that have a face; NaN without a face."""
    known = recall(confusion)[confusion.sum(axis=1) > 0]
    return float(known.mean()) if len(known) else math.nan


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


def _results(rows: str, split: Split, chosen: np.ndarray, plain: np.ndarray, flipped: np.ndarray) -> Iterator[Result]:
    truths = {"fer2013": split.labels, "ferplus": split.majority}
    for axis, view in enumerate(VIEWS):
        truth = truths[view]
        asked = chosen & (truth >= 0)
        if not asked.any():
            continue
        for flips, shares in ((False, plain), (True, flipped)):
            yield Result(rows, view, flips, confusion_matrix(truth[asked], shares[asked, axis].argmax(axis=1)))


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
