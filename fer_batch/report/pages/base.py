"""What all pages of the report have in common, as plain data computed from the tables."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import numpy as np

from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.options import numbering
from fer_batch.output.results import Results, anonymous, summed_up
from fer_batch.output.schema import MEANS
from fer_batch.report import formatting
from fer_batch.report.charts import draw
from fer_batch.report.charts.svg import Chart
from fer_batch.report.texts import label, say
from fer_batch.types import Box, Kind, Reason, Skipped

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 500
"""Rows of a table on a page; the CSV file beside it has all."""

MOST_PRINTED = 40
"""Rows of a table, or of a list, on paper: most of a page of A4. A sentence says how many more there are."""

INDEX = "index.html"

GIVEN = "assets/given.js"
"""The script with the lines of people.csv and events.csv, where the run had them."""

SHOWN = "assets/shown.json"
"""Names the sources whose video, or whose photos, the pages show: for the server that gives these out."""

Shares = tuple[float, ...]
"""(7,) shares from 0 to 1 in the order of EMOTIONS."""

Facts = tuple[tuple[str, str], ...]
"""Labels and values."""


@dataclass(frozen=True)
class Tile:
    """One number at a glance."""

    label: str
    value: str
    note: str = ""
    anchor: str = ""
    """Id of the heading on the same page that explains the number; empty: there is none."""
    hint: str = ""
    """The value in full, for those who point at it; empty: it is in full."""


def counted(label: str, number: int, note: str = "", anchor: str = "") -> Tile:
    """The tile of a whole number."""
    return Tile(label, formatting.count(number), note, anchor)


@dataclass(frozen=True)
class Distribution:
    """Mean shares, as a chart and as a table."""

    heading: str
    basis: str
    """What the mean is taken over, as a sentence."""
    shares: Shares
    leads: tuple[int, ...]
    """(7,) numbers of faces in which each emotion has the largest share; empty: not counted."""
    chart: Chart


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page has. Paths in it are POSIX, relative to the output folder."""

    template: ClassVar[str]
    """Name of the template that lays the page out."""
    path: str
    title: str
    version: str
    """Of fer-batch."""
    tables: Mapping[str, str]
    """Paths of tables by the texts of the links to them."""
    tiles: tuple[Tile, ...]
    left_out: tuple[Skipped, ...]
    notes: tuple[Skipped, ...]
    attachments: Mapping[str, bytes]
    """Files that are written with the page, by their paths."""
    missing_thumbnails: int = 0
    """Number of thumbnails that were asked for and could not be made."""
    prefix: str = ""
    """Begins every id of the page, where several pages share a file."""


@dataclass(frozen=True, kw_only=True)
class SourcePage(Page):
    """What the pages of videos and of folders have."""

    facts: Facts
    media: str
    """Path of what the page shows: the video, or the folder that the photos are in; empty: it shows none, for it is not
    near the output folder, or no photo is to be seen."""


@dataclass(frozen=True)
class SourceRow:
    """One source in the index."""

    kind: Kind
    name: str
    page: str
    """Path relative to the output folder, as is ``table``."""
    table: str
    frames: int
    """Frames, or photos, that were analysed."""
    frames_with_face: int
    faces: int
    """Rows with a face that are summed up."""
    left_out: Mapping[str, Mapping[str, Any]]
    """For each reason how many faces, seconds and whole tracks are not, as run.json says."""
    tracks: int
    """Number of face_ids; 0 for photos."""
    seconds: float | None
    """Sum of the durations of the frames that were analysed."""
    shares: Shares
    """Empty: no face."""
    incomplete: bool
    """Something of it is missing, as errors.csv says."""


