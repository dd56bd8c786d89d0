"""Pure: from a video's timeline to each face's curve along it, frame by frame or averaged into bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis.series import TOLERANCE
from fer_batch.emotions import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

MOST_BINS = 600
"""Most points of a line: about one for each pixel that a chart's line is wide on a laptop."""


@dataclass(frozen=True)
class Curve:
    """One face's shares along a video: a point a frame, or a point a bin.

    All arrays are in presentation order and of length N; places are in ``unit``.
    """

    unit: str
    """"seconds", or "frames" for a video in which not every frame has a timestamp."""
    extent: tuple[float, float]
    """Where the analysed part of the video begins and ends; the same for each of its faces."""
    starts: np.ndarray
    """(N,) float64."""
    ends: np.ndarray
    """(N,) float64: where the last frame of each point ends."""
    weights: np.ndarray
    """(N,) float64: how long the face is visible in each point."""
    joined: np.ndarray
    """(N,) bool: this point goes on from the one before; False after a stretch without the face."""
    means: np.ndarray
    """(N, 7) float64, in the order of EMOTIONS, weighted by time."""
    lows: np.ndarray
    """(N, 7) float64: the least share of a frame."""
    highs: np.ndarray
    """(N, 7) float64: the greatest share of a frame."""
    quality: np.ndarray
    """(N,) float64: how good the face's image is to read, 0 to 1; NaN where that is unknown."""

    @property
    def average(self) -> np.ndarray:
        """(7,) float64: mean shares over the time that the face is visible."""
        return np.average(self.means, axis=0, weights=self.weights if self.weights.sum() > 0 else None)

    def poor(self, least: float) -> list[tuple[float, float]]:
        """(start, end) of the stretches in which quality is below ``least``; those too near to tell apart are one."""
        near = (self.extent[1] - self.extent[0]) / MOST_BINS + TOLERANCE
        found: list[tuple[float, float]] = []
        for point in np.flatnonzero(self.quality < least).tolist():
            start, end = float(self.starts[point]), float(self.ends[point])
            if found and start - found[-1][1] <= near:
                start = found.pop()[0]
            found.append((start, end))
        return found

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """(start, end) of the stretches of the video without this face, its beginning and end included."""
        breaks = np.flatnonzero(~self.joined[1:]) + 1
        starts = np.concatenate(([self.extent[0]], self.ends[breaks - 1], [self.ends[-1]]))
        ends = np.concatenate(([self.starts[0]], self.starts[breaks], [self.extent[1]]))
        return [(float(a), float(b)) for a, b in zip(starts, ends, strict=True) if b - a > TOLERANCE]


@dataclass(frozen=True)
class Marks:
    """What else is known along a video; places in the unit of its curves."""

    episodes: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    """(start, end) of a face's episodes of each emotion, by its name."""
    poor: Sequence[tuple[float, float]] = ()
    """(start, end) of the stretches in which a face is of low quality."""
    events: Sequence[tuple[str, float, float]] = ()
    """(label, start, end) of what happened in the video."""


NO_MARKS = Marks()


def curves(timeline: "pd.DataFrame", face_ids: Sequence[int]) -> dict[int, Curve]:
    """The curve of each of these faces, from the timeline of their video.

    Two rows of a face are joined when the frames are neighbours among those analysed, and no time is missing between
    them. A row's weight is its duration; unknown durations weigh nothing, unless none is known (as in summaries).
    """
    frames = timeline[["frame", "timestamp", "duration"]].drop_duplicates("frame").sort_values("frame")
    timed = bool(frames["timestamp"].notna().all())
    numbers = frames["frame"].to_numpy(dtype=np.int64)
    starts = frames["timestamp"].to_numpy(dtype=np.float64) if timed else numbers.astype(np.float64)
    durations = frames["duration"].to_numpy(dtype=np.float64) if timed else np.full(len(frames), np.nan)
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else float(not timed)
    guesses = np.minimum(np.append(starts[1:], np.inf), starts + step)
    ends = np.where(np.isnan(durations), guesses, starts + durations)
    weights = np.nan_to_num(durations) if np.nansum(durations) > 0 else np.ones(len(frames))
    extent = (float(starts.min()), float(ends.max())) if len(starts) else (0.0, 0.0)

    found = {}
    for face_id in face_ids:
        seen = timeline["success"] & (timeline["face_id"] == face_id)
        if not seen.any():
            continue
        rows = np.flatnonzero(seen)
        own = timeline["frame"].to_numpy(dtype=np.int64)[rows]
        order = np.argsort(own, kind="stable")
        rows, ranks = rows[order], np.searchsorted(numbers, own[order])
        near = starts[ranks[1:]] - ends[ranks[:-1]] <= TOLERANCE
        shares = np.empty((len(rows), len(EMOTIONS)))
        for index, name in enumerate(EMOTIONS):  # without a table in between: pandas would copy more
            shares[:, index] = timeline[name].to_numpy(dtype=np.float64)[rows]
        found[face_id] = Curve(
            unit="seconds" if timed else "frames",
            extent=extent,
            starts=starts[ranks],
            ends=ends[ranks],
            weights=weights[ranks],
            joined=np.concatenate(([False], (np.diff(ranks) == 1) & near)),
            means=shares,
            lows=shares,
            highs=shares,
            quality=timeline["quality"].to_numpy(dtype=np.float64)[rows],
        )
    return found


def binned(curve: Curve, most: int = MOST_BINS) -> Curve:
    """The curve in at most ``most`` equal stretches of its video; those without the face are left out.

    Means are weighted by time, so that the average of the bins is the average of the frames. A gap shorter than a bin
    and wholly within it can no longer be seen.
    """
    if len(curve.starts) <= most:
        return curve
    low, high = curve.extent
    places = np.floor((curve.starts - low) / max(high - low, TOLERANCE) * most).clip(0, most - 1)
    first = np.flatnonzero(np.diff(places, prepend=-1.0))
    weights = np.add.reduceat(curve.weights, first)
    # A bin in which no duration is known weighs nothing, but is drawn: as the plain mean of its frames.
    fill = np.repeat(weights == 0, np.diff(first, append=len(places)))
    parts = np.where(fill, 1.0, curve.weights)
    means = np.add.reduceat(curve.means * parts[:, np.newaxis], first, axis=0)
    return Curve(
        unit=curve.unit,
        extent=curve.extent,
        starts=curve.starts[first],
        ends=np.maximum.reduceat(curve.ends, first),
        weights=weights,
        joined=curve.joined[first],
        means=means / np.add.reduceat(parts, first)[:, np.newaxis],
        lows=np.minimum.reduceat(curve.lows, first, axis=0),
        highs=np.maximum.reduceat(curve.highs, first, axis=0),
        quality=np.minimum.reduceat(curve.quality, first),
    )
