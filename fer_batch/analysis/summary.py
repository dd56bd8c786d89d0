"""Pure: all that is made of one source's timeline, once its rows are there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis import episodes, series
from fer_batch.analysis.baseline import Baseline, baselines
from fer_batch.analysis.series import FaceSeries, valence
from fer_batch.analysis.smoothing import smooth
from fer_batch.annotations.events import Event
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Episode, Kind, Skipped, Source, Summary

if TYPE_CHECKING:
    import pandas as pd

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = frozenset(
    ("file", "timestamp", "duration", "face_id", "person", "success", "quality", "spurious", *EMOTIONS, "emotion")
)
"""Of a timeline, all that is measured."""


@dataclass(frozen=True)
class SourceSummary:
    """What a source's timeline gives."""

    summaries: Sequence[Summary]
    episodes: Sequence[Episode] = ()
    people: Sequence[Summary] = ()
    """Of every person that is named in it: in a film the same as their faces'."""
    events: Sequence[tuple[Event, Summary | None]] = ()
    """Each face that is visible in an event; None: nobody is."""
    smoothed: np.ndarray | None = None
    """(rows, 7) float64, NaN where there is no face that counts; None: nobody asked for them, or there are no times."""
    changes: np.ndarray | None = None
    """(rows, 7) float64: change from each face's baseline, NaN where it has none; None: nobody asked for them."""
    complaints: Sequence[Skipped] = ()
    """What was asked for and cannot be."""


def measure(table: "pd.DataFrame", source: Source, options: Options, study: Annotations) -> SourceSummary:
    """What the timeline ``table`` of one source, of which COLUMNS are enough, says about its faces."""
    if source.kind is Kind.PHOTOS:
        everybody = summarise(table, source.name, source.kind, min_quality=options.min_quality)
        return SourceSummary(everybody, people=tuple(_in_photos(table, source.name, options, study)))
    video = _VideoSummary(table, source.name, options, study)
    del table  # of a long film it is the largest thing in memory
    return video.measured()


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
        summary(
            face_series, file, kind, None if episodes is None or not face_series.timed else counts[face_series.face_id]
        )
        for face_series in series.of_faces(timeline, min_quality)
    ]


def summary(face_series: FaceSeries, file: str, kind: Kind, episodes: int | None = None) -> Summary:
    """The Summary of one Trace, in which there are so many ``episodes``."""
    timed = face_series.timed
    weights = face_series.weights
    gaps = face_series.gaps
    return Summary(
        file=file,
        kind=kind,
        face_id=face_series.face_id,
        person=face_series.person,
        faces=len(face_series.rows),
        first_seen=float(face_series.starts.min()) if timed else None,
        last_seen=float(face_series.ends.max()) if timed else None,
        seconds_visible=float(face_series.durations.sum()) if timed else None,
        gaps=int(np.count_nonzero(gaps)) if timed else None,
        seconds_missing=float(gaps.sum()) if timed else None,
        means=weights @ face_series.shares / weights.sum(),
        strongest=np.bincount(face_series.strongest, weights, len(EMOTIONS)) / weights.sum(),
        valence=float(np.average(valence(face_series.shares), weights=weights)),
        episodes=episodes,
    )


