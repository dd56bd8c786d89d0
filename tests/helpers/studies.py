"""Output folders made of faces that show one emotion after the other: no media, no detector, no model."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fer_batch.analysis.summary import summarize
from fer_batch.annotations.events import Event, Events
from fer_batch.annotations.load import Annotations
from fer_batch.annotations.people import Naming, People
from fer_batch.annotations.user_csv import Line
from fer_batch.emotions import EMOTIONS
from fer_batch.media.sources import _output
from fer_batch.options import Options
from fer_batch.output import folder as outfolder
from fer_batch.output.csv import write_timeline
from fer_batch.output.manifest import Manifest
from fer_batch.pipeline.tables import write_tables
from fer_batch.types import Kind, Outcome, Source
from tests.helpers.timelines import make_timeline

Row = tuple[float | None, float | None, int | None, str, str]
"""Start, duration, face_id and person of a frame, and the emotion that the face wholly shows; or no face."""

LINE = Line("annotations.csv", 2, {})

FINISHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def frames(
    starts: Sequence[float], emotions: Sequence[str], face_id: int = 0, person: str = "", last: float = 0.04
) -> list[Row]:
    """A face in frames that begin at these seconds; the last one lasts ``last``."""
    durations = [*np.diff(starts), last]
    return [
        (start, duration, face_id, person, emotion)
        for start, duration, emotion in zip(starts, durations, emotions, strict=True)
    ]


def make_study(
    folder: Path,
    videos: Mapping[str, Sequence[Row]],
    photos: Mapping[str, Sequence[str]] | None = None,
    events: Sequence[tuple[str, str, float, float]] = (),
    facts: Mapping[str, object] | None = None,
) -> Path:
    """Write the tables of these videos and folders of photos; ``events``: file, label, start, stop."""
    outfolder.claim(folder)
    by_video: dict[str, list[Event]] = {name: [] for name in videos}
    for name, label, start, stop in events:
        by_video[name].append(Event(LINE, name, label, start, stop))
    people = {
        name: tuple(
            Naming(LINE, None, face, person, "", "") for face, person in {row[2:4]: 0 for row in rows} if person
        )
        for name, rows in videos.items()
    }
    annotations = Annotations(People(people), Events(by_video))
    options = Options(
        events=Path("events.csv") if events else None, people=Path("people.csv") if any(people.values()) else None
    )
    outcomes, summaries = [], []
    everything = {name: (Kind.VIDEO, rows) for name, rows in videos.items()}
    everything |= {
        name: (Kind.PHOTOS, [(None, None, 0, "", emotion) for emotion in emotions])
        for name, emotions in (photos or {}).items()
    }
    for name, (kind, rows) in everything.items():
        rows = sorted(rows, key=lambda row: row[0] or 0)
        starts, durations, face_ids, persons, emotions = zip(*rows, strict=True)
        ranks = {start: rank for rank, start in enumerate(dict.fromkeys(starts))}  # the rows are in order of time
        frame = [ranks[start] if kind is Kind.VIDEO else at for at, start in enumerate(starts)]
        timeline = make_timeline(
            np.array([[float(emotion == one) if emotion else np.nan for one in EMOTIONS] for emotion in emotions]),
            name,
            persons,
            frame=frame,
            timestamp=np.array(starts, float),
            duration=np.array(durations, float),
            face_id=[-1 if face_id is None else face_id for face_id in face_ids],
        )
        source = Source(kind, name, (folder.parent / name,), _output(name))
        summary, _ = summarize(timeline, source, options, annotations)
        seconds = float(sum(durations)) if kind is Kind.VIDEO and starts[0] is not None else None
        outcome = Outcome(source, len(set(frame)), len(rows), len(rows), seconds, dict(facts or {}), ())
        write_timeline(folder / outcome.timeline, timeline, source=name)
        outcomes.append(outcome)
        summaries.append(summary)
    manifest = Manifest(FINISHED, FINISHED, options, {}, {}, None, {}, {}, outcomes, [], [])
    write_tables(folder, manifest, summaries)
    return folder
