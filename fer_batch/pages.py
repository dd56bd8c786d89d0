"""What each page of the report shows, as plain data made of the tables on disk."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from fer_batch import charts, words
from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.results import LeftOut, Results, anonymous
from fer_batch.tables import MEANS
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

MOST_CHARTS = 12
"""Faces of one film that get charts: those visible longest."""

MOST_ROWS = 500
"""Rows of one table on a page; the CSV file beside it has all."""

MOST_STRETCHES = 20
"""Rows of the table beside a timeline chart."""

INDEX = "index.html"

MODEL_CARD = "model-card.md"
"""The emotion model's card, which a run copies from beside the model, if there is one."""

Shares = tuple[float, ...]
"""(7,) shares from 0 to 1 in the order of EMOTIONS."""


@dataclass(frozen=True)
class Link:
    """A file of the output folder, as a page links to it."""

    text: str
    href: str
    """Relative to the page, percent-encoded."""


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts."""

    label: str
    value: str


@dataclass(frozen=True)
class Tile:
    """One number at a glance."""

    label: str
    value: str
    note: str = ""
    href: str = ""
    """Where the number is explained; empty: nowhere else."""


@dataclass(frozen=True)
class Distribution:
    """Mean shares, as a chart and as a table."""

    heading: str
    basis: str
    """Over what the mean is taken."""
    shares: Shares
    leads: tuple[int, ...]
    """(7,) faces whose largest share is this emotion; empty where that is not counted."""
    svg: Markup


@dataclass(frozen=True)
class SourceRow:
    """One source in the index."""

    name: str
    page: Link
    table: Link
    frames: int
    """Frames, or photographs, that were looked at."""
    frames_with_face: int
    faces: int
    """Rows with a face."""
    tracks: int
    """Different face_ids; of photographs 0."""
    seconds: float | None
    """Sum of the durations of the frames that were looked at."""
    emotion: str
    """Name of the emotion with the largest mean share; empty: no face."""
    shares: Shares
    """Empty: no face."""
    incomplete: bool
    """errors.csv has a line about it."""


@dataclass(frozen=True)
class FaceRow:
    """One face of a film: a row of summary.csv."""

    face_id: int
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
    timeline: Markup
    stretches: tuple[Stretch, ...]
    distribution: Distribution


@dataclass(frozen=True)
class PhotoRow:
    """One face in a photograph."""

    file: str
    face_id: int
    confidence: float
    box: tuple[int, int, int, int]
    """x, y, width and height in pixels of the upright photograph."""
    emotion: str
    shares: Shares


@dataclass(frozen=True)
class Page:
    """What every page has."""

    title: str
    index: Link
    tables: tuple[Link, ...]
    left_out: tuple[LeftOut, ...]
    view: str
    """Which of the model's answers fills the tables."""
    version: str
    """Of fer-batch."""


@dataclass(frozen=True)
class IndexPage(Page):
    """The report's first page."""

    started: str
    tiles: tuple[Tile, ...]
    distributions: tuple[Distribution, ...]
    untimed: int
    """Films with faces but without time stamps, which no mean over time can hold."""
    films: tuple[SourceRow, ...]
    folders: tuple[SourceRow, ...]
    ignored: tuple[str, ...]
    card: Link | None
    """The emotion model's card; None: it has none."""
    provenance: tuple[tuple[str, tuple[Fact, ...]], ...]
    """Groups of facts, each with its heading."""


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


@dataclass(frozen=True)
class PhotosPage(Page):
    """One folder of photographs."""

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    distribution: Distribution | None
    faces: tuple[PhotoRow, ...]
    more_faces: int
    """Rows that only the timeline has."""
    without_face: tuple[str, ...]
    more_without_face: int


