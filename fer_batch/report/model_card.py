"""Pure: from a model card to the figures that a reader of a report has to know."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fer_batch.emotions import EMOTIONS

ROWS = "PrivateTest"
"""The rows of FER2013 that nothing was chosen by: what is measured on them is what a reader may believe."""


@dataclass(frozen=True)
class Accuracy:
    """How often the model is right, for one of its two answers."""

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
        at = EMOTIONS.index(emotion)
        row = [(name, share) for name, share in zip(EMOTIONS, self.shares[at], strict=True) if name != emotion]
        return sorted(row, key=lambda one: -one[1])


def read_accuracy(card: str, view: str) -> Accuracy | None:
    """What the text of a model card says was measured, without flips; None: it says nothing of the kind.

    Looks for the table of a confusion matrix below the line "`view`, PrivateTest:".
    """
    lines = card.splitlines()
    heading = next((at for at, line in enumerate(lines) if line.strip() == f"`{view}`, {ROWS}:"), None)
    if heading is None:
        return None
    rows = list(_cells(lines[heading + 1 :]))
    try:
        names = rows[0][1:]
        counts = {row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in rows[2:]}
        matrix = tuple(tuple(counts[label][names.index(answer)] for answer in EMOTIONS) for label in EMOTIONS)
    except (IndexError, KeyError, ValueError):
        return None
    faces = sum(map(sum, matrix))
    if not faces:
        return None
    right = [row[at] for at, row in enumerate(matrix)]
    recalls = tuple(hits / max(1, sum(row)) for hits, row in zip(right, matrix, strict=True))
    return Accuracy(faces, sum(right) / faces, recalls, matrix)


def _cells(lines: Sequence[str]) -> Iterator[list[str]]:
    """The cells of the first table in Markdown, row by row, without emphasis."""
    begun = False
    for line in lines:
        if line.startswith("|"):
            begun = True
            yield [re.sub(r"[*`]", "", cell).strip() for cell in line.strip().strip("|").split("|")]
        elif begun or line.strip():
            return
