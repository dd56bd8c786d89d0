"""Studies of drawn faces: videos and photos, persons in several of them, gaps, events, left-out rows."""

from pathlib import Path
from typing import Any

import numpy as np

from fer_batch.analysis.series import left_out_of
from fer_batch.analysis.summary import summarize
from fer_batch.annotations.events import Event, Events
from fer_batch.annotations.load import Annotations
from fer_batch.media.sources import _output
from fer_batch.options import Options
from fer_batch.output import folder as outfolder
from fer_batch.output.csv import write_timeline
from fer_batch.output.manifest import Manifest
from fer_batch.pipeline.tables import write_tables
from fer_batch.types import Kind, Outcome, Source
from tests.helpers.studies import FINISHED, LINE
from tests.helpers.timelines import make_timeline

PEOPLE = 14
"""Of half of the studies each is in group A or in B; in the others, now in the one and now in the other."""

FACES = 4


def write_study(folder: Path, rng: np.random.Generator, options: Options, sources: int) -> Events:
    """A folder of photos among some videos; in one of five studies nobody in a video is named. Writes all tables."""
    outfolder.claim(folder)
    by_video: dict[str, list[Event]] = {}
    offsets: dict[str, float] = {}
    outcomes, summaries = [], []
    named, mixed = rng.random() < 0.8, rng.random() < 0.5
    for number in range(sources):
        kind = Kind.PHOTOS if number % 9 == 4 else Kind.VIDEO
        name = f"{number:02}.mp4" if kind is Kind.VIDEO else f"{number:02}"
        frames = int(rng.integers(2, 50))
        duration = np.full(frames, rng.choice([0.04, 0.033367, 0.2])) * rng.choice([1, 1, 1, 2], frames)
        pause = np.where(rng.random(frames) < 0.05, rng.choice([0.1, 0.5, 2]), 0)
        start = (np.cumsum(duration + pause) - duration - pause).round(6)
        places = [_place(person, mixed, rng) for person in rng.permutation(PEOPLE)[:FACES].tolist()]
        if kind is Kind.VIDEO and not named:
            places = [("", "", "")] * FACES
        rows: list[tuple[Any, ...]] = []
        mood = rng.integers(0, 7, frames // 8 + 1).repeat(8)[:frames]
        for frame in range(frames):
            seen = [face for face in range(FACES) if rng.random() < (0.9, 0.5, 0.3, 0.3)[face]]
            for face in seen or [-1]:
                shares = rng.dirichlet(np.full(7, 0.4)) * 0.5 + 0.5 * np.eye(7)[mood[frame]] * rng.random()
                place = places[face] if face >= 0 else ("", "", "")
                shares = shares / shares.sum() if face >= 0 else shares * np.nan
                rows.append((frame, face, *place, shares, round(rng.random(), 4), rng.random() < 0.05))
        frame, face, person, role, group, shares, quality, spurious = (
            list(column) for column in zip(*rows, strict=True)
        )
        timeline = make_timeline(
            np.array(shares),
            name,
            frame=frame,
            timestamp=start[frame] if kind is Kind.VIDEO else np.nan,
            duration=duration[frame].round(6) if kind is Kind.VIDEO else np.nan,
            face_id=face,
            track=face,
        )
        texts = sorted({"", name, *person, *role, *group})
        for field, values in (("file", [name] * len(rows)), ("person", person), ("role", role), ("group", group)):
            timeline.rows[field] = [texts.index(value) for value in values]
        timeline.rows["quality"], timeline.rows["spurious"] = quality, spurious
        timeline.rows["left_out"] = np.where(
            timeline.success, np.where(spurious, 1, np.where(np.array(quality) < options.min_quality, 2, 0)), 0
        )
        timeline = type(timeline)(timeline.rows, tuple(texts))
        source = Source(kind, name, (folder.parent / name,), _output(name))
        if kind is Kind.VIDEO:
            offsets[name] = float(rng.choice([0, 0.25, -1]))
            at = rng.choice([0.1, 0.5, 1.2]) - offsets[name]
            lines = [Event(LINE, name, label, at + 2 * step, at + 2 * step + 0.7) for step, label in enumerate("pqp")]
            by_video[name] = lines
        summary, added = summarize(timeline, source, options, Annotations(events=Events(by_video, offsets)))
        counts, kept = timeline.counts, timeline.rows["frame"][timeline.counts]
        left_out = tuple(left_out_of(timeline, kind))
        outcome = Outcome(source, frames, len(np.unique(kept)), int(counts.sum()), 1.0, {}, (), left_out=left_out)
        write_timeline(
            folder / outcome.timeline, timeline, added.smoothed, added.changes, named=True, source=outcome.source.name
        )
        outcomes.append(outcome)
        summaries.append(summary)
    facts = Manifest(FINISHED, FINISHED, options, {}, {}, None, {}, {}, outcomes, [], [], PEOPLE, ("A", "B"))
    write_tables(folder, facts, summaries)
    return Events(by_video, offsets)


def _place(person: int, mixed: bool, rng: np.random.Generator) -> tuple[str, str, str]:
    """Name, role and group of a person in one source; nobody has named one face of ten."""
    if rng.random() < 0.1:
        return "", "", ""
    group = "AB"[int(rng.integers(2)) if mixed else person % 2]
    return f"P{person:02}", str(rng.choice(["", "guest"])), "" if rng.random() < 0.1 else group
