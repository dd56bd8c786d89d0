"""Pure: everything that is computed from one source's timeline."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_batch.analysis import episodes, event_time
from fer_batch.analysis.baseline import Baseline, baselines
from fer_batch.analysis.series import TOLERANCE, FaceSeries, series_by_face, series_of_all, valence
from fer_batch.analysis.smoothing import smooth
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.events import Event
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.types import Episode, Kind, Severity, Skipped, Source, Summary


@dataclass(frozen=True)
class InEvent:
    """A face in an event of its video, or an event in which no face is visible."""

    event: Event
    seconds_sampled: float | None
    """Of the event; what lies before the first sampled frame or after the last one does not count. None: times are
    unknown."""
    summary: Summary | None
    """Of the face in the event; None: no face is visible."""


@dataclass(frozen=True)
class SourceSummary:
    """What a source's timeline gives for the other tables."""

    summaries: Sequence[Summary]
    """One a face of a video; one for a folder of photos with at least one face that counts."""
    episodes: Sequence[Episode] = ()
    people: Sequence[Summary] = ()
    """Of every person that is named in it: in a video the same as their faces'."""
    events: Sequence[InEvent] = ()
    around_events: Sequence[event_time.AroundEvent] = ()
    complaints: Sequence[Skipped] = ()
    """What was asked for and cannot be computed."""


@dataclass(frozen=True)
class AddedShares:
    """Shares that stand in a timeline beside those of the model. Large: only until the timeline is written."""

    smoothed: np.ndarray | None = None
    """(rows, 7) float64, NaN where no face counts; None: nobody asked for them, or times are unknown."""
    changes: np.ndarray | None = None
    """(rows, 7) float64: change from each face's baseline, NaN where it has none; None: nobody asked for them."""


def summarize(
    timeline: Timeline, source: Source, options: Options, annotations: Annotations
) -> tuple[SourceSummary, AddedShares]:
    """What is computed from one source's timeline, and what is added to its rows.

    Only rows that count are summed up (:func:`fer_batch.analysis.timeline.left_out` decides). In a video each row
    weighs its duration, so that a variable frame rate does not favour the stretches with many frames; rows whose
    duration is unknown weigh nothing, unless none is known.
    """
    if source.kind is Kind.PHOTOS:
        return summarize_photos(timeline, source.name), AddedShares()
    video = _Video(timeline, source.name, options, annotations)
    return video.summarize(), AddedShares(video.smoothed, video.changes())


def summarize_photos(timeline: Timeline, name: str) -> SourceSummary:
    """One Summary for the folder of photos ``name``, and one for each person, role and group that is named in it."""
    everything = series_of_all(timeline)
    if everything is None:
        return SourceSummary([])
    chosen: dict[tuple[str, str, str], list[int]] = {}
    gone: Counter[tuple[str, str, str]] = Counter()
    faces = timeline[np.flatnonzero(timeline.success)]
    position = 0
    keys = zip(*(faces.text(field) for field in ("person", "role", "group")), strict=True)
    for key, counts in zip(keys, faces.counts.tolist(), strict=True):
        if key[0] and counts:
            chosen.setdefault(key, []).append(position)
        elif key[0]:
            gone[key] += 1
        position += counts
    people = [
        replace(
            summarize_series(everything.select(np.array(positions)), name, Kind.PHOTOS),
            person=person,
            role=role,
            group=group,
            faces_left_out=gone[person, role, group],
        )
        for (person, role, group), positions in chosen.items()
    ]
    summary = summarize_series(everything, name, Kind.PHOTOS)
    return SourceSummary([replace(summary, faces_left_out=len(faces) - len(everything.rows))], people=people)


def summarize_series(face_series: FaceSeries, file: str, kind: Kind, episodes: int | None = None) -> Summary:
    """The Summary of rows that belong together; ``episodes`` is how many there are in them, None: unknown."""
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


