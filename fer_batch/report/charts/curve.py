"""Pure: from a video's timeline to a curve for each face, frame by frame or averaged into bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis.series import TOLERANCE
from fer_batch.emotions import EMOTIONS
from fer_batch.output.results import summed_up

if TYPE_CHECKING:
    import pandas as pd

MOST_BINS = 600
"""Most points of a line: about one for each pixel that a chart's line is wide on a laptop."""


@dataclass(frozen=True)
class Curve:
    """One face's shares along a video: one point per frame, or per bin.

    All arrays are in presentation order and of length N; positions are in ``unit``.
    """

    unit: str
    """"seconds", or "frames" for a video in which not every frame has a timestamp."""
    extent: tuple[float, float]
    """Beginning and end of the analysed part of the video; the same for all of its faces."""
    starts: np.ndarray
    """(N,) float64."""
    ends: np.ndarray
    """(N,) float64: end of the last frame of each point."""
    weights: np.ndarray
    """(N,) float64: how long the face is visible in each point."""
    joined: np.ndarray
    """(N,) bool: this point follows the previous one directly; False after a stretch without the face."""
    means: np.ndarray
    """(N, 7) float64, in the order of EMOTIONS, weighted by time."""
    lows: np.ndarray
    """(N, 7) float64: the least share of a frame."""
    highs: np.ndarray
    """(N, 7) float64: the greatest share of a frame."""
    quality: np.ndarray
    """(N,) float64: quality of the face's image, 0 to 1; NaN if unknown."""

    @property
    def average(self) -> np.ndarray:
        """(7,) float64: mean shares over the time that the face is visible."""
        return np.average(self.means, axis=0, weights=self.weights if self.weights.sum() > 0 else None)

    def poor(self, least: float) -> list[tuple[float, float]]:
        """(start, end) of the stretches in which quality is below ``least``; near ones are joined."""
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
    """What a chart marks along a video; positions are in the unit of the curves."""

    episodes: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    """(start, end) of a face's episodes, by the emotion's name."""
    poor: Sequence[tuple[float, float]] = ()
    """(start, end) of the stretches of low quality of a face."""
    events: Sequence[tuple[str, float, float]] = ()
    """(label, start, end) of the events of the video."""


NO_MARKS = Marks()


@dataclass(frozen=True)
class FrameTimes:
    """When each of the N frames of a video that were analysed is shown, in presentation order."""

    unit: str
    """That of :class:`Curve`."""
    numbers: np.ndarray
    """(N,) int64: the frames' numbers in the video."""
    starts: np.ndarray
    """(N,) float64, in ``unit``."""
    ends: np.ndarray
    """(N,) float64: where a duration is unknown, the next frame's start, but not later than is usual."""
    weights: np.ndarray
    """(N,) float64: durations; unknown ones weigh 0, unless all are unknown (as in summaries)."""

    @property
    def extent(self) -> tuple[float, float]:
        """Beginning and end of the analysed part of the video."""
        return (float(self.starts.min()), float(self.ends.max())) if len(self.starts) else (0.0, 0.0)


def frame_times(timeline: "pd.DataFrame") -> FrameTimes:
    """The frames of a timeline."""
    frames = timeline[["frame", "timestamp", "duration"]].drop_duplicates("frame").sort_values("frame")
    timed = bool(frames["timestamp"].notna().all())
    numbers = frames["frame"].to_numpy(dtype=np.int64)
    starts = frames["timestamp"].to_numpy(dtype=np.float64) if timed else numbers.astype(np.float64)
    durations = frames["duration"].to_numpy(dtype=np.float64) if timed else np.full(len(frames), np.nan)
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else float(not timed)
    guesses = np.minimum(np.append(starts[1:], np.inf), starts + step)
    ends = np.where(np.isnan(durations), guesses, starts + durations)
    weights = np.nan_to_num(durations) if np.nansum(durations) > 0 else np.ones(len(frames))
    return FrameTimes("seconds" if timed else "frames", numbers, starts, ends, weights)


def curves(timeline: "pd.DataFrame", face_ids: Sequence[int], form: str = "{}") -> dict[int, Curve]:
    """The curve of each of these faces, from the timeline of their video, where it is not left out.

    Two rows of a face are joined when the frames are neighbours among those analysed, and no time is missing between
    them. ``form`` makes the name of a column of an emotion's; rows without a value in it are not in the curve.
    """
    times = frame_times(timeline)
    starts, ends = times.starts, times.ends
    columns = [form.format(name) for name in EMOTIONS]
    found = {}
    counts = summed_up(timeline) & timeline[columns[0]].notna()
    for face_id in face_ids:
        seen = counts & (timeline["face_id"] == face_id)
        if not seen.any():
            continue
        rows = np.flatnonzero(seen)
        own = timeline["frame"].to_numpy(dtype=np.int64)[rows]
        order = np.argsort(own, kind="stable")
        rows, ranks = rows[order], np.searchsorted(times.numbers, own[order])
        near = starts[ranks[1:]] - ends[ranks[:-1]] <= TOLERANCE
        shares = np.empty((len(rows), len(EMOTIONS)))
        for index, name in enumerate(columns):  # column by column: pandas would copy more
            shares[:, index] = timeline[name].to_numpy(dtype=np.float64)[rows]
        found[face_id] = Curve(
            unit=times.unit,
            extent=times.extent,
            starts=starts[ranks],
            ends=ends[ranks],
            weights=times.weights[ranks],
            joined=np.concatenate(([False], (np.diff(ranks) == 1) & near)),
            means=shares,
            lows=shares,
            highs=shares,
            quality=timeline["quality"].to_numpy(dtype=np.float64)[rows],
        )
    return found


def binned(curve: Curve, most: int = MOST_BINS) -> Curve:
    """The curve in at most ``most`` equal stretches of its video; those without the face are left out.

    Means are weighted by time, so that the average of the bins is the average of the frames. A gap that lies within one
    bin disappears.
    """
    if len(curve.starts) <= most:
        return curve
    low, high = curve.extent
    places = np.floor((curve.starts - low) / max(high - low, TOLERANCE) * most).clip(0, most - 1)
    first = np.flatnonzero(np.diff(places, prepend=-1.0))
    weights = np.add.reduceat(curve.weights, first)
    # A bin without a known duration weighs 0, but is drawn: as the unweighted mean of its frames.
    fill = np.repeat(weights == 0, np.diff(first, append=len(places)))
    parts = np.where(fill, 1.0, curve.weights)
    means = np.add.reduceat(curve.means * parts[:, np.newaxis], first, axis=0)
    return replace(
        curve,
        starts=curve.starts[first],
        ends=np.maximum.reduceat(curve.ends, first),
        weights=weights,
        joined=curve.joined[first],
        means=means / np.add.reduceat(parts, first)[:, np.newaxis],
        lows=np.minimum.reduceat(curve.lows, first, axis=0),
        highs=np.maximum.reduceat(curve.highs, first, axis=0),
        quality=np.minimum.reduceat(curve.quality, first),
    )
