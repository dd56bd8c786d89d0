"""The page of a video: its faces, and the curve of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from fer_batch.emotions import EMOTIONS
from fer_batch.output.schema import MEANS
from fer_batch.report import formatting
from fer_batch.report.charts.curve import Curve, Marks, binned, curves
from fer_batch.report.charts.script_data import ChartedFace, frames_script, is_coarse, video_data
from fer_batch.report.formatting import clock
from fer_batch.report.pages.base import (
    MOST_ROWS,
    Attachment,
    ChartFigure,
    ChartMaker,
    Distribution,
    Fact,
    Link,
    Page,
    Shares,
    SourceRow,
    Tile,
    box_of,
    chart_maker,
    common,
    facts,
    media_link,
)
from fer_batch.report.results import Results
from fer_batch.report.texts import label, say
from fer_batch.types import Box

if TYPE_CHECKING:
    import pandas as pd

VIDEO_COLUMNS = frozenset(("frame", "timestamp", "duration", "face_id", "success", "quality", "spurious", *EMOTIONS))
"""The columns of a timeline that a page without thumbnails needs."""

MOST_CHARTS = 12
"""Number of faces of a video that get charts: those visible longest."""

MOST_EPISODES = 60
"""Rows of a face's table of episodes."""

LOW_QUALITY = 0.5
"""Quality below which a chart is dotted: the image leaves less than half of the model's accuracy above chance."""

MOST_STRETCHES = 20
"""Rows of the table below a timeline chart."""


@dataclass(frozen=True)
class FaceRow:
    """One face of a video: a row of summary.csv."""

    face_id: int
    name: str
    """As the page shows it."""
    faces: int
    first_seen: float | None
    last_seen: float | None
    seconds_visible: float | None
    emotion: str
    shares: Shares
    charted: bool


@dataclass(frozen=True)
class EpisodeRow:
    """A stretch in which a face shows an expression: a row of episodes.csv."""

    emotion: str
    start: float
    stop: float
    mean: float
    peak: float
    peak_time: float


@dataclass(frozen=True)
class EventRow:
    """A face in an event: a row of summary_by_event.csv."""

    label: str
    start: float
    stop: float
    name: str
    """The face's name; empty: nobody is visible."""
    seconds: float
    """How long it is visible in the event."""
    shares: Shares


@dataclass(frozen=True)
class Stretch:
    """A part of a face's curve: a row of the table below its chart."""

    start: float
    end: float
    visible: float
    """Seconds, or frames, in which the face is visible between the two."""
    shares: Shares


@dataclass(frozen=True)
class FaceSection:
    """The charts of one face."""

    row: FaceRow
    unit: str
    """Unit of the chart's axis and of the stretches: "seconds" or "frames"."""
    gaps: int
    poor: int
    """Stretches in which the face is of low quality."""
    episodes: tuple[EpisodeRow, ...]
    """In order of time."""
    more_episodes: int
    """Number of those that only episodes.csv has."""
    longest: EpisodeRow | None
    points: int
    """Points of a line; fewer than ``row.faces`` if frames are averaged."""
    timeline: ChartFigure
    stretches: tuple[Stretch, ...]
    distribution: Distribution


@dataclass(frozen=True)
class VideoPage(Page):
    """One video."""

    tiles: tuple[Tile, ...]
    facts: tuple[Fact, ...]
    distribution: Distribution | None
    faces: tuple[FaceRow, ...]
    """Those visible longest first."""
    more_faces: int
    """Number of rows that only summary.csv has."""
    sections: tuple[FaceSection, ...]
    events: tuple[EventRow, ...]
    more_events: int
    thumbnails: Mapping[int, str]
    """Paths of thumbnails by face_id, relative to the output folder; empty unless asked for."""
    least_quality: float
    """A chart is dotted where quality is below it."""
    video: Link | None
    """The video itself; None: it is not near the output folder, or a folder of frames."""
    frames_path: str
    """Path of the script with every frame, relative to the output folder; empty: the page has them itself."""
    script_data: Markup
    """JSON for the page's script; empty: no face is charted."""


