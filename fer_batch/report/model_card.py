"""Pure: from a model's metrics to the figures that a reader of a report has to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fer_batch.emotions import EMOTIONS

ROWS = "PrivateTest"
"""The rows of FER2013 by which nothing was chosen, neither settings nor epochs: their figures are not too good."""


@dataclass(frozen=True)
class Accuracy:
    """How often one view of the model is right, compared with one kind of answer."""

    faces: int
    accuracy: float
    """Part of the faces answered as they are labelled, 0 to 1."""
    recalls: tuple[float, ...]
    """(7,) of the faces labelled so, the part that is answered so, 0 to 1."""
    confusion: tuple[tuple[int, ...], ...]
    """(7, 7) faces: a row for each label, a column for each answer."""

    @property
    def shares(self) -> tuple[tuple[float, ...], ...]:
        """(7, 7) the rows of the confusion matrix as parts of each label's faces; a label without faces has zeros."""
        return tuple(tuple(count / max(1, sum(row)) for count in row) for row in self.confusion)

    def mistaken(self, emotion: str) -> list[tuple[str, float]]:
        """The answers that faces of this label get instead, and how often, the most frequent first."""
        row = zip(EMOTIONS, self.shares[EMOTIONS.index(emotion)], strict=True)
        return sorted(((name, share) for name, share in row if name != emotion), key=lambda answer: -answer[1])


def read_accuracy(metrics: Mapping[str, Any], view: str, against: str | None = None) -> Accuracy | None:
    """What was measured of one view on ROWS, without flips; None: the metrics do not say.

    ``metrics`` are those that ``python -m training release`` writes beside a model. ``against`` is "label" (of FER2013)
    or "majority" (of FER+'s raters); if left out, the majority for ``ferplus``, and the label for other views.
    """
    against = against or ("majority" if view == "ferplus" else "label")
    try:
        names = metrics["emotions"]
        counts = next(
            result["confusion"]
            for result in metrics["results"]
            if (result["rows"], result["view"], result["against"], result["flips"]) == (ROWS, view, against, False)
        )
        matrix = tuple(
            tuple(int(counts[names.index(label)][names.index(answer)]) for answer in EMOTIONS) for label in EMOTIONS
        )
    except (StopIteration, LookupError, TypeError, ValueError):
        return None
    faces = sum(map(sum, matrix))
    if not faces:
        return None
    right = [row[index] for index, row in enumerate(matrix)]
    recalls = tuple(hits / max(1, sum(row)) for hits, row in zip(right, matrix, strict=True))
    return Accuracy(faces, sum(right) / faces, recalls, matrix)
