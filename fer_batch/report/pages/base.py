"""What all pages of the report have in common, as plain data computed from the tables."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.output.schema import MEANS
from fer_batch.report import formatting
from fer_batch.report.charts import draw
from fer_batch.report.charts.curve import Curve, Marks
from fer_batch.report.charts.svg import Chart
from fer_batch.report.results import ErrorLine, Results, anonymous
from fer_batch.report.texts import label, say
from fer_batch.types import Box, Kind

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 500
"""Rows of a table on a page; the CSV file beside it has all."""

INDEX = "index.html"

Shares = tuple[float, ...]
"""(7,) shares from 0 to 1 in the order of EMOTIONS."""


@dataclass(frozen=True)
class Link:
    """A link to a file."""

    text: str
    path: str
    """POSIX, relative to the output folder."""


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
    anchor: str = ""
    """Id of the heading on the same page that explains the number; empty: there is none."""


@dataclass(frozen=True)
class Attachment:
    """A file that belongs to a page and is written with it."""

    path: str
    """POSIX, relative to the output folder."""
    content: bytes


@dataclass(frozen=True)
class ChartFigure:
    """A chart in a page."""

    svg: Markup
    files: tuple[Link, ...]
    """The same chart as files for a paper; empty unless asked for."""


@dataclass(frozen=True)
class Distribution:
    """Mean shares, as a chart and as a table."""

    heading: str
    basis: str
    """What the mean is taken over, as a sentence."""
    shares: Shares
    leads: tuple[int, ...]
    """(7,) numbers of faces in which each emotion has the largest share; empty: not counted."""
    chart: ChartFigure


@dataclass(frozen=True)
class Page:
    """What every page has."""

    missing_thumbnails: int = field(default=0, kw_only=True)
    """Number of thumbnails that were asked for and could not be made."""

    prefix: str = field(default="", kw_only=True)
    """Begins every id of the page, where several pages share a file."""

    title: str
    tables: tuple[Link, ...]
    left_out: tuple[ErrorLine, ...]
    notes: tuple[ErrorLine, ...]
    view: str
    """The model's view that the tables show."""
    version: str
    """Of fer-batch."""
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True)
class SourceRow:
    """One source in the index."""

    name: str
    page: Link
    table: Link
    frames: int
    """Frames, or photos, that were analysed."""
    frames_with_face: int
    faces: int
    """Rows with a face, without the spurious ones."""
    spurious: int
    """Rows that are probably not a face."""
    tracks: int
    """Number of face_ids; 0 for photos."""
    seconds: float | None
    """Sum of the durations of the frames that were analysed."""
    emotion: str
    """Name of the emotion with the largest mean share; empty: no face."""
    shares: Shares
    """Empty: no face."""
    incomplete: bool
    """Something of it is missing, as errors.csv says."""