def film_page(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> FilmPage:
    """All that a film's page shows."""
    summary = results.summary_of(source).sort_values(
        ["seconds_visible", "faces", "face_id"], ascending=[False, False, True]
    )
    faces = [_face_row(row, number < MOST_CHARTS) for number, row in enumerate(summary.to_dict("records"))]
    courses = charts.courses(timeline, [face.face_id for face in faces if face.charted])
    row = source_row(results, source, timeline)
    return FilmPage(
        **_common(results, source),
        tiles=(
            Tile("Time looked at", charts.clock(row.seconds), words.seconds(row.seconds))
            if row.seconds is not None
            else Tile("Time looked at", "unknown", "the film has no time stamps"),
            Tile("Frames looked at", words.count(row.frames)),
            Tile("Frames with a face", words.count(row.frames_with_face), words.part(row.frames_with_face, row.frames)),
            Tile("Tracks", words.count(row.tracks), f"{words.count(row.faces)} faces, summed over the frames"),
        ),
        facts=_facts(source.get("facts", {})),
        distribution=_film_distribution(row) if row.shares else None,
        faces=tuple(faces[:MOST_ROWS]),
        more_faces=len(faces[MOST_ROWS:]),
        sections=tuple(
            _section(face, courses[face.face_id], source["name"]) for face in faces if face.face_id in courses
        ),
    )


def photos_page(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> PhotosPage:
    """All that the page of a folder of photographs shows."""
    row = source_row(results, source, timeline)
    seen = timeline[timeline["success"]]
    faceless = timeline.loc[~timeline["success"], "file"].astype(str).tolist()
    shown = seen.head(MOST_ROWS)
    shares = shown[list(EMOTIONS)].to_numpy(dtype=np.float64).tolist()
    distribution = None
    if row.shares:
        leads = seen["emotion"].value_counts()
        distribution = _distribution(
            "shares",
            f"Mean shares of {source['name']}",
            f"Mean over {words.count(row.faces)} faces; each face counts the same.",
            row.shares,
            tuple(int(leads.get(name, 0)) for name in EMOTIONS),
        )
    return PhotosPage(
        **_common(results, source),
        tiles=(
            Tile("Photographs read", words.count(row.frames)),
            Tile("With a face", words.count(row.frames_with_face), words.part(row.frames_with_face, row.frames)),
            Tile("Faces", words.count(row.faces)),
        ),
        facts=_facts(source.get("facts", {})),
        distribution=distribution,
        faces=tuple(
            PhotoRow(
                file=str(one["file"]),
                face_id=int(one["face_id"]),
                confidence=float(one["face_confidence"]),
                box=(int(one["x"]), int(one["y"]), int(one["width"]), int(one["height"])),
                emotion=str(one["emotion"]),
                shares=tuple(share),
            )
            for one, share in zip(shown.to_dict("records"), shares, strict=True)
        ),
        more_faces=len(seen) - len(shown),
        without_face=tuple(faceless[:MOST_ROWS]),
        more_without_face=len(faceless[MOST_ROWS:]),
    )


def index_page(results: Results, rows: Iterable[tuple[Kind, SourceRow]]) -> IndexPage:
    """All that the first page shows; ``rows`` are the sources in their order."""
    listed = list(rows)
    films = tuple(row for kind, row in listed if kind is Kind.VIDEO)
    folders = tuple(row for kind, row in listed if kind is Kind.PHOTOS)
    left_out = results.left_out()
    summary = results.summary
    timed = summary[(summary["kind"] == Kind.VIDEO) & (summary["seconds_visible"] > 0)]
    photographs = summary[summary["kind"] == Kind.PHOTOS]
    distributions = []
    if len(timed):
        seconds = float(timed["seconds_visible"].sum())
        films_seen = words.plural(timed["file"].nunique(), "film")
        distributions.append(
            _distribution(
                "films",
                "Films: mean over time",
                f"Mean over {charts.clock(seconds)} ({words.seconds(seconds)}) of visible faces in {films_seen}; "
                "two faces seen for one second together are two seconds.",
                _mean(timed, "seconds_visible"),
            )
        )
    if len(photographs):
        faces = int(photographs["faces"].sum())
        distributions.append(
            _distribution(
                "photographs",
                "Photographs: mean over faces",
                f"Mean over {words.plural(faces, 'face')} in {words.plural(len(photographs), 'folder')}; "
                "each counts the same.",
                _mean(photographs, "faces"),
            )
        )
    return IndexPage(
        title="What the faces look like",
        index=Link("Overview", INDEX),
        tables=tuple(
            Link(name, _href(INDEX, name))
            for name in ("summary.csv", "episodes.csv", "errors.csv", "datapackage.json", "run.json")
            if (results.folder / name).is_file()
        ),
        left_out=left_out,
        view=_view(results),
        version=str(results.run["fer_batch"]),
        started=str(results.run.get("started", "")),
        tiles=_tiles(films, folders, left_out),
        distributions=tuple(distributions),
        untimed=sum(bool(film.faces) and film.name not in set(timed["file"]) for film in films),
        films=films,
        folders=folders,
        ignored=tuple(results.run.get("ignored", ())),
        card=Link("model card", _href(INDEX, MODEL_CARD)) if (results.folder / MODEL_CARD).is_file() else None,
        provenance=_provenance(results.run),
    )


def _common(results: Results, source: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a film's page and a folder's page share."""
    page = page_path(source)
    left_out = results.left_out(source)
    told = {line.reason for line in left_out}
    timeline = Link("This timeline as CSV", _href(page, source["timeline"]))
    summary = Link("Summary of all sources as CSV", _href(page, "summary.csv"))
    return {
        "title": source["name"],
        "index": Link("Overview", _href(page, INDEX)),
        "tables": (timeline, summary, Link("What was left out, as CSV", _href(page, "errors.csv"))),
        "left_out": left_out,
        "view": _view(results),
        "version": str(results.run["fer_batch"]),
        "notes": tuple(note for note in map(anonymous, source.get("notes", ())) if note not in told),
    }


def source_row(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> SourceRow:
    """A source in a line, counted from its timeline; its mean shares come from summary.csv."""
    frames = timeline.drop_duplicates("frame")
    seen = timeline[timeline["success"]]
    summary = results.summary_of(source)
    shares: Shares = ()
    if len(summary):
        by_time = source["kind"] == Kind.VIDEO and float(summary["seconds_visible"].sum()) > 0
        shares = _mean(summary, "seconds_visible" if by_time else "faces")
    return SourceRow(
        name=source["name"],
        page=Link(source["name"], _href(INDEX, page_path(source))),
        table=Link("CSV", _href(INDEX, source["timeline"])),
        frames=len(frames),
        frames_with_face=seen["frame"].nunique(),
        faces=len(seen),
        tracks=seen["face_id"].nunique() if source["kind"] == Kind.VIDEO else 0,
        seconds=float(frames["duration"].sum()) if frames["duration"].notna().any() else None,
        emotion=EMOTIONS[int(np.argmax(shares))] if shares else "",
        shares=shares,
        incomplete=bool(results.left_out(source)),
    )


def _tiles(films: Sequence[SourceRow], folders: Sequence[SourceRow], left_out: Sequence[LeftOut]) -> tuple[Tile, ...]:
    tiles = [
        Tile(
            "Sources",
            words.count(len(films) + len(folders)),
            f"{words.plural(len(films), 'film')}, {words.plural(len(folders), 'folder')} of photographs",
        )
    ]
    if films:
        seconds = sum(film.seconds or 0.0 for film in films)
        untimed = sum(film.seconds is None for film in films)
        note = words.seconds(seconds) + (
            f"; {words.plural(untimed, 'film')} without time stamps not counted" if untimed else ""
        )
        frames, seen = sum(film.frames for film in films), sum(film.frames_with_face for film in films)
        faces = words.plural(sum(film.faces for film in films), "face")
        tiles += [
            Tile("Film time looked at", charts.clock(seconds), note),
            Tile("Film frames looked at", words.count(frames)),
            Tile("Film frames with a face", words.count(seen), words.part(seen, frames)),
            Tile(
                "Tracks in films", words.count(sum(film.tracks for film in films)), f"{faces}, summed over the frames"
            ),
        ]
    if folders:
        read, seen = sum(one.frames for one in folders), sum(one.frames_with_face for one in folders)
        tiles += [
            Tile("Photographs read", words.count(read)),
            Tile("Photographs with a face", words.count(seen), words.part(seen, read)),
            Tile("Faces in photographs", words.count(sum(one.faces for one in folders))),
        ]
    gone = len({line.file for line in left_out if not line.rows_kept})
    degraded = len({line.file for line in left_out if line.rows_kept})
    where = "#left-out" if left_out else ""
    return (
        *tiles,
        Tile("Left out", words.count(gone), "not in the tables", where if gone else ""),
        Tile("Not whole", words.count(degraded), "in the tables as far as it could be read", where if degraded else ""),
    )


def _film_distribution(row: SourceRow) -> Distribution:
    basis = (
        "Mean over the time in which faces are visible; two faces seen for one second together are two seconds."
        if row.seconds
        else "Mean over the faces in all frames, since the film has no time stamps."
    )
    return _distribution("shares", f"Mean shares of {row.name}, all faces together", basis, row.shares)


def _distribution(prefix: str, heading: str, basis: str, shares: Shares, leads: tuple[int, ...] = ()) -> Distribution:
    parts = ", ".join(f"{emotion.label} {words.percent(share)} %" for emotion, share in zip(TABLE, shares, strict=True))
    svg = charts.distribution(shares, prefix=f"chart-{prefix}", title=heading, description=f"{parts}. {basis}")
    return Distribution(heading, basis, shares, leads, Markup(svg))  # noqa: S704  charts escapes its texts


def _section(face: FaceRow, course: charts.Course, film: str) -> FaceSection:
    prefix = f"chart-face-{face.face_id}"
    name = f"face {face.face_id} of {film}"
    shown = charts.binned(course)
    leading = next(emotion.label for emotion in TABLE if emotion.name == face.emotion)
    text = (
        f"Seven lines of shares from 0 to 100 %. {leading} leads on average with {words.percent(max(face.shares))} %. "
        f"The face is not seen in {words.plural(len(course.gaps), 'stretch', 'stretches')} of the film."
    )
    svg = charts.timeline(course, prefix=f"{prefix}-time", title=f"Shares along the film, {name}", description=text)
    coarse = charts.binned(course, MOST_STRETCHES)
    columns = (one.tolist() for one in (coarse.starts, coarse.ends, coarse.weights, coarse.means))
    return FaceSection(
        row=face,
        unit=course.unit,
        gaps=len(course.gaps),
        points=len(shown.starts),
        timeline=Markup(svg),  # noqa: S704  charts escapes its texts
        stretches=tuple(
            Stretch(start, end, visible, tuple(means)) for start, end, visible, means in zip(*columns, strict=True)
        ),
        distribution=_distribution(
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
        faces=int(row["faces"]),
        first_seen=known(row["first_seen"]),
        last_seen=known(row["last_seen"]),
        seconds_visible=known(row["seconds_visible"]),
        emotion=str(row["emotion"]),
        shares=tuple(float(row[name]) for name in MEANS),
        charted=charted,
    )


def _mean(summary: "pd.DataFrame", weight: str) -> Shares:
    """Mean shares of rows of summary.csv; rows without a weight do not count."""
    weights = summary[weight].fillna(0).to_numpy(dtype=np.float64)
    return tuple(np.average(summary[list(MEANS)].to_numpy(dtype=np.float64), axis=0, weights=weights).tolist())


def _provenance(run: Mapping[str, Any]) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    took = run.get("seconds", {})
    this = {
        "fer-batch": run["fer_batch"],
        "started": run.get("started"),
        "finished": run.get("finished"),
        **{f"seconds, {name}": value for name, value in took.items()},
        "platform": run.get("platform"),
    }
    groups = [("This run", this), ("Options", run.get("options", {})), ("Emotion model", run.get("model", {}))]
    groups += [("Face detector", run.get("detector", {})), ("Crop of a face", run.get("crop", {}))]
    groups += [("Counts", run.get("counts", {})), ("Versions", run.get("versions", {}))]
    return tuple((heading, _facts(group)) for heading, group in groups if group)


def _facts(values: Mapping[str, Any], above: str = "") -> tuple[Fact, ...]:
    """A JSON object as lines; objects within it are named by their path."""
    facts: list[Fact] = []
    for key, value in values.items():
        label = above + key.replace("_", " ")
        if isinstance(value, Mapping):
            facts += _facts(value, f"{label}: ")
        else:
            facts.append(Fact(label, _value(value)))
    return tuple(facts)


def _value(value: object) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_value(one) for one in value)
        case _:
            return anonymous(str(value))


def _view(results: Results) -> str:
    return str(results.run.get("options", {}).get("view", ""))


def page_path(source: Mapping[str, Any]) -> str:
    """Where a source's page is, relative to the output folder."""
    return f"pages/{source['output']}.html"


def _href(page: str, target: str) -> str:
    """From one file of the output folder to another, both POSIX paths relative to it, as a URL."""
    return quote(posixpath.relpath(target, posixpath.dirname(page) or "."), safe="/")
