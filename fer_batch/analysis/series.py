"""Pure: the rows of a timeline that belong together, as arrays: those of each face, or of all faces."""

from dataclasses import dataclass, replace

import numpy as np

from fer_batch.analysis.timeline import REASONS, Timeline
from fer_batch.emotions import EMOTIONS
from fer_batch.types import Kind, LeftOut

HAPPINESS = EMOTIONS.index("happiness")
UNPLEASANT = tuple(EMOTIONS.index(name) for name in ("anger", "disgust", "fear", "sadness"))

TOLERANCE = 0.001
"""Seconds between one row's end and the next one's start that are no gap yet: tables and containers are rounded."""


@dataclass(frozen=True)
class FaceSeries:
    """Rows that belong together, in their order: those of one face of a video, or of all faces of a folder of photos.

    All arrays are of length N, which is at least 1.
    """

    face_id: int | None
    """None: the rows are of many faces."""
    person: str
    """Empty: nobody has named the face."""
    rows: np.ndarray
    """(N,) int64: positions in the timeline, from 0."""
    starts: np.ndarray
    """(N,) float64: seconds of the video; NaN where unknown."""
    durations: np.ndarray
    """(N,) float64: seconds; 0 where unknown."""
    shares: np.ndarray
    """(N, 7) float64, in the order of EMOTIONS."""
    strongest: np.ndarray
    """(N,) int64: position in EMOTIONS of the largest share."""

    @property
    def timed(self) -> bool:
        """Whether every row has a time."""
        return not bool(np.isnan(self.starts).any())

    @property
    def ends(self) -> np.ndarray:
        """(N,) float64: seconds at which each row ends."""
        ends: np.ndarray = self.starts + self.durations
        return ends

    @property
    def gaps(self) -> np.ndarray:
        """(N - 1,) float64: seconds from each row's end to the next one's start; 0 where there is no gap."""
        gaps = self.starts[1:] - self.ends[:-1]
        return np.where(gaps > TOLERANCE, gaps, 0.0)

    @property
    def weights(self) -> np.ndarray:
        """(N,) float64: each row's duration; where none is known, all rows weigh the same."""
        return self.durations if self.durations.sum() > 0 else np.ones(len(self.durations))

    def select(self, chosen: np.ndarray) -> "FaceSeries":
        """The rows that ``chosen``, a mask or positions, picks."""
        columns = (self.rows, self.starts, self.durations, self.shares, self.strongest)
        return FaceSeries(self.face_id, self.person, *(column[chosen] for column in columns))

    def between(self, start: float, stop: float) -> "FaceSeries | None":
        """The rows from ``start`` to ``stop`` seconds, cut off there; None: there are none, or times are unknown."""
        if not self.timed:
            return None
        starts, ends = self.starts.clip(start, stop), self.ends.clip(start, stop)
        instants = (self.durations == 0) & (self.starts >= start) & (self.starts < stop)
        chosen = (ends > starts) | instants
        if not chosen.any():
            return None
        return replace(self.select(chosen), starts=starts[chosen], durations=(ends - starts)[chosen])


def series_by_face(timeline: Timeline, chosen: np.ndarray | None = None) -> list[FaceSeries]:
    """A series for each face_id of a video's timeline with a row that counts, in the order of face_ids.

    ``chosen`` (N,) bool, if given, says which rows are taken instead of those that count; all must have a face.
    """
    rows = np.flatnonzero(timeline.counts if chosen is None else chosen)
    face_ids = timeline.rows["face_id"][rows]
    order = np.argsort(face_ids, kind="stable")
    begins = np.flatnonzero(np.diff(face_ids[order], prepend=-1))
    found = []
    for chosen in np.split(rows[order], begins)[1:]:
        first = timeline.rows[chosen[0]]
        found.append(_series(timeline, chosen, int(first["face_id"]), timeline.texts[first["person"]]))
    return found


def series_of_all(timeline: Timeline) -> FaceSeries | None:
    """All rows of a timeline that count, as one series; None: no row counts."""
    rows = np.flatnonzero(timeline.counts)
    return _series(timeline, rows) if len(rows) else None


def left_out_of(timeline: Timeline, kind: Kind) -> list[LeftOut]:
    """How many rows of a timeline do not count, for each reason that there is."""
    rows, found = timeline.rows, []
    kept = np.unique(rows["face_id"][timeline.counts])
    for code, reason in enumerate(REASONS):
        chosen = timeline.success & (rows["left_out"] == code)
        if reason is not None and chosen.any():
            durations = rows["duration"][chosen]
            seconds = float(np.nansum(durations)) if not np.isnan(durations).all() else None
            tracks = len(np.setdiff1d(rows["face_id"][chosen], kept)) if kind is Kind.VIDEO else None
            found.append(LeftOut(reason, int(chosen.sum()), seconds, tracks))
    return found


def _series(timeline: Timeline, rows: np.ndarray, face_id: int | None = None, person: str = "") -> FaceSeries:
    chosen = timeline[rows]
    return FaceSeries(
        face_id,
        person,
        rows,
        starts=chosen.rows["timestamp"].copy(),  # a view would keep all fields in memory
        durations=np.nan_to_num(chosen.rows["duration"]),
        shares=chosen.shares,
        strongest=chosen.strongest,
    )


def valence(shares: np.ndarray) -> np.ndarray:
    """(N,) from -1 to 1: happiness less the strongest of anger, disgust, fear and sadness; of shares (N, 7).

    The way of FaceReader (Loijens and Krips 2019, FaceReader Methodology Note, Noldus). A number that is derived from
    the seven, not one that the model has learnt.
    """
    derived: np.ndarray = shares[:, HAPPINESS] - shares[:, UNPLEASANT].max(axis=1)
    return derived