def common(results: Results, source: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The fields that a video's page and a folder's share."""
    lines = results.lines_of(source)
    return {
        "path": page_path(source),
        "title": source["name"],
        "prefix": prefix,
        "tables": {
            say("page.this_timeline"): source["timeline"],
            say("page.summary"): "summary.csv",
            say("page.errors"): "errors.csv",
        },
        "left_out": tuple(line for line in lines if not line.is_note),
        "notes": tuple(line for line in lines if line.is_note),
        "version": str(results.run["fer_batch"]),
        "facts": facts(source.get("facts", {})),
    }


def source_row(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> SourceRow:
    """A source's row of the index: counts from its timeline, mean shares from summary.csv."""
    frames = timeline[["frame", "duration"]].drop_duplicates("frame")
    seen = timeline.loc[summed_up(timeline), ["frame", "face_id"]]
    summary, kind = results.summary_of(source), Kind(source["kind"])
    shares: Shares = ()
    if len(summary):
        by_time = kind is Kind.VIDEO and float(summary["seconds_visible"].sum()) > 0
        shares = mean(summary, "seconds_visible" if by_time else "faces")
    return SourceRow(
        kind=kind,
        name=source["name"],
        page=page_path(source),
        table=source["timeline"],
        frames=len(frames),
        frames_with_face=seen["frame"].nunique(),
        faces=len(seen),
        left_out=source.get("faces_left_out", {}),
        tracks=seen["face_id"].nunique() if kind is Kind.VIDEO else 0,
        seconds=float(frames["duration"].sum()) if frames["duration"].notna().any() else None,
        shares=shares,
        incomplete=not all(line.is_note for line in results.lines_of(source)),
    )


def left_out_tile(rows: Sequence[SourceRow]) -> tuple[Tile, ...]:
    """How many faces of these sources are not summed up, and why; nothing where all are."""
    why = {
        Reason.SPURIOUS: say("page.left_out_spurious"),
        Reason.QUALITY: say("page.left_out_quality"),
        Reason.SIZE: say("page.left_out_size"),
        Reason.NUMBER: say("page.left_out_number"),
    }
    notes, faces = [], 0
    for reason, text in why.items():
        parts = [row.left_out[reason] for row in rows if reason in row.left_out]
        if parts:
            number = sum(part["faces"] for part in parts)
            faces += number
            time = formatting.seconds(sum(part["seconds"] or 0.0 for part in parts), digits=1)
            tracks = sum(part["tracks"] or 0 for part in parts)
            shown = formatting.count(number)
            if not any(part["seconds"] for part in parts):
                notes.append(say("page.left_out_part", faces=shown, why=text))
            elif tracks:
                notes.append(say("page.left_out_tracks", n=tracks, faces=shown, why=text, time=time))
            else:
                notes.append(say("page.left_out_time", faces=shown, why=text, time=time))
    return (counted(say("page.faces_left_out"), faces, "; ".join(notes)),) if faces else ()


@dataclass
class ChartMaker:
    """Draws the charts of one page. Their names are unique on the page."""

    folder: str
    """Where files for papers go, relative to the output folder."""
    prefix: str
    """Of the page."""
    paper: bool
    """Whether to make files for papers."""
    attachments: dict[str, bytes] = field(default_factory=dict)
    """These files by their paths."""

    def draw(self, chart_of: Callable[..., Chart], *data: Any, name: str, title: str, description: str) -> Chart:
        """What ``chart_of``, a function of charts.draw, makes of ``data``."""
        paper = f"{self.folder}/{name}" if self.paper else ""
        prefix = f"{self.prefix}chart-{name}"
        chart = chart_of(*data, prefix=prefix, title=title, description=description, paper=paper)
        self.attachments |= chart.files
        return chart

    def distribution(
        self, name: str, heading: str, basis: str, shares: Shares, leads: tuple[int, ...] = ()
    ) -> Distribution:
        """Mean shares as bars."""
        each = zip(TABLE, shares, strict=True)
        parts = [
            say("charts.share", emotion=label(emotion.name), percent=formatting.percent(share))
            for emotion, share in each
        ]
        text = say("charts.distribution", shares=", ".join(parts), basis=basis)
        chart = self.draw(draw.distribution, shares, name=name, title=heading, description=text)
        return Distribution(heading, basis, shares, leads, chart)


def best_rows(timeline: "pd.DataFrame", seen: "pd.DataFrame") -> "pd.DataFrame":
    """A row for each face of a video, of those ``seen`` in its timeline, which shows it well.

    If it can be, it is of a frame with which a second begins: such frames are analysed with every whole --fps.
    """
    seconds = timeline.drop_duplicates("frame").set_index("frame")["timestamp"] // 1
    of_any_rate = seconds.index[seconds.ne(seconds.shift())]
    worth = seen["face_confidence"] * seen["height"].astype(float) * seen["quality"].fillna(1.0)
    worth += 1e9 * seen["frame"].isin(of_any_rate)
    return seen.loc[worth.groupby(seen["face_id"]).idxmax()] if len(seen) else seen


def for_naming(results: Results, source: Mapping[str, Any]) -> dict[str, Any]:
    """What a page's script needs to write lines of people.csv and events.csv.

    ``run`` changes with what numbers faces and with these two files: names and marks that a reader has not saved are
    kept by the browser until then. ``given`` says whether the run had one of them, so that there is GIVEN. ``offset``:
    seconds of the clock of events.csv at which a video begins.
    """
    options = results.run.get("options", {})
    made_with = numbering(options)
    digests = [copy["sha256"][:16] for copy in results.run.get("inputs", {}).values()]
    return {
        "source": source["name"],
        "run": " ".join([made_with, *digests]),
        "people": options.get("people"),
        "events_file": options.get("events"),
        "given": bool(digests),
        "offset": source.get("offset", 0.0),
        "made_with": made_with,
    }


def box_of(row: Mapping[Any, Any]) -> Box:
    """The box in a row of a timeline."""
    return Box(*(float(row[name]) for name in ("x", "y", "width", "height")))


def shares_of(row: Mapping[Any, Any], columns: Sequence[str] = MEANS) -> Shares:
    """The shares in a row of a table."""
    return tuple(float(row[name]) for name in columns)


def leading(shares: Shares) -> str:
    """Name of the emotion with the largest share; empty: there are no shares."""
    return EMOTIONS[shares.index(max(shares))] if shares else ""


def mean(summary: "pd.DataFrame", weight: str) -> Shares:
    """Mean shares of rows of summary.csv, weighted by the column ``weight``; rows without a weight do not count."""
    weights = summary[weight].fillna(0).to_numpy(dtype=np.float64)
    return tuple(np.average(summary[list(MEANS)].to_numpy(dtype=np.float64), axis=0, weights=weights).tolist())


def facts(values: Mapping[str, Any], above: str = "") -> Facts:
    """A JSON object as a list of facts; the labels of nested values hold the path to them."""
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        label = above + key.replace("_", " ")
        if isinstance(value, Mapping):
            lines += facts(value, f"{label}: ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, item in enumerate(value, 1):
                lines += facts(item, f"{label} {number}: ")
        else:
            lines.append((label, _value(value)))
    return tuple(lines)


def _value(value: object) -> str:
    match value:
        case None:
            return say("page.not_set")
        case bool():
            return say("page.yes") if value else say("page.no")
        case list():
            return ", ".join(_value(item) for item in value)
        case _:
            return anonymous(str(value))


def page_path(source: Mapping[str, Any]) -> str:
    """Where a source's page is, relative to the output folder."""
    return f"pages/{source['output']}.html"


def href(page: str, target: str) -> str:
    """From a page to a file, both POSIX paths relative to the output folder, as a URL relative to the page."""
    if target.startswith("../"):
        return quote("../" * page.count("/") + target, safe="/")
    return quote(posixpath.relpath(target, posixpath.dirname(page) or "."), safe="/")
