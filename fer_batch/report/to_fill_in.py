"""Templates of people.csv and events.csv: what users fill in, beside what tells them which face or video it is."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.naming import name_faces
from fer_batch.analysis.timeline import ROW, Timeline
from fer_batch.annotations import events, people
from fer_batch.annotations.people import People
from fer_batch.errors import OutputRefused
from fer_batch.options import ReportOptions, numbering
from fer_batch.output.csv import Row, write_table
from fer_batch.output.files import write_bytes
from fer_batch.output.media_links import find
from fer_batch.output.results import Results
from fer_batch.output.schema import EVENTS, SUMMARY, TIMELINE, Column
from fer_batch.report import thumbnails
from fer_batch.report.given import media_of
from fer_batch.report.pages.base import best_rows, box_of
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

_KNOWN = {column.name: column for column in (*TIMELINE, *SUMMARY, *EVENTS)}
_SECONDS = _KNOWN["seconds_visible"]


def _columns(names: tuple[str, ...]) -> list[Column]:
    """The columns of these names, with as many decimals as the tables have."""
    seconds = {name: Column(name, "number", "", "s", _SECONDS.decimals) for name in ("seconds", "time")}
    return [seconds.get(name) or _KNOWN.get(name) or Column(name, "string", "") for name in names]


def write_people(
    folder: Path,
    path: Path,
    report_options: ReportOptions | None = None,
    names: Path | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write a row for each track of a video and for each face of a photo; returns the path.

    Rows have the names that the faces have in the folder, or those of ``names``, another people.csv; ``note`` is told
    what of it does not fit. ``time`` and the box are those of a frame that shows the face well. ``perhaps`` is a track
    of an earlier shot that may be the same face. With ``report_options.thumbnails`` there is an image of each face
    beside the file.

    Raises:
        UsageError: the folder is no output folder, or something is wrong in ``names``.
        OutputRefused: the file is there.
        OutputError: it cannot be written.
    """
    results = Results.read(folder, report_options)
    _refuse_to_replace(path)
    known = None if names is None else people.read(names, media_of(results))
    rows = [row for source in results.sources for row in _faces(results, source, path, known, note)]
    write_table(path, _columns(people.COLUMNS), rows)
    return path


def write_events(folder: Path, path: Path) -> Path:
    """Write a row for each video, with an offset of 0; returns the path.

    Raises:
        UsageError: the folder is no output folder.
        OutputRefused: the file is there.
        OutputError: it cannot be written.
    """
    results = Results.read(folder)
    _refuse_to_replace(path)
    videos = (source for source in results.sources if source["kind"] == Kind.VIDEO)
    rows = [{"file": source["name"], "seconds": source["seconds"], "offset": "0"} for source in videos]
    write_table(path, _columns((*events.REQUIRED, *events.OPTIONAL, *events.DESCRIBING)), rows)
    return path


def _refuse_to_replace(path: Path) -> None:
    if path.exists():
        raise OutputRefused(f"{path} is there already, and may be filled in. Choose another --out, or move it.")


def _faces(
    results: Results, source: Mapping[str, Any], path: Path, names: People | None, note: Callable[[str], None]
) -> Iterator[Row]:
    """A row for each face of a source."""
    timeline = results.timeline(source)
    if "track" in timeline:
        timeline["face_id"] = timeline.pop("track")
    if names is not None:
        timeline = _named(timeline, source, names, note)
    seen = timeline[timeline["success"] & ~timeline["spurious"]]
    is_video = source["kind"] == Kind.VIDEO
    best = best_rows(timeline, seen) if is_video else seen
    tracks = seen.assign(until=seen["timestamp"] + seen["duration"]).groupby("face_id")
    times = tracks.agg(first_seen=("timestamp", "min"), last_seen=("until", "max"), seconds=("duration", "sum"))
    who = tracks[["person", "role", "group"]].max() if "role" in seen else None  # "" in frames that two of them share
    jpegs = _thumbnails(results, source, best) if results.report_options.thumbnails else []
    images = path.with_name(f"{path.stem}-faces")
    made_with = numbering(results.run.get("options", {}))
    for number, face in enumerate(best.to_dict("records")):
        row = {name: face[name] for name in ("face_id", "x", "y", "width", "height")} | {"made_with": made_with}
        if is_video:
            row |= {"file": source["name"], "time": _known(face["timestamp"])}
            row |= {name: _known(value) for name, value in times.loc[face["face_id"]].items()}
            row["perhaps"] = source.get("perhaps", {}).get(str(face["face_id"]))
            face |= {} if who is None else who.loc[face["face_id"]]
        else:
            row["file"] = f"{source['name']}/{face['file']}"
        row |= {name: face.get(name) for name in ("person", "role", "group")}
        if number < len(jpegs) and jpegs[number]:
            row["thumbnail"] = f"{images.name}/{source['output']}-{number}.jpg"
            write_bytes(images.parent / str(row["thumbnail"]), jpegs[number])
        yield row


def _named(
    table: "pd.DataFrame", source: Mapping[str, Any], names: People, note: Callable[[str], None]
) -> "pd.DataFrame":
    """A timeline with the names of a people.csv in the place of its own."""
    rows = np.zeros(len(table), ROW)
    texts, files = np.unique(table["file"].to_numpy(str), return_inverse=True)
    rows["file"] = files + 1
    for name in ("frame", "timestamp", "duration", "spurious"):
        rows[name] = table[name]
    for name in ("face_id", "x", "y", "width", "height"):
        rows[name] = table[name].fillna(-1)
    rows["track"] = rows["face_id"]
    timeline = Timeline(rows, ("", *texts.tolist()))
    named = name_faces(timeline, source["name"], Kind(source["kind"]), names.of(source["name"]))
    for problem in named.problems:
        note(problem.reason)
    order = np.lexsort((named.timeline.rows["track"], named.timeline.rows["frame"]))
    columns = {name: np.array(named.timeline.text(name), object)[order] for name in ("person", "role", "group")}
    return table.sort_values(["frame", "face_id"], na_position="first").assign(**columns)


def _known(value: Any) -> Any:
    """The value; None where it is missing."""
    return None if value is None or value != value else value


def _thumbnails(results: Results, source: Mapping[str, Any], best: "pd.DataFrame") -> list[bytes]:
    """A JPEG for each row; empty where it cannot be cut."""
    options = results.report_options
    path = (find(options.media, source["name"]) if options.media else None) or results.media.get(source["name"])
    rows = best.to_dict("records")
    if path is None:
        return []
    if path.is_file():
        faces = {row["face_id"]: (row["frame"], box_of(row)) for row in rows}
        cut = thumbnails.of_video(path, faces, anonymize=options.anonymize)
        return [cut.get(row["face_id"], b"") for row in rows]
    photos = (thumbnails.of_photo(path / row["file"], [box_of(row)], anonymize=options.anonymize) for row in rows)
    return [jpegs[0] if jpegs else b"" for jpegs in photos]
