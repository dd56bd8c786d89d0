"""What a film's page shows: its faces, and each one's course along it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from fer_batch import charts, words
from fer_batch.courses import NO_MARKS, binned, courses
from fer_batch.emotions import TABLE
from fer_batch.live import LiveFace, film_data, finer_script, is_coarse
from fer_batch.pages import (
    MOST_ROWS,
    Attachment,
    Distribution,
    Drawn,
    Fact,
    Figures,
    Link,
    Page,
    Shares,
    SourceRow,
    Tile,
    common,
    facts,
    figures,
    href,
    media_href,
    page_path,
    source_row,
)
from fer_batch.results import Results
from fer_batch.tables import MEANS

if TYPE_CHECKING:
    import pandas as pd

MOST_CHARTS = 12
"""Faces of one film that get charts: those visible longest."""

MOST_STRETCHES = 20
"""Rows of the table beside a timeline chart."""


@dataclass(frozen=True)
class FaceRow:
    """One face of a film: a row of summary.csv."""

    face_id: int
    name: str
    """As the page calls it."""
    faces: int
    first_seen: float | None
    last_seen: float | None
    seconds_visible: float | None
    emotion: str
    shares: Shares
    charted: bool


@dataclass(frozen=True)
class Stretch:
    """A part of a face's course, for the table beside its chart."""

    start: float
    end: float
    visible: float
    """Seconds, or frames, in which the face is seen between the two."""
    shares: Shares


@dataclass(frozen=True)
class FaceSection:
    """The charts of one face."""

    row: FaceRow
    unit: str
    """Of the chart's axis and of the stretches: "seconds" or "frames"."""
    gaps: int
    points: int
    """Points of a line; less than ``row.faces`` where frames are averaged."""
    timeline: Drawn
    stretches: tuple[Stretch, ...]
    distribution: Distribution


@dataclass(frozen=True)
class FilmPage(Page):
    """One film."""

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    distribution: Distribution | None
    faces: tuple[FaceRow, ...]
    """Those visible longest first."""
    more_faces: int
    """Rows that only summary.csv has."""
    sections: tuple[FaceSection, ...]
    film: Link | None
    """The film itself; None: it does not lie where a page could reach it."""
    live: Markup
    """JSON for the script; empty: no face is charted."""


def film_page(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> FilmPage:
    """All that a film's page shows."""
    summary = results.summary_of(source).sort_values(
        ["seconds_visible", "faces", "face_id"], ascending=[False, False, True]
    )
    faces = [_face_row(row, number < MOST_CHARTS) for number, row in enumerate(summary.to_dict("records"))]
    found = courses(timeline, [face.face_id for face in faces if face.charted])
    charted = [face for face in faces if face.face_id in found]
    live = [LiveFace(face.face_id, face.name, found[face.face_id], NO_MARKS) for face in charted]
    row = source_row(results, source, timeline)
    drawing = figures(results, source)
    sections = tuple(_section(face, one, source["name"], drawing) for face, one in zip(charted, live, strict=True))
    mean = _film_distribution(row, drawing) if row.shares else None
    finer = []
    if any(is_coarse(one.course) for one in live):
        finer.append(Attachment(f"assets/{source['output']}/frames.js", finer_script(live).encode()))
    start = float(source.get("facts", {}).get("container_start") or 0.0)
    address = href(page_path(source), finer[0].path) if finer else ""
    return FilmPage(
        **common(results, source),
        attachments=(*drawing.attachments, *finer),
        tiles=(
            Tile("Time looked at", charts.clock(row.seconds), words.seconds(row.seconds))
            if row.seconds is not None
            else Tile("Time looked at", "unknown", "the film has no time stamps"),
            Tile("Frames looked at", words.count(row.frames)),
            Tile("Frames with a face", words.count(row.frames_with_face), words.part(row.frames_with_face, row.frames)),
            Tile("Tracks", words.count(row.tracks), f"{words.count(row.faces)} faces, summed over the frames"),
        ),
        facts=facts(source.get("facts", {})),
        distribution=mean,
        faces=tuple(faces[:MOST_ROWS]),
        more_faces=len(faces[MOST_ROWS:]),
        sections=sections,
        film=media_href(results, source),
        live=Markup(film_data(live, container_start=start, finer=address)) if live else Markup(),  # noqa: S704  no "<"
    )


def _film_distribution(row: SourceRow, drawing: Figures) -> Distribution:
    basis = (
        "Mean over the time in which faces are visible; two faces seen for one second together are two seconds."
        if row.seconds
        else "Mean over the faces in all frames, since the film has no time stamps."
    )
    return drawing.distribution("shares", f"Mean shares of {row.name}, all faces together", basis, row.shares)


def _section(face: FaceRow, live: LiveFace, film: str, drawing: Figures) -> FaceSection:
    course = live.course
    name = f"{face.name} of {film}"
    leading = next(emotion.label for emotion in TABLE if emotion.name == face.emotion)
    text = (
        f"Seven lines of shares from 0 to 100 %. {leading} leads on average with {words.percent(max(face.shares))} %. "
        f"The face is not seen in {words.plural(len(course.gaps), 'stretch', 'stretches')} of the film."
    )
    title = f"Shares along the film, {name}"
    coarse = binned(course, MOST_STRETCHES)
    columns = (one.tolist() for one in (coarse.starts, coarse.ends, coarse.weights, coarse.means))
    return FaceSection(
        row=face,
        unit=course.unit,
        gaps=len(course.gaps),
        points=len(binned(course).starts),
        timeline=drawing.timeline(course, live.marks, f"face-{face.face_id}-time", title, text),
        stretches=tuple(
            Stretch(start, end, visible, tuple(means)) for start, end, visible, means in zip(*columns, strict=True)
        ),
        distribution=drawing.distribution(
            f"face-{face.face_id}-mean",
            f"Mean shares of {name}",
            "Mean over the time in which the face is visible."
            if face.seconds_visible
            else "Mean over the frames in which the face is visible.",
            face.shares,
        ),
    )


def _face_row(row: Mapping[Any, Any], charted: bool) -> FaceRow:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    return FaceRow(
        face_id=int(row["face_id"]),
        name=f"Face {int(row['face_id'])}",
        faces=int(row["faces"]),
        first_seen=known(row["first_seen"]),
        last_seen=known(row["last_seen"]),
        seconds_visible=known(row["seconds_visible"]),
        emotion=str(row["emotion"]),
        shares=tuple(float(row[name]) for name in MEANS),
        charted=charted,
    )
