"""One score by which models are chosen, on PublicTest and on faces of other people. Pure NumPy and OpenCV.

PublicTest alone misleads: a model can be better there, and worse on faces that were gathered and labelled by others, or
on poor images. So five figures count alike (:data:`FIGURES`), in each of the three views: the score is their mean.
``combined`` is compared with labels and with raters' majority on PublicTest, and the mean of both counts. The other
faces are read in one of the shapes of FER2013, as its PrivateTest; emotions with few faces there do not count.
FER2013's own PrivateTest plays no part.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fer_batch.emotions import EMOTIONS, NEUTRAL, TABLE_VIEWS, in_view
from training.evaluate import QUESTIONS, Predict, right_answers
from training.fer2013 import Split
from training.metrics import accuracy, confusion_matrix, macro_recall, recall
from training.robustness import CONDITIONS

FIGURES = ("accuracy", "macro recall", "spoilt accuracy", "others, macro", "others, neutral")
"""On PublicTest: accuracy, macro recall, and mean accuracy under the other CONDITIONS. On the faces of other people:
macro recall over the emotions with FEWEST faces or more, and recall of neutral."""

FEWEST = 20
RESAMPLES = 200


@dataclass(frozen=True)
class Trial:
    """What every model is asked."""

    public: Split
    """PublicTest."""
    others: Split
    """Faces of other people, with labels."""

    def ask(self, predict: Predict) -> "Shares":
        """The shares that a model gives."""
        spoilt = np.stack([predict(condition.change(self.public.images)) for condition in CONDITIONS])
        return Shares(spoilt, predict(self.others.images))


@dataclass(frozen=True)
class Shares:
    """The answers of a model to a trial."""

    public: np.ndarray
    """(C, N, 2, 7) of PublicTest, under each of CONDITIONS."""
    others: np.ndarray
    """(M, 2, 7)"""

    @staticmethod
    def mean(several: Sequence["Shares"]) -> "Shares":
        """Those of a committee."""
        return Shares(
            np.mean([one.public for one in several], axis=0), np.mean([one.others for one in several], axis=0)
        )


@dataclass(frozen=True)
class Score:
    """The figures of a model, parts of 1."""

    figures: np.ndarray
    """(3, 5): TABLE_VIEWS, FIGURES."""
    resampled: np.ndarray
    """(R,) the score in RESAMPLES resamples of the faces, the same ones for every model."""

    @property
    def value(self) -> float:
        """The mean of all figures."""
        return float(self.figures.mean())

    def error_against(self, other: "Score") -> float:
        """Standard error of the difference of two scores."""
        return float((self.resampled - other.resampled).std())


def measure(shares: Shares, trial: Trial, *, seed: int = 0) -> Score:
    """The score of a model's answers."""
    answers = [
        (in_view(shares.public, view).argmax(axis=-1), in_view(shares.others, view).argmax(axis=-1))
        for view in TABLE_VIEWS
    ]
    random = np.random.default_rng(seed)
    public, others = len(trial.public), len(trial.others)
    resampled = [
        _figures(answers, trial, random.integers(public, size=public), random.integers(others, size=others)).mean()
        for _ in range(RESAMPLES)
    ]
    return Score(_figures(answers, trial, np.arange(public), np.arange(others)), np.array(resampled))


def choose(shares: Mapping[str, Shares], trial: Trial) -> Iterator[tuple[str, Score]]:
    """Greedy forward selection (Caruana et al. 2004, doi:10.1145/1015330.1015432), each model once.

    The best model first, then the one that raises the committee's score most; all of them, so that one sees where it
    stops to rise. Gives each name and the score of the committee that ends with it.
    """
    chosen: list[str] = []
    while left := [name for name in shares if name not in chosen]:
        scores = {name: measure(Shares.mean([shares[one] for one in (*chosen, name)]), trial) for name in left}
        best = max(left, key=lambda name: scores[name].value)
        chosen.append(best)
        yield best, scores[best]


def render_scores(scores: Mapping[str, Score]) -> str:
    """A table for a terminal, in percent; after ± the standard error of the difference to the first row's score."""
    width = max(map(len, scores))
    first = next(iter(scores.values()))
    lines = [f"{'':<{width}}  view    " + "".join(f"{name:>17}" for name in FIGURES) + f"{'score':>8}"]
    for name, score in scores.items():
        for view, figures in zip(TABLE_VIEWS, score.figures, strict=True):
            cells = "".join(f"{100 * figure:>17.1f}" for figure in figures)
            lines.append(f"{name:<{width}}  {view:<8}{cells}{100 * figures.mean():>8.2f}")
        difference = f"{100 * (score.value - first.value):+.2f} ± {100 * score.error_against(first):.2f}"
        lines.append(f"{name:<{width}}  all     {difference:>85}{100 * score.value:>8.2f}")
    return "\n".join(lines)


def _figures(
    answers: Sequence[tuple[np.ndarray, np.ndarray]], trial: Trial, public: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """(3, 5) of some rows of PublicTest and of the others."""
    labels = trial.others.labels
    frequent = np.bincount(labels, minlength=len(EMOTIONS)) >= FEWEST
    rows = []
    for view, (of_public, of_others) in zip(TABLE_VIEWS, answers, strict=True):
        asked = []
        for against in (against for asked_view, against in QUESTIONS if asked_view == view):
            truth = right_answers(trial.public, against)[public]
            known = truth >= 0
            clean, *spoilt = of_public[:, public[known]]
            confusion = confusion_matrix(truth[known], clean)
            hits = np.mean([answer == truth[known] for answer in spoilt])
            asked.append((accuracy(confusion), macro_recall(confusion), hits))
        recalls = recall(confusion_matrix(labels[others], of_others[others]))
        rows.append((*np.mean(asked, axis=0), np.nanmean(recalls[frequent]), recalls[NEUTRAL]))
    return np.array(rows)
