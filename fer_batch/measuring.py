"""Pure: all that is made of one source's timeline, once its rows are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_batch import episodes, timeline, traces
from fer_batch.options import Options
from fer_batch.smoothing import smooth
from fer_batch.traces import Trace
from fer_batch.types import Episode, Kind, Summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Measured:
    """What a source's timeline gives."""

    summaries: Sequence[Summary]
    episodes: Sequence[Episode]
    smoothed: np.ndarray | None
    """(rows, 7) float64, NaN where there is no face that counts; None: nobody asked for them, or there are no times."""


def measure(table: "pd.DataFrame", file: str, kind: Kind, options: Options) -> Measured:
    """What the timeline ``table`` of one source says about its faces; ``file`` is the source's name."""
    if kind is Kind.PHOTOS:
        return Measured(timeline.summarise(table, file, kind, min_quality=options.min_quality), (), None)
    faces = traces.of_faces(table, options.min_quality)
    smoothed = _smoothed(faces, len(table), options.smooth)
    rule = episodes.Rule(options.episode_enter, options.episode_leave, options.episode_shortest)
    found = [
        episode
        for face in faces
        for episode in episodes.find(face, file, rule, None if smoothed is None else smoothed[face.rows])
    ]
    return Measured(timeline.summarise(table, file, kind, found, options.min_quality), found, smoothed)


def _smoothed(faces: Sequence[Trace], rows: int, seconds: float | None) -> np.ndarray | None:
    if seconds is None or not all(face.timed for face in faces):
        return None
    shares = np.full((rows, 7), np.nan)
    for face in faces:
        shares[face.rows] = smooth(face, seconds)
    return shares