class _VideoSummary:
    """A film that is being measured."""

    def __init__(self, table: "pd.DataFrame", name: str, options: Options, study: Annotations) -> None:
        self._name = name
        self._options = options
        self._names = study.people.of(name).by_person
        self._events = study.events.of(name)
        self._rows = len(table)
        self._looked_at = _extent(table)
        self._faces = series.of_faces(table, options.min_quality)
        self._baselines: Mapping[int | None, Baseline] = {}
        if options.baseline is not None:
            start, stop = (seconds - study.events.offset(name) for seconds in options.baseline)
            self._baselines = baselines(self._faces, start, stop)

    def measured(self) -> SourceSummary:
        smoothed = self._smoothed()
        rule = episodes.Rule(self._options.episode_enter, self._options.episode_leave, self._options.episode_shortest)
        found = {
            face.face_id: episodes.find(face, self._name, rule, None if smoothed is None else smoothed[face.rows])
            for face in self._faces
        }
        summaries = [self._summary(face, found[face.face_id]) for face in self._faces]
        return SourceSummary(
            summaries,
            [episode for face in self._faces for episode in found[face.face_id]],
            [one for one in summaries if one.person],
            list(self._by_event(found)),
            smoothed,
            self._changes(),
            list(self._complaints()),
        )

    def _summary(self, face: FaceSeries, found: Sequence[Episode]) -> Summary:
        one = summary(face, self._name, Kind.VIDEO, len(found) if face.timed else None)
        if one.person:
            naming = self._names[one.person]
            one = replace(one, role=naming.role, group=naming.group)
        own = self._baselines.get(face.face_id)
        return one if own is None else own.less(one)

    def _by_event(self, found: Mapping[int | None, Sequence[Episode]]) -> Iterator[tuple[Event, Summary | None]]:
        for event in self._events:
            parts = [part for face in self._faces if (part := face.within(event.start, event.stop)) is not None]
            for part in parts:
                begun = [one for one in found[part.face_id] if event.start <= one.start < event.stop]
                yield event, self._summary(part, begun)
            if not parts:
                yield event, None

    def _smoothed(self) -> np.ndarray | None:
        seconds = self._options.smooth
        if seconds is None or self._looked_at is None:
            return None
        shares = np.full((self._rows, 7), np.nan)
        for face in self._faces:
            shares[face.rows] = smooth(face, seconds)
        return shares

    def _changes(self) -> np.ndarray | None:
        if self._options.baseline is None:
            return None
        changes = np.full((self._rows, 7), np.nan)
        for face in self._faces:
            if face.face_id in self._baselines:
                changes[face.rows] = face.shares - self._baselines[face.face_id].means
        return changes

    def _complaints(self) -> Iterator[Skipped]:
        if self._looked_at is None:
            for event in self._events[:1]:
                reason = event.line.wrong("the film has no time stamps, so its events cannot be summed up.")
                yield Skipped(self._name, str(reason), rows_kept=True)
        else:
            begin, end = self._looked_at
            for event in self._events:
                if event.stop <= begin or event.start >= end:
                    reason = event.line.wrong(
                        f"'{event.label}' is at {event.start:g} to {event.stop:g} s of {self._name}, of which "
                        f"{begin:g} to {end:g} s were looked at. Correct start, stop or offset."
                    )
                    yield Skipped(self._name, str(reason), rows_kept=True)
        if self._options.baseline is not None and self._faces and not self._baselines:
            start, stop = self._options.baseline
            yield Skipped(
                self._name,
                f"No face is visible in the baseline, {start:g} to {stop:g} s, so there is no change from it. Choose "
                "another --baseline.",
                rows_kept=True,
            )


def _extent(table: "pd.DataFrame") -> tuple[float, float] | None:
    """Seconds from the first frame that was looked at to the end of the last; None: times are unknown."""
    starts = table["timestamp"].to_numpy(dtype=np.float64)
    if not len(starts) or np.isnan(starts).any():
        return None
    return float(starts.min()), float((starts + np.nan_to_num(table["duration"].to_numpy(dtype=np.float64))).max())


def _in_photos(table: "pd.DataFrame", file: str, options: Options, study: Annotations) -> Iterator[Summary]:
    """A Summary for each person, role and group in a folder."""
    everything = series.of_everything(table, options.min_quality)
    by_face = study.people.of(file).by_face
    if everything is None or not by_face:
        return
    faces = table.iloc[everything.rows]
    chosen: dict[tuple[str, str, str], list[int]] = {}
    for at, (photo, face_id, person) in enumerate(faces[["file", "face_id", "person"]].itertuples(index=False)):
        if person:
            naming = by_face[photo, face_id]
            chosen.setdefault((person, naming.role, naming.group), []).append(at)
    for (person, role, group), rows in chosen.items():
        one = summary(everything.part(np.array(rows)), file, Kind.PHOTOS)
        yield replace(one, person=person, role=role, group=group)