class _Video:
    """A video's timeline while it is summarized."""

    def __init__(self, timeline: Timeline, name: str, options: Options, annotations: Annotations) -> None:
        self._name = name
        self._options = options
        self._places = _places(timeline)
        self._events = annotations.events.of(name)
        self._offset = annotations.events.offset(name)
        self._rule = episodes.Rule(
            options.episode_enter, options.episode_leave, options.episode_shortest, options.episode_gap
        )
        self._rows = len(timeline)
        self._extent = _extent(timeline)
        self._faces = series_by_face(timeline)
        not_counted = series_by_face(timeline, timeline.success & ~timeline.counts)
        self._left_out = {face.face_id: face for face in not_counted}
        self._baselines: Mapping[int | None, Baseline] = {}
        if options.baseline is not None:
            start, stop = (seconds - self._offset for seconds in options.baseline)
            self._baselines = baselines(self._faces, start, stop)
        self.smoothed = None if options.smooth is None or self._extent is None else self._smooth(options.smooth)

    def summarize(self) -> SourceSummary:
        rule = self._rule
        found = {
            face.face_id: episodes.find(
                face, self._name, rule, None if self.smoothed is None else self.smoothed[face.rows]
            )
            for face in self._faces
        }
        summaries = [
            self._summarize_face(face, found[face.face_id], self._left_out.get(face.face_id)) for face in self._faces
        ]
        return SourceSummary(
            summaries,
            [episode for face in self._faces for episode in found[face.face_id]],
            [summary for summary in summaries if summary.person],
            list(self._by_event(found)),
            list(self._around_events()),
            list(self._complaints()),
        )

    def changes(self) -> np.ndarray | None:
        if self._options.baseline is None:
            return None
        changes = np.full((self._rows, len(EMOTIONS)), np.nan)
        for face in self._faces:
            if face.face_id in self._baselines:
                changes[face.rows] = face.shares - self._baselines[face.face_id].means
        return changes

    def _smooth(self, seconds: float) -> np.ndarray:
        shares = np.full((self._rows, len(EMOTIONS)), np.nan)
        for face in self._faces:
            shares[face.rows] = smooth(face, seconds)
        return shares

    def _summarize_face(self, face: FaceSeries, found: Sequence[Episode], left_out: FaceSeries | None) -> Summary:
        summary = summarize_series(face, self._name, Kind.VIDEO, len(found) if face.timed else None)
        if face.timed:
            summary = replace(summary, seconds_left_out=0.0 if left_out is None else float(left_out.durations.sum()))
        if left_out is not None:
            summary = replace(summary, faces_left_out=len(left_out.rows))
        if summary.person:
            role, group = self._places[summary.person]
            summary = replace(summary, role=role, group=group)
        if (baseline := self._baselines.get(face.face_id)) is None:
            return summary
        changes, valence_change = summary.means - baseline.means, summary.valence - baseline.valence
        return replace(summary, changes=changes, valence_change=valence_change)

    def _by_event(self, found: Mapping[int | None, Sequence[Episode]]) -> Iterator[InEvent]:
        for event in self._events:
            sampled = None
            if self._extent is not None:
                begin, end = self._extent
                sampled = max(0.0, min(event.stop, end) - max(event.start, begin))
            parts = [part for face in self._faces if (part := face.between(event.start, event.stop)) is not None]
            for part in parts:
                begun = [episode for episode in found[part.face_id] if event.start <= episode.start < event.stop]
                other = self._left_out.get(part.face_id)
                left_out = None if other is None else other.between(event.start, event.stop)
                yield InEvent(event, sampled, self._summarize_face(part, begun, left_out))
            if not parts:
                yield InEvent(event, sampled, None)

    def _around_events(self) -> Iterator[event_time.AroundEvent]:
        for event in self._events:
            for face in self._faces:
                _, group = self._places[face.person]
                near = event_time.around(face, event.label, event.start, self._name, group)
                if near is not None:
                    yield near

    def _complaints(self) -> Iterator[Skipped]:
        if self._extent is None:
            for event in self._events[:1]:
                reason = event.line.error("the video has no timestamps, so its events cannot be summed up.")
                yield Skipped(self._name, str(reason), Severity.PARTIAL)
        else:
            begin, end = self._extent
            for event in self._events:
                if min(event.stop, end) - max(event.start, begin) < event.stop - event.start - TOLERANCE:
                    outside = event.stop <= begin or event.start >= end
                    what = "nothing of the event" if outside else "only this part of the event"
                    reason = event.line.error(
                        f"'{event.label}' is at {event.start:g} to {event.stop:g} s of {self._name}, of which "
                        f"{begin:g} to {end:g} s were analysed, so {what} is summed up. If that is a mistake, correct "
                        "start, stop or offset."
                    )
                    yield Skipped(self._name, str(reason), Severity.NOTE)
        slow = [face for face in self._faces if face.timed and not self._rule.resolved_by(face)]
        if slow:
            seconds = max(float(np.median(face.durations)) for face in slow)
            yield Skipped(
                self._name,
                f"Its frames are {seconds:.3g} s apart, too far for episodes of {self._rule.shortest:g} s and "
                f"interruptions of {self._rule.gap:g} s: compare episodes and episodes_per_minute only with those of "
                "videos that were sampled at the same rate. To compare them with others, take more frames (--fps), or "
                f"give --episode-shortest and --episode-gap at least {episodes.FRAMES * seconds:.3g} s.",
                Severity.NOTE,
            )
        if self._options.baseline is not None and self._faces and not self._baselines:
            start, stop = self._options.baseline
            own = f" ({start - self._offset:g} to {stop - self._offset:g} s of this video)" if self._offset else ""
            yield Skipped(
                self._name,
                f"No face is visible in the baseline, {start:g} to {stop:g} s{own}, so there is no change from it. "
                f"Choose another --baseline{' or offset' if own else ''}.",
                Severity.PARTIAL,
            )


def _places(timeline: Timeline) -> dict[str, tuple[str, str]]:
    """The role and the group of everybody in a video, by their names; empty for faces without one."""
    fields = np.stack([timeline.rows[field] for field in ("person", "role", "group")], axis=1)[timeline.success]
    texts = timeline.texts
    return {texts[person]: (texts[role], texts[group]) for person, role, group in np.unique(fields, axis=0).tolist()}


def _extent(timeline: Timeline) -> tuple[float, float] | None:
    """Seconds from the first sampled frame to the end of the last; None: times are unknown."""
    starts = timeline.rows["timestamp"]
    if not len(starts) or np.isnan(starts).any():
        return None
    return float(starts.min()), float((starts + np.nan_to_num(timeline.rows["duration"])).max())
