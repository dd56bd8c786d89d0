"""Pure: how a face differs from how it looked at a time of its own that stands for its ordinary look."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fer_batch.analysis.series import FaceSeries, valence
from fer_batch.types import Summary


@dataclass(frozen=True)
class Baseline:
    """How a face looked on average."""

    means: np.ndarray
    """(7,) float64 in the order of EMOTIONS, over time."""
    valence: float

    def less(self, one: Summary) -> Summary:
        """The same summary, with the change from this baseline."""
        return replace(one, changes=one.means - self.means, valence_change=one.valence - self.valence)


def baselines(faces: list[FaceSeries], start: float, stop: float) -> Mapping[int | None, Baseline]:
    """Of every face that is visible between ``start`` and ``stop`` (seconds of the film), by its face_id."""
    found = {}
    for face in faces:
        part = face.within(start, stop)
        if part is not None:
            means = np.average(part.shares, axis=0, weights=part.weights)
            found[face.face_id] = Baseline(means, float(np.average(valence(part.shares), weights=part.weights)))
    return found
