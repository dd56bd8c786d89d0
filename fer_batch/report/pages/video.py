"""The page of a video: its faces, and the curve of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fer_batch.output.results import Results
from fer_batch.output.schema import WIDEST
from fer_batch.report import formatting
from fer_batch.report.charts import draw
from fer_batch.report.charts.curve import Curve, Marks, binned, curves
from fer_batch.report.charts.script_data import (
    ChartedFace,
    forms_of,
    frames_data,
    frames_script,
    is_inline,
    video_data,
)
from fer_batch.report.charts.svg import Chart
from fer_batch.report.formatting import clock, tenths
from fer_batch.report.pages import base
from fer_batch.report.pages.base import MOST_ROWS, ChartMaker, Shares, SourcePage, SourceRow, Tile, counted
from fer_batch.report.texts import label, say
from fer_batch.types import Box

if TYPE_CHECKING:
    import pandas as pd

VIDEO_COLUMNS = frozenset(column.name for column in WIDEST) - {
    "person",
    "damaged",
    "spurious",
    "emotion",
    "smooth_emotion",
}
"""The columns of a timeline that a page needs."""

MOST_CHARTS = 12
"""Number of faces of a video that get charts: those visible longest."""

MOST_EPISODES = 60
"""Rows of a face's table of episodes."""

LOW_QUALITY = 0.5
"""Quality below which a chart is dotted: the image leaves less than half of the model's accuracy above chance."""

MOST_STRETCHES = 20
"""Rows of the table below a timeline chart."""


Row = Mapping[Any, Any]
"""A row of a table by its columns; of a face also its ``name`` as the page shows it, and its ``shares``."""


@dataclass(frozen=True)
class Looked:
    """What a page needs of a timeline."""

    curves: Mapping[str, Mapping[int, Curve]]
    """Of the charted faces by face_id, for each of FORMS that the timeline has."""
    frames: Mapping[str, Any]
    """See :func:`fer_batch.report.charts.script_data.frames_data`."""
    anchors: Mapping[int, tuple[float | None, ...]]
    """Where each face is seen best, by face_id: second of the video, x, y, width and height in pixels."""
    best: Mapping[int, tuple[int, Box]]
    """The same of the charted faces: number of the frame, and box."""


@dataclass(frozen=True)
class FaceSection:
    """The chart and the tables of one face."""

    row: Row
    """Of summary.csv."""
    unit: str
    """Unit of the chart's axis and of the stretches: "seconds" or "frames"."""
    gaps: int
    poor: int
    """Stretches in which the face is of low quality."""
    episodes: Sequence[Row]
    """Of episodes.csv, in order of time."""
    more_episodes: int
    """Number of those that only episodes.csv has."""
    longest: Row | None
    points: int
    """Points of a line; fewer than the face's rows if frames are averaged."""
    timeline: Chart
    stretches: Sequence[tuple[float, float, float, Sequence[float]]]
    """Rows of the table below the chart: start, end, how long the face is visible between the two, and shares."""


@dataclass(frozen=True)
class VideoPage(SourcePage):
    """One video."""

    template = "video.html"
    faces: Sequence[Row]
    """Of summary.csv, those visible longest first."""
    shares: Shares
    """Mean of all faces together; empty: there is no face."""
    basis: str
    """What this is the mean over."""
    more_faces: int
    """Number of rows that only summary.csv has."""
    sections: Sequence[FaceSection]
    events: Sequence[Row]
    """Of summary_by_event.csv, in order of time; ``name`` is empty where nobody is visible."""
    more_events: int
    thumbnails: Mapping[int, str]
    """Paths of thumbnails by face_id; empty unless asked for."""
    least_quality: float
    """A chart is dotted where quality is below it."""
    size: tuple[int, int] | None
    """Width and height of a frame in square pixels, before it is turned upright; None: not known."""
    frames_path: str
    """Path of the script with every frame; empty: the page has them itself."""
    script_data: Markup
    """JSON for the page's script; empty: no face is charted."""
    smoothed: float | None
    """Seconds over which the charts' shares are averaged."""
    kinds: Sequence[str]
    """Those of FORMS that the charts can show."""


