"""How a model answers on faces of other people, and how often it sees expressions in neutral ones. Pure NumPy.

A video of neutral faces that change quickly stands for somebody who speaks: every face is a little different from
the one before, and none shows an expression. Nobody speaks like that, so the figures compare views and models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_batch.analysis import episodes
from fer_batch.analysis.series import HAPPINESS, FaceSeries
from fer_batch.emotions import EMOTIONS, NEUTRAL, TABLE_VIEWS, in_view
from fer_batch.errors import UsageError
from fer_batch.options import Options
from training.evaluate import Predict
from training.fer2013 import Split
from training.metrics import confusion_matrix, recall
from training.scoring import FEWEST

PACES = ((0.12, 0.3), (0.3, 0.7))
"""Shortest and longest time, in seconds, for which a face of the video is shown: as syllables, and as words."""

SECONDS = 3600
FPS = 25


@dataclass(frozen=True)
class Alarms:
    """What is seen in neutral faces that change at one of PACES, by the default limits of episodes."""

    pace: tuple[float, float]
    happiness: float
    """Episodes a minute."""
    others: float
    """Episodes of the other five expressions a minute."""
    led: float
    """Part of the time in which an expression other than happiness has the largest share."""


@dataclass(frozen=True)
class ViewResult:
    """How one of TABLE_VIEWS answers."""

    view: str
    recall: Mapping[str, float]
    """By emotion, of those with FEWEST faces or more; parts of 1."""
    macro_recall: float
    alarms: Sequence[Alarms]


def measure_others(predict: Predict, split: Split) -> tuple[ViewResult, ...]:
    """Every view on a set of other people's faces.

    Raises:
        UsageError: it has fewer than FEWEST neutral faces.
    """
    counts = np.bincount(split.labels, minlength=len(EMOTIONS))
    if counts[NEUTRAL] < FEWEST:
        raise UsageError(f"There are {counts[NEUTRAL]} neutral faces of other people, and {FEWEST} are needed.")
    shares, results = predict(split.images), []
    for view in TABLE_VIEWS:
        shown = in_view(shares, view)
        recalls = recall(confusion_matrix(split.labels, shown.argmax(axis=1)))
        known = {name: float(recalls[at]) for at, name in enumerate(EMOTIONS) if counts[at] >= FEWEST}
        neutral = shown[split.labels == NEUTRAL]
        alarms = tuple(_alarms(neutral, pace) for pace in PACES)
        results.append(ViewResult(view, known, float(np.mean(list(known.values()))), alarms))
    return tuple(results)


def as_json(results: Sequence[ViewResult], split: Split) -> dict[str, Any]:
    """Every figure, ready for JSON."""
    counts = np.bincount(split.labels, minlength=len(EMOTIONS)).tolist()
    return {
        "faces": dict(zip(EMOTIONS, counts, strict=True)),
        "sha256": split.sha256,
        "seconds": SECONDS,
        "views": [asdict(result) for result in results],
    }


def render_others(results: Sequence[ViewResult]) -> str:
    """Lines for a terminal: recalls in percent, and what is seen in neutral faces."""
    lines = []
    for result in results:
        recalls = ", ".join(f"{name} {100 * found:.1f}" for name, found in result.recall.items())
        lines.append(f"{result.view:<8}  macro recall {100 * result.macro_recall:.1f}: {recalls}")
        for found in result.alarms:
            shortest, longest = found.pace
            lines.append(
                f"          neutral faces, {shortest:g} to {longest:g} s each: {found.happiness:.1f} episodes of "
                f"happiness and {found.others:.1f} of others a minute; others lead {100 * found.led:.1f} % of the time"
            )
    return "\n".join(lines)


def _alarms(shares: np.ndarray, pace: tuple[float, float]) -> Alarms:
    """What is seen in SECONDS of faces with ``shares`` (N, 7), drawn at random, always the same ones."""
    random = np.random.default_rng(0)
    ends = random.uniform(*pace, size=round(SECONDS / pace[0])).cumsum()
    faces = random.integers(len(shares), size=len(ends))
    starts = np.arange(SECONDS * FPS) / FPS
    frames = shares[faces[np.searchsorted(ends, starts, side="right")]].astype(np.float64)
    strongest = frames.argmax(axis=1)
    series = FaceSeries(0, "", np.arange(len(starts)), starts, np.full(len(starts), 1 / FPS), frames, strongest)
    options = Options()
    rule = episodes.Rule(options.episode_enter, options.episode_leave, options.episode_shortest, options.episode_gap)
    found = [episode.emotion for episode in episodes.find(series, "", rule)]
    happy = found.count(EMOTIONS[HAPPINESS])
    minutes = SECONDS / 60
    led = float((~np.isin(strongest, (HAPPINESS, NEUTRAL))).mean())
    return Alarms(pace, happy / minutes, (len(found) - happy) / minutes, led)
