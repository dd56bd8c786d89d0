"""The overview on the first page: a stripe along time for each video, or for each person, and the strongest moments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.bins import in_bins
from fer_batch.emotions import EMOTIONS, NEUTRAL, TABLE
from fer_batch.natural_order import natural
from fer_batch.output.results import Results, summed_up
from fer_batch.report.pages.base import Shares, page_path, shares_of
from fer_batch.report.texts import say
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

BINS = 100
"""Columns of a stripe: each is some pixels wide on a laptop."""

FEWEST_BINS = 10
"""Columns of a video at least, of a person who is in many."""

TOP = 1000
"""Height of 100 % in a stripe, in SVG units: a tenth of a percent is one."""

MOST_ROWS = 300
"""Rows of the overview: with as many, the page has less than 3 MB (1.7 MB of 300 videos of noise)."""

MOST_SEGMENTS = 1500
"""Videos in all rows, where persons are in many: for the same reason."""

SHORTEST = 1.0
"""Seconds for which a track must be visible to have a row of its own."""

MOST_MOMENTS = 12
"""Number of moments that are shown."""

MOST_OF_EMOTION = 3
"""Of one emotion at most so many are shown, so that the commonest one does not take all places."""

STACK = tuple(index for index in range(len(EMOTIONS)) if index != NEUTRAL)
"""Emotions of a column, from the bottom up."""


@dataclass(frozen=True)
class Moment:
    """An episode, or the strongest one of a row of the overview."""

    file: str
    name: str
    """Of the person; empty: nobody has named the face."""
    face_id: int
    page: str
    emotion: str
    start: float
    stop: float
    peak: float
    peak_time: float
    thumbnail: str = ""
    """Path of a picture; empty: there is none."""


@dataclass(frozen=True)
class Stripe:
    """Columns side by side, as paths of an SVG image."""

    width: int
    """Number of columns: of SVG units."""
    ground: str
    """Where a face is visible."""
    layers: tuple[tuple[str, str], ...]
    """(colour, path), to be painted in this order: each is as high as its emotion and those below it together."""
    bands: tuple[tuple[str, float, float], ...]
    """Events: label, left and width, in percent."""


@dataclass(frozen=True)
class Segment:
    """A face, or all faces, along one video or one folder."""

    file: str
    page: str
    face_id: int | None
    """None: all faces."""
    extent: tuple[float, float]
    """Beginning and end, in ``unit``."""
    unit: str
    """"seconds", or "frames" for photos and for videos without timestamps."""
    visible: float
    """For how long a face is visible; in frames the number of faces."""
    shares: Shares
    bins: np.ndarray
    """(bins, 7) float64: mean shares; NaN where no face is visible."""
    stripe: Stripe
    best: Moment | None
    """The moment of the largest share; None: there is no episode."""

    @property
    def events(self) -> list[str]:
        """Labels of the events in it."""
        return [label for label, _, _ in self.stripe.bands]


@dataclass(frozen=True)
class OverviewRow:
    """A person in one or several videos, a track, or all faces of a video or of a folder."""

    kind: Kind
    label: str
    person: bool
    """Whether people.csv names the face."""
    role: str
    group: str
    segments: tuple[Segment, ...]

    @property
    def visible(self) -> float:
        """For how long a face is visible; in frames the number of faces."""
        return sum(segment.visible for segment in self.segments)

    @property
    def timed(self) -> bool:
        """Whether the row is along time."""
        return self.segments[0].unit == "seconds"

    @property
    def shares(self) -> Shares:
        """Mean shares."""
        means = [segment.shares for segment in self.segments]
        return tuple(np.average(means, axis=0, weights=[segment.visible or 1e-9 for segment in self.segments]).tolist())

    @property
    def best(self) -> Moment | None:
        """The moment of the largest share; None: there is no episode."""
        found = [segment.best for segment in self.segments if segment.best is not None]
        return max(found, key=lambda moment: moment.peak, default=None)

    @property
    def lead(self) -> str:
        """Name of the expression, of the six, with the largest mean share."""
        return EMOTIONS[max(STACK, key=lambda index: self.shares[index])]

    @property
    def lead_share(self) -> float:
        """Mean share of this expression."""
        return self.shares[EMOTIONS.index(self.lead)]


def rows_of(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> list[OverviewRow]:
    """A source's rows: one for each named person, or one for all faces; of a study of one video one for each track."""
    counted = timeline[summed_up(timeline)]
    if not len(counted):
        return []
    kind = Kind(source["kind"])
    along = _Along(results, source, timeline, counted)
    summary = results.summary_of(source)
    rows = []
    if kind is Kind.VIDEO:
        chosen = summary[summary["person"] != ""]
        if len(results.sources) == 1 and not len(chosen):
            chosen = summary[~(summary["seconds_visible"] < SHORTEST)]
        for one in chosen.sort_values(["seconds_visible", "faces"], ascending=False).to_dict("records"):
            segment = along.segment(counted["face_id"] == one["face_id"], one, _columns_for(results, one))
            name = one["person"] or say("video.face", face_id=one["face_id"])
            rows.append(OverviewRow(kind, name, bool(one["person"]), one["role"], one["group"], (segment,)))
    return rows or [OverviewRow(kind, source["name"], False, "", "", (along.segment(np.full(len(counted), True)),))]