def look_at(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> Looked:
    """What the page of a video needs of its timeline."""
    charted = _charted(results, source)
    best = base.best_rows(timeline, timeline[timeline["success"]]).to_dict("records")
    return Looked(
        {kind: curves(timeline, charted, form) for kind, form in forms_of(timeline).items()},
        frames_data(timeline),
        {
            row["face_id"]: (
                None if row["timestamp"] != row["timestamp"] else row["timestamp"],
                *(int(row[name]) for name in ("x", "y", "width", "height")),
            )
            for row in best
        },
        {row["face_id"]: (row["frame"], base.box_of(row)) for row in best if row["face_id"] in charted},
    )


def video_page(
    results: Results,
    source: Mapping[str, Any],
    row: SourceRow,
    looked: Looked,
    thumbnails: Mapping[int, bytes],
    prefix: str,
) -> VideoPage:
    """The data of a video's page; ``thumbnails`` are JPEGs by face_id."""
    faces = _faces(results, source)
    options = results.run.get("options", {})
    least = max(LOW_QUALITY, float(options.get("min_quality") or 0))
    episodes = results.of_video("episodes.csv", source)
    found = looked.curves["raw"]
    events = _events(results.of_video("events.csv", source), next(iter(found.values())).extent) if found else []
    charts = ChartMaker(f"charts/{source['output']}", prefix, results.report_options.charts)
    # Episodes are those of smoothed shares, where there are any: so the chart is of these, too.
    shown = looked.curves.get("smooth", found)
    charted: list[ChartedFace] = []
    sections: list[FaceSection] = []
    for face in faces:
        face_id = face["face_id"]
        if face_id in found:
            own = episodes[episodes["face_id"] == face_id]
            marks = Marks(_bars(own), found[face_id].poor(least), events)
            of_kinds = {kind: by_face[face_id] for kind, by_face in looked.curves.items() if face_id in by_face}
            charted.append(ChartedFace(face_id, of_kinds, marks))
            curve = shown.get(face_id, found[face_id])
            sections.append(_section(face, curve, marks, own.to_dict("records"), source["name"], charts))
    event_rows = _event_rows(results, source, {face["face_id"]: face["name"] for face in faces})
    frames_path = "" if is_inline(looked.frames) or not charted else f"assets/{source['output']}/frames.js"
    cut = {face_id: f"assets/{source['output']}/face-{face_id}.jpg" for face_id in thumbnails}
    media = results.media.get(source["name"])
    return VideoPage(
        **base.common(results, source, prefix),
        attachments={
            **charts.attachments,
            **({frames_path: frames_script(looked.frames).encode()} if frames_path else {}),
            **{cut[face_id]: jpeg for face_id, jpeg in thumbnails.items()},
        },
        tiles=_tiles(row),
        faces=faces[:MOST_ROWS],
        shares=row.shares,
        basis=say("video.basis_of_all") if row.seconds else say("video.basis_of_all_in_frames"),
        more_faces=len(faces[MOST_ROWS:]),
        sections=sections,
        events=event_rows[:MOST_ROWS],
        more_events=len(event_rows[MOST_ROWS:]),
        thumbnails=cut,
        least_quality=least,
        media=media.relative_to(results.folder).as_posix() if media and media.is_file() else "",
        size=_size(source),
        frames_path=frames_path,
        script_data=_script_data(results, source, faces, charted, looked) if charted else Markup(),
        smoothed=options.get("smooth") if "smooth" in looked.curves else None,
        kinds=list(looked.curves),
    )


def _script_data(
    results: Results,
    source: Mapping[str, Any],
    faces: Sequence[Row],
    charted: Sequence[ChartedFace],
    looked: Looked,
) -> Markup:
    """The data of the page's script, as JSON; ``start``: the container's second that tables call 0."""
    tracks = [
        {
            "id": face["face_id"],
            "name": face["name"],
            **{name: face[name] for name in ("person", "role", "group")},
            "anchor": looked.anchors.get(face["face_id"]),
        }
        for face in faces
    ]
    more = {
        **base.for_naming(results, source),
        "start": float(source.get("facts", {}).get("container_start") or 0.0),
        "size": _size(source),
        "tracks": tracks,
    }
    return Markup(video_data(charted, looked.frames, **more))  # noqa: S704  no "<"


def _size(source: Mapping[str, Any]) -> tuple[int, int] | None:
    """See :attr:`VideoPage.size`."""
    facts = source.get("facts", {})
    if not facts.get("width") or not facts.get("height"):
        return None
    return round(facts["width"] * Fraction(facts.get("pixel_aspect") or 1)), facts["height"]


def _tiles(row: SourceRow) -> tuple[Tile, ...]:
    return (
        Tile(say("video.time"), tenths(row.seconds), hint=clock(row.seconds))
        if row.seconds is not None
        else Tile(say("video.time"), say("page.unknown"), say("video.no_timestamps")),
        counted(say("video.frames"), row.frames),
        counted(say("video.frames_with_face"), row.frames_with_face, formatting.part(row.frames_with_face, row.frames)),
        counted(say("video.tracks"), row.tracks, say("video.tracks_note", faces=formatting.count(row.faces))),
        *base.left_out_tile([row]),
    )


def _faces(results: Results, source: Mapping[str, Any]) -> list[Row]:
    """A video's faces, those visible longest first, and whether each is ``charted``."""
    order = ["seconds_visible", "faces", "face_id"]
    summary = results.summary_of(source).sort_values(order, ascending=[False, False, True])
    return [
        {
            **row,
            "name": say("video.person", person=row["person"], face_id=row["face_id"])
            if row["person"]
            else say("video.face", face_id=row["face_id"]),
            "shares": base.shares_of(row),
            "charted": number < MOST_CHARTS,
        }
        for number, row in enumerate(summary.to_dict("records"))
    ]


def _charted(results: Results, source: Mapping[str, Any]) -> list[int]:
    return [face["face_id"] for face in _faces(results, source) if face["charted"]]


def _bars(episodes: "pd.DataFrame") -> dict[str, list[tuple[float, float]]]:
    """(start, stop) of a face's episodes of each emotion."""
    return {
        str(emotion): list(zip(rows["start"].tolist(), rows["stop"].tolist(), strict=True))
        for emotion, rows in episodes.groupby("emotion")
    }


def _events(events: "pd.DataFrame", extent: tuple[float, float]) -> list[tuple[str, float, float]]:
    """(label, start, stop) of the events that overlap the analysed part of the video."""
    inside = events[(events["start"] < extent[1]) & (events["stop"] > extent[0])]
    return list(inside[["label", "start", "stop"]].itertuples(index=False, name=None))


def _event_rows(results: Results, source: Mapping[str, Any], names: Mapping[int, str]) -> list[Row]:
    """Each face in each event, in order of time."""
    return [
        {
            **row,
            "name": names.get(row["face_id"], say("video.face", face_id=row["face_id"])) if row["faces"] else "",
            "shares": base.shares_of(row) if row["faces"] else (),
        }
        for row in results.of_video("summary_by_event.csv", source).to_dict("records")
    ]


def _section(
    face: Row, curve: Curve, marks: Marks, episodes: Sequence[Row], video: str, charts: ChartMaker
) -> FaceSection:
    name = say("video.face_of_video", name=face["name"], video=video)
    coarse = binned(curve, MOST_STRETCHES)
    columns = (values.tolist() for values in (coarse.starts, coarse.ends, coarse.weights, coarse.means))
    return FaceSection(
        row=face,
        unit=curve.unit,
        gaps=len(curve.gaps),
        poor=len(marks.poor),
        episodes=episodes[:MOST_EPISODES],
        more_episodes=len(episodes[MOST_EPISODES:]),
        longest=max(episodes, key=lambda episode: episode["stop"] - episode["start"], default=None),
        points=len(binned(curve).starts),
        timeline=charts.draw(
            draw.timeline,
            curve,
            marks,
            name=f"face-{face['face_id']}-time",
            title=say("charts.curve", name=name),
            description=say(
                "charts.curve_text",
                n=len(curve.gaps),
                emotion=label(face["emotion"]),
                percent=formatting.percent(max(face["shares"])),
            ),
        ),
        stretches=list(zip(*columns, strict=True)),
    )
