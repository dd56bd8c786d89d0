"""Pure: how much a face differs from its own mean in a baseline, a stretch of time in which it looks as usual."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_batch.analysis.series import FaceSeries, valence


@dataclass(frozen=True)
class Baseline:
    """Means of one face over its baseline."""

    means: np.ndarray
    """(7,) float64 in the order of EMOTIONS: shares, over time."""
    valence: float
    """Mean of the derived valence, over time."""


def baselines(faces: list[FaceSeries], start: float, stop: float) -> Mapping[int | None, Baseline]:
    """The baseline of each face that is visible between ``start`` and ``stop`` (seconds of the video), by face_id."""
    found = {}
    for face in faces:
        part = face.between(start, stop)
        if part is not None:
            means = np.average(part.shares, axis=0, weights=part.weights)
            found[face.face_id] = Baseline(means, float(np.average(valence(part.shares), weights=part.weights)))
    return found
