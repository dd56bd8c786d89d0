"""Pure: from a timeline's rows to numbers about each face."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis import series
from fer_batch.analysis.series import Trace
from fer_batch.emotions import EMOTIONS
from fer_batch.types import Episode, Kind, Summary

if TYPE_CHECKING:
    import pandas as pd

HAPPINESS = EMOTIONS.index("happiness")
UNPLEASANT = tuple(EMOTIONS.index(name) for name in ("anger", "disgust", "fear", "sadness"))


def summarise(
    timeline: "pd.DataFrame",
    file: str,
    kind: Kind,
    episodes: Sequence[Episode] | None = None,
    min_quality: float = 0.0,
) -> list[Summary]:
    """One Summary a face_id of a film, or one for a folder of photographs with at least one face.

    Only rows that count are summed up: spurious ones and those of less than ``min_quality`` do not.

    In a film each row weighs its duration, so that a variable frame rate does not favour the stretches with many
    frames; rows whose duration is unknown weigh nothing, unless none is known. ``episodes`` are those of the source;
    None: nobody has looked for them.
    """
    if kind is Kind.PHOTOS:
        everything = series.of_everything(timeline, min_quality)
        return [] if everything is None else [summary(everything, file, kind)]
    counts = Counter(one.face_id for one in episodes or ())
    return [
        summary(trace, file, kind, None if episodes is None or not trace.timed else counts[trace.face_id])
        for trace in series.of_faces(timeline, min_quality)
    ]


def summary(trace: Trace, file: str, kind: Kind, episodes: int | None = None) -> Summary:
    """The Summary of one Trace, in which there are so many ``episodes``."""
    timed = trace.timed
    weights = trace.weights
    gaps = trace.gaps
    return Summary(
        file=file,
        kind=kind,
        face_id=trace.face_id,
        person=trace.person,
        faces=len(trace.rows),
        first_seen=float(trace.starts.min()) if timed else None,
        last_seen=float(trace.ends.max()) if timed else None,
        seconds_visible=float(trace.durations.sum()) if timed else None,
        gaps=int(np.count_nonzero(gaps)) if timed else None,
        seconds_missing=float(gaps.sum()) if timed else None,
        means=weights @ trace.shares / weights.sum(),
        strongest=np.bincount(trace.strongest, weights, len(EMOTIONS)) / weights.sum(),
        valence=float(np.average(valence(trace.shares), weights=weights)),
        episodes=episodes,
    )


def valence(shares: np.ndarray) -> np.ndarray:
    """(N,) from -1 to 1: happiness less the strongest of anger, disgust, fear and sadness; of shares (N, 7).

    The way of FaceReader (Loijens and Krips 2019, FaceReader Methodology Note, Noldus). A number that is derived from
    the seven, not one that the model has learnt.
    """
    derived: np.ndarray = shares[:, HAPPINESS] - shares[:, UNPLEASANT].max(axis=1)
    return derived