def joined(rows: Sequence[OverviewRow], groups: Sequence[str]) -> list[OverviewRow]:
    """The same rows, but one for each person in a role and group: by group in this order, then by name."""
    people: dict[tuple[str, str, str], OverviewRow] = {}
    others = []
    for row in rows:
        key = (row.label, row.role, row.group)
        if not row.person:
            others.append(row)
        elif key in people:
            people[key] = replace(people[key], segments=people[key].segments + row.segments)
        else:
            people[key] = row
    order = {group: number for number, group in enumerate(groups)}
    return sorted(people.values(), key=lambda row: (order.get(row.group, len(order)), natural(row.label))) + others


def with_room(rows: Sequence[OverviewRow]) -> list[OverviewRow]:
    """The rows that there is room for, of whom most is seen; in the same order."""
    chosen: set[int] = set()
    segments = 0
    for place in sorted(range(len(rows)), key=lambda place: -rows[place].visible)[:MOST_ROWS]:
        segments += len(rows[place].segments)
        if segments > MOST_SEGMENTS:
            break
        chosen.add(place)
    return [row for place, row in enumerate(rows) if place in chosen]


def _columns_for(results: Results, person: Mapping[Any, Any]) -> int:
    """Columns of each video of a person, who may be in many."""
    if not person["person"]:
        return BINS
    same = results.summary[(results.summary["person"] == person["person"]) & (results.summary["kind"] == Kind.VIDEO)]
    return max(FEWEST_BINS, BINS // len(same))


def other_tracks(results: Results, rows: Sequence[OverviewRow]) -> tuple[int, float, int, float]:
    """What has no row of its own: tracks of less than SHORTEST with their seconds, and the other ones with theirs.

    Tracks of a video that has one row for all faces are in that.
    """
    alone = {(segment.file, segment.face_id) for row in rows for segment in row.segments}
    videos = results.summary[results.summary["kind"] == Kind.VIDEO]
    short, short_seconds, others, other_seconds = 0, 0.0, 0, 0.0
    for file, face_id, seconds in videos[["file", "face_id", "seconds_visible"]].itertuples(index=False):
        if (file, face_id) in alone or (file, None) in alone:
            continue
        if seconds < SHORTEST:
            short, short_seconds = short + 1, short_seconds + seconds
        else:
            others, other_seconds = others + 1, other_seconds + (seconds if seconds == seconds else 0.0)
    return short, short_seconds, others, other_seconds


def strongest(results: Results) -> list[Moment]:
    """The episodes with the largest shares over all videos, of each face and emotion only the strongest."""
    found: list[Moment] = []
    taken: set[tuple[str, int, str]] = set()
    of_emotion: dict[str, int] = {}
    for moment in _moments(results):
        key = (moment.file, moment.face_id, moment.emotion)
        if key in taken or of_emotion.get(moment.emotion, 0) >= MOST_OF_EMOTION:
            continue
        taken.add(key)
        of_emotion[moment.emotion] = of_emotion.get(moment.emotion, 0) + 1
        found.append(moment)
        if len(found) == MOST_MOMENTS:
            break
    return found


def _moments(results: Results, source: Mapping[str, Any] | None = None) -> list[Moment]:
    """Every episode, of one source if given, the one with the largest share first."""
    pages = {source["name"]: page_path(source) for source in results.sources if source["kind"] == Kind.VIDEO}
    table = results.optional["episodes.csv"]
    if source is not None:
        table = table[table["file"] == source["name"]]
    order = table.sort_values(["peak", "mean", "file", "start"], ascending=[False, False, True, True])
    return [
        Moment(
            file=row["file"],
            name=row["person"],
            face_id=int(row["face_id"]),
            page=pages[row["file"]],
            emotion=row["emotion"],
            start=float(row["start"]),
            stop=float(row["stop"]),
            peak=float(row["peak"]),
            peak_time=float(row["peak_time"]),
        )
        for row in order.to_dict("records")
        if row["file"] in pages
    ]


class _Along:
    """A source along its time, or along its frames where times are unknown."""

    def __init__(
        self, results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame", counted: "pd.DataFrame"
    ) -> None:
        self._source = source
        self._kind = Kind(source["kind"])
        self._timed = self._kind is Kind.VIDEO and bool(timeline["timestamp"].notna().all())
        starts, ends = self._span(timeline)
        self._extent = (float(starts.min()), float(ends.max()))
        if self._kind is Kind.PHOTOS:  # with those that could not be read, at either end too
            self._extent = (0.0, max(self._extent[1], float(source["facts"].get("photos", 0))))
        self._starts, self._ends = self._span(counted)
        self._shares = counted[list(EMOTIONS)].to_numpy(dtype=np.float64)
        self._moments = _moments(results, source) if self._kind is Kind.VIDEO else []
        self._bands = self._events(results) if self._timed else ()

    def segment(self, chosen: Any, summary: Mapping[Any, Any] | None = None, bins: int = BINS) -> Segment:
        """The rows of the timeline that are ``chosen``; ``summary``: of the face whose they are."""
        face_id = None if summary is None else int(summary["face_id"])
        chosen = np.asarray(chosen, bool)
        low, high = self._extent
        edges = np.linspace(low, max(high, low + 1e-3), bins + 1)
        starts, ends, shares = self._starts[chosen], self._ends[chosen], self._shares[chosen]
        _, means = in_bins(starts, ends, shares, edges)
        lengths = ends - starts
        whole = np.average(shares, axis=0, weights=lengths if lengths.sum() > 0 else None)
        return Segment(
            file=self._source["name"],
            page=page_path(self._source),
            face_id=face_id,
            extent=self._extent,
            unit="seconds" if self._timed else "frames",
            visible=float(lengths.sum()),
            shares=shares_of(summary) if summary else tuple(whole.tolist()),
            bins=means,
            stripe=_stripe(means, self._bands),
            best=next((one for one in self._moments if face_id is None or one.face_id == face_id), None),
        )

    def _span(self, rows: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray]:
        """(N,) beginnings and ends of rows; of a frame that has no duration they are the same."""
        if not self._timed:
            frames = rows["frame"].to_numpy(dtype=np.float64)
            return frames, frames + 1
        starts = rows["timestamp"].to_numpy(dtype=np.float64)
        return starts, starts + np.nan_to_num(rows["duration"].to_numpy(dtype=np.float64))

    def _events(self, results: Results) -> tuple[tuple[str, float, float], ...]:
        low, high = self._extent
        scale = 100 / max(high - low, 1e-3)
        events = results.of_video("events.csv", self._source)
        clipped = (
            (label, max(start, low), min(stop, high))
            for label, start, stop in events[["label", "start", "stop"]].itertuples(index=False)
        )
        return tuple(
            (label, (start - low) * scale, (stop - start) * scale) for label, start, stop in clipped if stop > start
        )


def _stripe(means: np.ndarray, bands: tuple[tuple[str, float, float], ...]) -> Stripe:
    seen = ~np.isnan(means[:, 0])
    heights = np.rint(TOP * np.cumsum(np.nan_to_num(means)[:, STACK], axis=1)).astype(int)
    layers = [
        (TABLE[emotion].colour, _columns(heights[:, place])) for place, emotion in reversed(list(enumerate(STACK)))
    ]
    return Stripe(len(means), _columns(TOP * seen), tuple(layers), bands)


def _columns(heights: np.ndarray) -> str:
    """The path of columns of these heights; equal neighbours are one."""
    first = np.flatnonzero(np.diff(heights, prepend=-1))
    widths = np.diff(first, append=len(heights))
    steps = (f"V{TOP - height}h{width}" for height, width in zip(heights[first].tolist(), widths.tolist(), strict=True))
    return f"M0 {TOP}{''.join(steps)}V{TOP}z"
