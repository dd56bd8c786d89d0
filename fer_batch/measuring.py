"""Pure: all that is made of one source's timeline, once its rows are there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_batch import episodes, timeline, traces
from fer_batch.options import Options
from fer_batch.people import Names, Naming
from fer_batch.smoothing import smooth
from fer_batch.traces import Trace
from fer_batch.types import Episode, Kind, Summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Measured:
    """What a source's timeline gives."""

    summaries: Sequence[Summary]
    episodes: Sequence[Episode]
    people: Sequence[Summary]
    """Of every person that is named in it: in a film the same as their faces'."""
    smoothed: np.ndarray | None
    """(rows, 7) float64, NaN where there is no face that counts; None: nobody asked for them, or there are no times."""


def measure(table: "pd.DataFrame", file: str, kind: Kind, options: Options, names: Names) -> Measured:
    """What the timeline ``table`` of one source says about its faces; ``file`` is the source's name."""
    if kind is Kind.PHOTOS:
        people = tuple(_in_photographs(table, file, options, names))
        return Measured(timeline.summarise(table, file, kind, min_quality=options.min_quality), (), people, None)
    faces = traces.of_faces(table, options.min_quality)
    smoothed = _smoothed(faces, len(table), options.smooth)
    rule = episodes.Rule(options.episode_enter, options.episode_leave, options.episode_shortest)
    found = [
        episode
        for face in faces
        for episode in episodes.find(face, file, rule, None if smoothed is None else smoothed[face.rows])
    ]
    summaries = [
        _placed(one, names.by_person[one.person]) if one.person else one
        for one in timeline.summarise(table, file, kind, found, options.min_quality)
    ]
    return Measured(summaries, found, tuple(one for one in summaries if one.person), smoothed)


def _in_photographs(table: "pd.DataFrame", file: str, options: Options, names: Names) -> Iterator[Summary]:
    """A Summary for each person, role and group in a folder."""
    everything = traces.of_everything(table, options.min_quality)
    if everything is None or not names.namings:
        return
    faces = table.iloc[everything.rows]
    chosen: dict[tuple[str, str, str], list[int]] = {}
    for at, (photograph, face_id, person) in enumerate(faces[["file", "face_id", "person"]].itertuples(index=False)):
        if person:
            naming = names.by_face[photograph, face_id]
            chosen.setdefault((person, naming.role, naming.group), []).append(at)
    for (person, role, group), rows in chosen.items():
        one = timeline.summary(everything.part(np.array(rows)), file, Kind.PHOTOS)
        yield replace(one, person=person, role=role, group=group)


def _placed(one: Summary, naming: Naming) -> Summary:
    return replace(one, role=naming.role, group=naming.group)


def _smoothed(faces: Sequence[Trace], rows: int, seconds: float | None) -> np.ndarray | None:
    if seconds is None or not all(face.timed for face in faces):
        return None
    shares = np.full((rows, 7), np.nan)
    for face in faces:
        shares[face.rows] = smooth(face, seconds)
    return shares