def best_frames(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> dict[int, tuple[int, Box]]:
    """For each charted face of a video the number of the frame that shows it best, and its box there."""
    charted = _faces(results, source)[:MOST_CHARTS]
    seen = timeline[timeline["success"] & timeline["face_id"].isin([face.face_id for face in charted])]
    worth = seen["face_confidence"] * seen["height"].astype(float) * seen["quality"].fillna(1.0)
    rows = seen.loc[worth.groupby(seen["face_id"]).idxmax()] if len(seen) else seen
    return {int(row["face_id"]): (int(row["frame"]), box_of(row)) for row in rows.to_dict("records")}


def charted_curves(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> dict[int, Curve]:
    """The curves of the charted faces of a video, by face_id."""
    return curves(timeline, [face.face_id for face in _faces(results, source) if face.charted])


def video_page(
    results: Results,
    source: Mapping[str, Any],
    row: SourceRow,
    found: Mapping[int, Curve],
    thumbnails: Mapping[int, bytes] | None = None,
    prefix: str = "",
) -> VideoPage:
    """The data of a video's page; ``found`` has the curves by face_id, ``thumbnails`` JPEGs by face_id."""
    faces = _faces(results, source)
    charted = [face for face in faces if face.face_id in found]
    least = max(LOW_QUALITY, float(results.run.get("options", {}).get("min_quality") or 0))
    episodes = results.episodes_of(source)
    events = _events(results.events_of(source), found[charted[0].face_id].extent) if charted else []
    charted_faces = [
        ChartedFace(
            face.face_id,
            face.name,
            found[face.face_id],
            Marks(_bars(episodes, face.face_id), poor=found[face.face_id].poor(least), events=events),
        )
        for face in charted
    ]
    event_rows = _event_rows(results, source, {face.face_id: face.name for face in faces})
    charts = chart_maker(results, source, prefix)
    sections = tuple(
        _section(face, charted_face, _episodes(episodes, face.face_id), source["name"], charts)
        for face, charted_face in zip(charted, charted_faces, strict=True)
    )
    mean = _video_distribution(row, charts) if row.shares else None
    frames = []
    if any(is_coarse(charted_face.curve) for charted_face in charted_faces):
        frames.append(Attachment(f"assets/{source['output']}/frames.js", frames_script(charted_faces).encode()))
    attached = {
        face_id: Attachment(f"assets/{source['output']}/face-{face_id}.jpg", jpeg)
        for face_id, jpeg in (thumbnails or {}).items()
    }
    start = float(source.get("facts", {}).get("container_start") or 0.0)
    data = video_data(charted_faces, container_start=start) if charted_faces else ""
    with_face = formatting.part(row.frames_with_face, row.frames)
    return VideoPage(
        **common(results, source, prefix),
        attachments=(*charts.attachments, *frames, *attached.values()),
        least_quality=least,
        thumbnails={face_id: attachment.path for face_id, attachment in attached.items()},
        tiles=(
            Tile(say("video.time"), clock(row.seconds), formatting.seconds(row.seconds))
            if row.seconds is not None
            else Tile(say("video.time"), say("page.unknown"), say("video.no_timestamps")),
            Tile(say("video.frames"), formatting.count(row.frames)),
            Tile(say("video.frames_with_face"), formatting.count(row.frames_with_face), with_face),
            Tile(
                say("video.tracks"),
                formatting.count(row.tracks),
                say("video.tracks_note", faces=formatting.count(row.faces)),
            ),
            *(
                (Tile(say("video.spurious"), formatting.count(row.spurious), say("video.spurious_note")),)
                * bool(row.spurious)
            ),
        ),
        facts=facts(source.get("facts", {})),
        distribution=mean,
        faces=tuple(faces[:MOST_ROWS]),
        more_faces=len(faces[MOST_ROWS:]),
        sections=sections,
        events=tuple(event_rows[:MOST_ROWS]),
        more_events=len(event_rows[MOST_ROWS:]),
        frames_path=frames[0].path if frames else "",
        video=media_link(results, source),
        script_data=Markup(data),  # noqa: S704  no "<"
    )


def _faces(results: Results, source: Mapping[str, Any]) -> list[FaceRow]:
    """The faces of a video, those visible longest first."""
    order = ["seconds_visible", "faces", "face_id"]
    summary = results.summary_of(source).sort_values(order, ascending=[False, False, True])
    return [_face_row(row, number < MOST_CHARTS) for number, row in enumerate(summary.to_dict("records"))]


def _video_distribution(row: SourceRow, charts: ChartMaker) -> Distribution:
    basis = say("video.basis_of_all") if row.seconds else say("video.basis_of_all_in_frames")
    return charts.distribution("shares", say("video.shares_of_all", video=row.name), basis, row.shares)


def _bars(episodes: "pd.DataFrame", face_id: int) -> dict[str, list[tuple[float, float]]]:
    """(start, stop) of a face's episodes of each emotion."""
    own = episodes[episodes["face_id"] == face_id]
    return {
        str(emotion): list(zip(rows["start"].tolist(), rows["stop"].tolist(), strict=True))
        for emotion, rows in own.groupby("emotion")
    }


def _events(events: "pd.DataFrame", extent: tuple[float, float]) -> list[tuple[str, float, float]]:
    """(label, start, stop) of the events that overlap the analysed part of the video."""
    spans = (
        (str(label), float(start), float(stop))
        for label, start, stop in events[["label", "start", "stop"]].itertuples(index=False)
    )
    return [span for span in spans if span[1] < extent[1] and span[2] > extent[0]]


def _event_rows(results: Results, source: Mapping[str, Any], names: Mapping[int, str]) -> list[EventRow]:
    """Each face in each event, in order of time."""
    import pandas as pd

    table = results.by_event_of(source)
    rows = []
    for record in table.sort_values(["start", "stop"]).to_dict("records"):
        nobody = pd.isna(record["face_id"])
        rows.append(
            EventRow(
                label=str(record["label"]),
                start=float(record["start"]),
                stop=float(record["stop"]),
                name=""
                if nobody
                else names.get(int(record["face_id"]), say("video.face", face_id=int(record["face_id"]))),
                seconds=0.0 if nobody else float(record["seconds_visible"]),
                shares=() if nobody else tuple(float(record[name]) for name in MEANS),
            )
        )
    return rows


def _episodes(episodes: "pd.DataFrame", face_id: int) -> list[EpisodeRow]:
    """A face's episodes, in order of time."""
    columns = ["emotion", "start", "stop", "mean", "peak", "peak_time"]
    own = episodes.loc[episodes["face_id"] == face_id, columns].sort_values("start")
    return [EpisodeRow(str(emotion), *map(float, numbers)) for emotion, *numbers in own.itertuples(index=False)]


def _section(
    face: FaceRow, charted: ChartedFace, episodes: Sequence[EpisodeRow], video: str, charts: ChartMaker
) -> FaceSection:
    curve = charted.curve
    name = say("video.face_of_video", name=face.name, video=video)
    leading = label(face.emotion)
    share = formatting.percent(max(face.shares))
    text = say("charts.curve_text", n=len(curve.gaps), emotion=leading, percent=share)
    title = say("charts.curve", name=name)
    coarse = binned(curve, MOST_STRETCHES)
    columns = (values.tolist() for values in (coarse.starts, coarse.ends, coarse.weights, coarse.means))
    return FaceSection(
        row=face,
        unit=curve.unit,
        gaps=len(curve.gaps),
        poor=len(charted.marks.poor),
        episodes=tuple(episodes[:MOST_EPISODES]),
        more_episodes=len(episodes[MOST_EPISODES:]),
        longest=max(episodes, key=lambda episode: episode.stop - episode.start, default=None),
        points=len(binned(curve).starts),
        timeline=charts.timeline(curve, charted.marks, f"face-{face.face_id}-time", title, text),
        stretches=tuple(
            Stretch(start, end, visible, tuple(means)) for start, end, visible, means in zip(*columns, strict=True)
        ),
        distribution=charts.distribution(
            f"face-{face.face_id}-mean",
            say("video.shares_of", name=name),
            say("video.basis") if face.seconds_visible else say("video.basis_in_frames"),
            face.shares,
        ),
    )


def _face_row(row: Mapping[Any, Any], charted: bool) -> FaceRow:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    face_id, person = int(row["face_id"]), row["person"]
    return FaceRow(
        face_id=face_id,
        name=say("video.person", person=person, face_id=face_id) if person else say("video.face", face_id=face_id),
        faces=int(row["faces"]),
        first_seen=known(row["first_seen"]),
        last_seen=known(row["last_seen"]),
        seconds_visible=known(row["seconds_visible"]),
        emotion=str(row["emotion"]),
        shares=tuple(float(row[name]) for name in MEANS),
        charted=charted,
    )
