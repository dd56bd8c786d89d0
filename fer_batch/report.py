"""The report: from the tables of an output folder to HTML pages that need nothing but a browser.

First the data of a page, as a frozen dataclass made of what the tables say; then the page, by a template that only
lays out. Pages load nothing, show no picture, and name no folder outside the output folder.
"""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fer_batch import charts, outfolder, tables
from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.errors import UsageError
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
class LeftOut:
    """One line of errors.csv."""

    file: str
    reason: str
    rows_kept: bool


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


def render(folder: Path) -> Path:
    """Write index.html and pages/ from the tables in an output folder; gives the path of index.html.

    Pages of earlier runs are removed. The same tables give the same bytes.

    Raises:
        UsageError: the folder is no output folder, or a table that its run.json names is missing or damaged.
        OutputError: a page cannot be written.
    """
    results = Results.read(folder)
    environment = _environment()
    rows: list[tuple[Kind, SourceRow]] = []
    written = []
    for source in results.sources:
        timeline = results.timeline(source)
        path = folder / _page_of(source)
        page: Page
        if source["kind"] == Kind.VIDEO:
            page = film_page(results, source, timeline)
            _write(environment, "film.html", page, path)
        else:
            page = photos_page(results, source, timeline)
            _write(environment, "photos.html", page, path)
        written.append(path)
        rows.append((Kind(source["kind"]), _source_row(results, source, timeline)))
    outfolder.sweep(folder / "pages", keep=written)
    # Last, so that it never links to a page that is not there.
    _write(environment, "index.html", index_page(results, rows), folder / INDEX)
    return folder / INDEX


@dataclass(frozen=True)
class Results:
    """What lies in an output folder, all but the timelines."""

    folder: Path
    run: Mapping[str, Any]
    summary: "pd.DataFrame"
    errors: "pd.DataFrame"

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read run.json, summary.csv and errors.csv.

        Raises:
            UsageError: one of them is missing or damaged.
        """
        path = folder / "run.json"
        if not path.is_file():
            raise UsageError(
                f"{folder} holds no run.json, so there is nothing to report. "
                f"Run `fer-batch analyze INPUT... --out {folder}` first."
            )
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{path} is damaged ({error}). Run `fer-batch analyze` again.") from error
        if not isinstance(run, dict) or not {"fer_batch", "sources"} <= run.keys():
            raise UsageError(f"{path} is damaged (it tells of no sources). Run `fer-batch analyze` again.")
        summary = _table(folder, "summary.csv", tables.SUMMARY)
        results = cls(folder, run, summary, _table(folder, "errors.csv", tables.ERRORS))
        for source in results.sources:
            # run.json decides where pages are written: nothing may lie outside the folder.
            for inside in (source["timeline"], source["output"]):
                if posixpath.isabs(inside) or ".." in re.split(r"[/\\]", inside):
                    raise UsageError(
                        f"{path} names a file outside its folder: {inside}. Run `fer-batch analyze` again."
                    )
        return results

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """The sources that have a timeline, as run.json tells of them."""
        return [source for source in self.run["sources"] if source.get("timeline")]

    def timeline(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """A source's timeline.

        Raises:
            UsageError: it is missing or damaged.
        """
        return _table(self.folder, source["timeline"], tables.TIMELINE)

    def summary_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The source's rows of summary.csv."""
        ours = (self.summary["file"] == source["name"]) & (self.summary["kind"] == source["kind"])
        rows: pd.DataFrame = self.summary[ours]
        return rows

    def left_out(self, source: Mapping[str, Any] | None = None) -> tuple[LeftOut, ...]:
        """The lines of errors.csv, all or those about a source and its photographs."""
        lines = (
            LeftOut(str(file), _anonymous(str(reason)), bool(kept))
            for file, kept, reason in self.errors[["file", "rows_kept", "reason"]].itertuples(index=False)
        )
        return tuple(line for line in lines if source is None or self._owner(line.file) == source["name"])

    def _owner(self, file: str) -> str | None:
        """The source that a line of errors.csv is about; of two folders, one within the other, the inner one."""
        names = [one["name"] for one in self.sources if file == one["name"] or file.startswith(one["name"] + "/")]
        return max(names, key=len, default=None)


