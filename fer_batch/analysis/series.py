"""Pure: from a timeline's rows to arrays, one face after another. What is made of the rows is told elsewhere."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.emotions import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

HAPPINESS = EMOTIONS.index("happiness")
UNPLEASANT = tuple(EMOTIONS.index(name) for name in ("anger", "disgust", "fear", "sadness"))

TOLERANCE = 0.001
"""Seconds between one row's end and the next one's start that are no gap yet: tables and containers are rounded."""


@dataclass(frozen=True)
class FaceSeries:
    """Rows that belong together, in their order: those of one face of a film, or all of a folder's faces.

    All arrays are of length N, which is at least 1.
    """

    face_id: int | None
    """None: the rows are of many faces."""
    person: str
    """Empty: nobody has named the face."""
    rows: np.ndarray
    """(N,) int64: places in the table, from 0."""
    starts: np.ndarray
    """(N,) float64: seconds of the film; NaN where unknown."""
    durations: np.ndarray
    """(N,) float64: seconds; 0 where unknown."""
    shares: np.ndarray
    """(N, 7) float64, in the order of EMOTIONS."""
    strongest: np.ndarray
    """(N,) int64: place in EMOTIONS of the one with the largest share."""

    @property
    def timed(self) -> bool:
        """Whether every row has its time."""
        return not bool(np.isnan(self.starts).any())

    @property
    def ends(self) -> np.ndarray:
        """(N,) float64: seconds at which each row ends."""
        ends: np.ndarray = self.starts + self.durations
        return ends

    @property
    def gaps(self) -> np.ndarray:
        """(N - 1,) float64: seconds from each row's end to the next one's start; 0 where one goes on into the other."""
        gaps = self.starts[1:] - self.ends[:-1]
        return np.where(gaps > TOLERANCE, gaps, 0.0)

    @property
    def weights(self) -> np.ndarray:
        """(N,) float64: each row's duration; where none is known, all rows weigh the same."""
        return self.durations if self.durations.sum() > 0 else np.ones(len(self.durations))

    def part(self, chosen: np.ndarray, durations: np.ndarray | None = None) -> "FaceSeries":
        """The rows that ``chosen``, a mask or places, picks out; with other ``durations`` (of those rows), if given."""
        durations = self.durations[chosen] if durations is None else durations
        columns = (self.rows[chosen], self.starts[chosen], durations, self.shares[chosen], self.strongest[chosen])
        return FaceSeries(self.face_id, self.person, *columns)

    def within(self, start: float, stop: float) -> "FaceSeries | None":
        """The rows from ``start`` to ``stop``, cut off there; None: there are none, or times are unknown."""
        if not self.timed:
            return None
        starts, ends = self.starts.clip(start, stop), self.ends.clip(start, stop)
        times = (self.durations == 0) & (self.starts >= start) & (self.starts < stop)
        chosen = (ends > starts) | times
        if not chosen.any():
            return None
        return replace(self.part(chosen, (ends - starts)[chosen]), starts=starts[chosen])


def of_faces(timeline: "pd.DataFrame", min_quality: float = 0.0) -> list[FaceSeries]:
    """A Trace for each face_id of a film's timeline with a row that counts, in their order."""
    rows, strongest = _counting(timeline, min_quality), _strongest(timeline)
    face_ids = timeline["face_id"].to_numpy(dtype=np.int64, na_value=-1)[rows]
    order = np.argsort(face_ids, kind="stable")
    begins = np.flatnonzero(np.diff(face_ids[order], prepend=-1))
    found = []
    for chosen in np.split(order, begins)[1:]:
        person = str(timeline["person"].iloc[rows[chosen[0]]])
        found.append(_trace(timeline, rows[chosen], strongest, int(face_ids[chosen[0]]), person))
    return found


def of_everything(timeline: "pd.DataFrame", min_quality: float = 0.0) -> FaceSeries | None:
    """All rows of a timeline that count: those with a face that is not spurious, and of enough quality. None: none."""
    rows = _counting(timeline, min_quality)
    return _trace(timeline, rows, _strongest(timeline)) if len(rows) else None


def shares_of(timeline: "pd.DataFrame", rows: np.ndarray) -> np.ndarray:
    """(N, 7) float64 of these rows of a timeline, in the order of EMOTIONS; without a table in between."""
    shares = np.empty((len(rows), len(EMOTIONS)))
    for at, name in enumerate(EMOTIONS):
        shares[:, at] = timeline[name].to_numpy(dtype=np.float64)[rows]
    return shares


def _counting(timeline: "pd.DataFrame", min_quality: float) -> np.ndarray:
    """Places of the rows that count."""
    counts = timeline["success"].to_numpy(dtype=bool) & ~timeline["spurious"].to_numpy(dtype=bool)
    return np.flatnonzero(counts & (timeline["quality"].to_numpy(dtype=np.float64) >= min_quality))


def _strongest(timeline: "pd.DataFrame") -> np.ndarray:
    """(rows,) int8: place in EMOTIONS of each row's emotion; -1 where there is none."""
    return timeline["emotion"].astype("category").cat.set_categories(list(EMOTIONS)).cat.codes.to_numpy()


def _trace(
    timeline: "pd.DataFrame", rows: np.ndarray, strongest: np.ndarray, face_id: int | None = None, person: str = ""
) -> FaceSeries:
    """These rows of a timeline, of which ``strongest`` are all."""
    return FaceSeries(
        face_id,
        person,
        rows,
        starts=timeline["timestamp"].to_numpy(dtype=np.float64)[rows],
        durations=np.nan_to_num(timeline["duration"].to_numpy(dtype=np.float64)[rows]),
        shares=shares_of(timeline, rows),
        strongest=strongest[rows].astype(np.int64),
    )


def valence(shares: np.ndarray) -> np.ndarray:
    """(N,) from -1 to 1: happiness less the strongest of anger, disgust, fear and sadness; of shares (N, 7).

    The way of FaceReader (Loijens and Krips 2019, FaceReader Methodology Note, Noldus). A number that is derived from
    the seven, not one that the model has learnt.
    """
    derived: np.ndarray = shares[:, HAPPINESS] - shares[:, UNPLEASANT].max(axis=1)
    return derived