def common(results: Results, source: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The fields that a video's page and a folder's share."""
    lines = results.lines_of(source)
    timeline = Link(say("page.this_timeline"), source["timeline"])
    summary = Link(say("page.summary"), "summary.csv")
    return {
        "title": source["name"],
        "prefix": prefix,
        "tables": (timeline, summary, Link(say("page.errors"), "errors.csv")),
        "left_out": tuple(line for line in lines if not line.is_note),
        "notes": tuple(line for line in lines if line.is_note),
        "view": view(results),
        "version": str(results.run["fer_batch"]),
    }


def source_row(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> SourceRow:
    """A source's row of the index: counts from its timeline, mean shares from summary.csv."""
    frames = timeline[["frame", "duration"]].drop_duplicates("frame")
    seen = timeline.loc[timeline["success"] & ~timeline["spurious"], ["frame", "face_id"]]
    summary = results.summary_of(source)
    shares: Shares = ()
    if len(summary):
        by_time = source["kind"] == Kind.VIDEO and float(summary["seconds_visible"].sum()) > 0
        shares = mean(summary, "seconds_visible" if by_time else "faces")
    return SourceRow(
        name=source["name"],
        page=Link(source["name"], page_path(source)),
        table=Link(say("page.csv"), source["timeline"]),
        frames=len(frames),
        frames_with_face=seen["frame"].nunique(),
        faces=len(seen),
        spurious=int(timeline["spurious"].sum()),
        tracks=seen["face_id"].nunique() if source["kind"] == Kind.VIDEO else 0,
        seconds=float(frames["duration"].sum()) if frames["duration"].notna().any() else None,
        emotion=EMOTIONS[int(np.argmax(shares))] if shares else "",
        shares=shares,
        incomplete=not all(line.is_note for line in results.lines_of(source)),
    )


class ChartMaker:
    """Draws the charts of one page, and with ``paper`` keeps them as files for papers too."""

    def __init__(self, folder: str, prefix: str, *, paper: bool) -> None:
        """``folder``, where the files go, is relative to the output folder; ``prefix`` is that of the page."""
        self._prefix = f"{prefix}chart-"
        self._folder = folder
        self._paper = paper
        self.attachments: list[Attachment] = []

    def distribution(
        self, name: str, heading: str, basis: str, shares: Shares, leads: tuple[int, ...] = ()
    ) -> Distribution:
        """Mean shares as bars; ``name`` is unique on the page."""
        each = zip(TABLE, shares, strict=True)
        parts = [
            say("charts.share", emotion=label(emotion.name), percent=formatting.percent(share))
            for emotion, share in each
        ]
        text = say("charts.distribution", shares=", ".join(parts), basis=basis)
        prefix = self._prefix + name
        chart = draw.distribution(shares, prefix=prefix, title=heading, description=text, paper=self._paper)
        return Distribution(heading, basis, shares, leads, self.keep(chart, name))

    def timeline(self, curve: Curve, marks: Marks, name: str, title: str, description: str) -> ChartFigure:
        """A face's curve."""
        chart = draw.timeline(
            curve, marks, prefix=self._prefix + name, title=title, description=description, paper=self._paper
        )
        return self.keep(chart, name)

    def keep(self, chart: Chart, name: str) -> ChartFigure:
        """The chart as a page shows it, with links to its files."""
        links = []
        for suffix, content in chart.paper.items():
            path = f"{self._folder}/{name}{suffix}"
            self.attachments.append(Attachment(path, content))
            links.append(Link(suffix.removeprefix(".").upper(), path))
        return ChartFigure(Markup(chart.svg), tuple(links))  # noqa: S704  its texts are escaped


def box_of(row: Mapping[Any, Any]) -> Box:
    """The box in a row of a timeline."""
    return Box(*(float(row[name]) for name in ("x", "y", "width", "height")))


def mean(summary: "pd.DataFrame", weight: str) -> Shares:
    """Mean shares of rows of summary.csv, weighted by the column ``weight``; rows without a weight do not count."""
    weights = summary[weight].fillna(0).to_numpy(dtype=np.float64)
    return tuple(np.average(summary[list(MEANS)].to_numpy(dtype=np.float64), axis=0, weights=weights).tolist())


def facts(values: Mapping[str, Any], above: str = "") -> tuple[Fact, ...]:
    """A JSON object as a list of facts; the labels of nested values hold the path to them."""
    lines: list[Fact] = []
    for key, value in values.items():
        label = above + key.replace("_", " ")
        if isinstance(value, Mapping):
            lines += facts(value, f"{label}: ")
        else:
            lines.append(Fact(label, _value(value)))
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


def view(results: Results) -> str:
    """The model's view that the tables show."""
    return str(results.run.get("options", {}).get("view", ""))


def chart_maker(results: Results, source: Mapping[str, Any], prefix: str) -> ChartMaker:
    """Draws the charts of a source's page."""
    return ChartMaker(f"charts/{source['output']}", prefix, paper=results.report_options.charts)


def media_link(results: Results, source: Mapping[str, Any]) -> Link | None:
    """A link to the video itself, if it is a file near the output folder."""
    path = results.media.get(source["name"])
    return Link(source["name"], path.relative_to(results.folder).as_posix()) if path and path.is_file() else None


def page_path(source: Mapping[str, Any]) -> str:
    """Where a source's page is, relative to the output folder."""
    return f"pages/{source['output']}.html"


def href(page: str, target: str) -> str:
    """From a page to a file, both POSIX paths relative to the output folder, as a URL relative to the page."""
    if target.startswith("../"):
        return quote("../" * page.count("/") + target, safe="/")
    return quote(posixpath.relpath(target, posixpath.dirname(page) or "."), safe="/")