def film_page(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> FilmPage:
    """All that a film's page shows."""
    summary = results.summary_of(source).sort_values(
        ["seconds_visible", "faces", "face_id"], ascending=[False, False, True]
    )
    faces = [_face_row(row, number < MOST_CHARTS) for number, row in enumerate(summary.to_dict("records"))]
    courses = charts.courses(timeline, [face.face_id for face in faces if face.charted])
    row = _source_row(results, source, timeline)
    return FilmPage(
        **_common(results, source),
        tiles=(
            Tile("Time looked at", charts.clock(row.seconds), _seconds(row.seconds))
            if row.seconds is not None
            else Tile("Time looked at", "unknown", "the film has no time stamps"),
            Tile("Frames looked at", _count(row.frames)),
            Tile("Frames with a face", _count(row.frames_with_face), _part(row.frames_with_face, row.frames)),
            Tile("Tracks", _count(row.tracks), f"{_count(row.faces)} faces, summed over the frames"),
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
    row = _source_row(results, source, timeline)
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
            f"Mean over {_count(row.faces)} faces; each face counts the same.",
            row.shares,
            tuple(int(leads.get(name, 0)) for name in EMOTIONS),
        )
    return PhotosPage(
        **_common(results, source),
        tiles=(
            Tile("Photographs read", _count(row.frames)),
            Tile("With a face", _count(row.frames_with_face), _part(row.frames_with_face, row.frames)),
            Tile("Faces", _count(row.faces)),
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
        distributions.append(
            _distribution(
                "films",
                "Films: mean over time",
                f"Mean over {charts.clock(seconds)} ({_seconds(seconds)}) of visible faces in "
                f"{_plural(timed['file'].nunique(), 'film')}; two faces seen for one second together are two seconds.",
                _mean(timed, "seconds_visible"),
            )
        )
    if len(photographs):
        faces = int(photographs["faces"].sum())
        distributions.append(
            _distribution(
                "photographs",
                "Photographs: mean over faces",
                f"Mean over {_plural(faces, 'face')} in {_plural(len(photographs), 'folder')}; each counts the same.",
                _mean(photographs, "faces"),
            )
        )
    return IndexPage(
        title="What the faces look like",
        index=Link("Overview", INDEX),
        tables=tuple(
            Link(name, _href(INDEX, name))
            for name in ("summary.csv", "errors.csv", "datapackage.json", "run.json")
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
        provenance=_provenance(results.run),
    )


def _common(results: Results, source: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a film's page and a folder's page share."""
    page = _page_of(source)
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
        "notes": tuple(note for note in map(_anonymous, source.get("notes", ())) if note not in told),
    }


def _source_row(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> SourceRow:
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
        page=Link(source["name"], _href(INDEX, _page_of(source))),
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
            _count(len(films) + len(folders)),
            f"{_plural(len(films), 'film')}, {_plural(len(folders), 'folder')} of photographs",
        )
    ]
    if films:
        seconds = sum(film.seconds or 0.0 for film in films)
        untimed = sum(film.seconds is None for film in films)
        note = _seconds(seconds) + (f"; {_plural(untimed, 'film')} without time stamps not counted" if untimed else "")
        frames, seen = sum(film.frames for film in films), sum(film.frames_with_face for film in films)
        faces = _plural(sum(film.faces for film in films), "face")
        tiles += [
            Tile("Film time looked at", charts.clock(seconds), note),
            Tile("Film frames looked at", _count(frames)),
            Tile("Film frames with a face", _count(seen), _part(seen, frames)),
            Tile("Tracks in films", _count(sum(film.tracks for film in films)), f"{faces}, summed over the frames"),
        ]
    if folders:
        read, seen = sum(one.frames for one in folders), sum(one.frames_with_face for one in folders)
        tiles += [
            Tile("Photographs read", _count(read)),
            Tile("Photographs with a face", _count(seen), _part(seen, read)),
            Tile("Faces in photographs", _count(sum(one.faces for one in folders))),
        ]
    gone = len({line.file for line in left_out if not line.rows_kept})
    degraded = len({line.file for line in left_out if line.rows_kept})
    where = "#left-out" if left_out else ""
    return (
        *tiles,
        Tile("Left out", _count(gone), "not in the tables", where if gone else ""),
        Tile("Not whole", _count(degraded), "in the tables as far as it could be read", where if degraded else ""),
    )


def _film_distribution(row: SourceRow) -> Distribution:
    basis = (
        "Mean over the time in which faces are visible; two faces seen for one second together are two seconds."
        if row.seconds
        else "Mean over the faces in all frames, since the film has no time stamps."
    )
    return _distribution("shares", f"Mean shares of {row.name}, all faces together", basis, row.shares)


def _distribution(prefix: str, heading: str, basis: str, shares: Shares, leads: tuple[int, ...] = ()) -> Distribution:
    parts = ", ".join(f"{emotion.label} {_percent(share)} %" for emotion, share in zip(TABLE, shares, strict=True))
    svg = charts.distribution(shares, prefix=f"chart-{prefix}", title=heading, description=f"{parts}. {basis}")
    return Distribution(heading, basis, shares, leads, Markup(svg))  # noqa: S704  charts escapes its texts


def _section(face: FaceRow, course: charts.Course, film: str) -> FaceSection:
    prefix = f"chart-face-{face.face_id}"
    name = f"face {face.face_id} of {film}"
    shown = charts.binned(course)
    leading = next(emotion.label for emotion in TABLE if emotion.name == face.emotion)
    text = (
        f"Seven lines of shares from 0 to 100 %. {leading} leads on average with {_percent(max(face.shares))} %. "
        f"The face is not seen in {_plural(len(course.gaps), 'stretch', 'stretches')} of the film."
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
        shares=tuple(float(row[name]) for name in EMOTIONS),
        charted=charted,
    )


def _mean(summary: "pd.DataFrame", weight: str) -> Shares:
    """Mean shares of rows of summary.csv; rows without a weight do not count."""
    weights = summary[weight].fillna(0).to_numpy(dtype=np.float64)
    return tuple(np.average(summary[list(EMOTIONS)].to_numpy(dtype=np.float64), axis=0, weights=weights).tolist())


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
            return _anonymous(str(value))


def _anonymous(text: str) -> str:
    """The text without the folders of absolute paths in it: a library's error message may hold the user's name."""
    folders = r"""(?<![\w./\\])(?:file://|~|[A-Za-z]:|\\)?[\\/](?=\S)(?:[^\\/:*?"'<>|\r\n]+[\\/])+"""
    return re.sub(folders, "", text)


def _view(results: Results) -> str:
    return str(results.run.get("options", {}).get("view", ""))


def _page_of(source: Mapping[str, Any]) -> str:
    return f"pages/{source['output']}.html"


def _href(page: str, target: str) -> str:
    """From one file of the output folder to another, both POSIX paths relative to it, as a URL."""
    return quote(posixpath.relpath(target, posixpath.dirname(page) or "."), safe="/")


def _table(folder: Path, name: str, columns: Sequence[tables.Column]) -> "pd.DataFrame":
    try:
        table = tables.read_table(folder / name, columns)
    except FileNotFoundError as error:
        raise UsageError(f"{folder / name} is missing. Run `fer-batch analyze` again on the same --out.") from error
    except (ValueError, KeyError) as error:
        raise UsageError(f"{folder / name} is damaged: {error}. Run `fer-batch analyze` again.") from error
    missing = [column.name for column in columns if column.name not in table]
    if missing:
        raise UsageError(f"{folder / name} lacks the columns {', '.join(missing)}. Run `fer-batch analyze` again.")
    return table


def _environment() -> Environment:
    """Templates beside the package, where the wheel puts them, or else in the checkout."""
    here = Path(__file__).resolve().parent
    environment = Environment(
        loader=FileSystemLoader([here / "templates", here.parent / "templates"]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"emotions": TABLE, "labels": {emotion.name: emotion.label for emotion in TABLE}}
    environment.filters |= {"clock": charts.clock, "count": _count, "percent": _percent, "seconds": _seconds}
    return environment


def _write(environment: Environment, template: str, page: Page, path: Path) -> None:
    with tables.replacing(path) as file:
        file.write(environment.get_template(template).render(page=page))


def _count(number: int) -> str:
    return f"{number:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.3f} s"


def _part(some: int, whole: int) -> str:
    return f"{_percent(some / whole)} %" if whole else ""


def _plural(number: int, noun: str, nouns: str = "") -> str:
    return f"{_count(number)} {noun if number == 1 else nouns or noun + 's'}"
