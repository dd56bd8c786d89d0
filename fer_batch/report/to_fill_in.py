"""Templates of people.csv and events.csv: what users fill in, beside what tells them which face or video it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_batch.annotations import events, people
from fer_batch.errors import OutputRefused, UsageError
from fer_batch.options import ReportOptions
from fer_batch.output.csv import Row, write_table
from fer_batch.output.files import write_bytes
from fer_batch.output.media_links import find
from fer_batch.output.results import Results
from fer_batch.output.schema import EVENTS, SUMMARY, TIMELINE, Column
from fer_batch.report import thumbnails
from fer_batch.report.pages.base import box_of
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

_KNOWN = {column.name: column for column in (*TIMELINE, *SUMMARY, *EVENTS)}
_SECONDS = _KNOWN["seconds_visible"]


def _columns(names: tuple[str, ...]) -> list[Column]:
    """The columns of these names, with as many decimals as the tables have."""
    seconds = {name: Column(name, "number", "", "s", _SECONDS.decimals) for name in ("seconds", "time")}
    return [seconds.get(name) or _KNOWN.get(name) or Column(name, "string", "") for name in names]


def write_people(folder: Path, path: Path, report_options: ReportOptions | None = None) -> Path:
    """Write a row for each track of a video and for each face of a photo; returns the path.

    ``time`` and the box are those of the frame that shows the face best. ``perhaps`` is a track of an earlier shot that
    may be the same face. With ``report_options.thumbnails`` there is an image of each face beside the file.

    Raises:
        UsageError: the folder is no output folder, or its faces have names already, and so other numbers.
        OutputRefused: the file is there.
        OutputError: it cannot be written.
    """
    results = Results.read(folder, report_options)
    _refuse_to_replace(path)
    named = results.run.get("options", {}).get("people")
    if named:
        raise UsageError(
            f"{folder} was made with --people {named}: tracks of one person are joined there, and have other numbers. "
            "Run the same command without --people first; it scans nothing again."
        )
    rows = [row for source in results.sources for row in _faces(results, source, path)]
    write_table(path, _columns((*people.REQUIRED, *people.OPTIONAL, *people.DESCRIBING)), rows)
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


def _faces(results: Results, source: Mapping[str, Any], path: Path) -> Iterator[Row]:
    """A row for each face of a source."""
    timeline = results.timeline(source)
    seen = timeline[timeline["success"] & ~timeline["spurious"]]
    is_video = source["kind"] == Kind.VIDEO
    best = _best(seen) if is_video else seen
    length = seen.groupby("face_id")["duration"].sum()
    summary = results.summary_of(source).set_index("face_id") if is_video else None
    jpegs = _thumbnails(results, source, best) if results.report_options.thumbnails else []
    images = path.with_name(f"{path.stem}-faces")
    for number, face in enumerate(best.to_dict("records")):
        row = {name: face[name] for name in ("face_id", "x", "y", "width", "height")}
        if summary is None:
            row["file"] = f"{source['name']}/{face['file']}"
        else:
            face_id = face["face_id"]
            row |= {"file": source["name"], "time": _known(face["timestamp"]), "seconds": length[face_id]}
            row["perhaps"] = source.get("perhaps", {}).get(str(face_id))
            if face_id in summary.index:
                row |= {name: _known(summary.loc[face_id, name]) for name in ("first_seen", "last_seen")}
        if number < len(jpegs) and jpegs[number]:
            row["thumbnail"] = f"{images.name}/{source['output']}-{number}.jpg"
            write_bytes(images.parent / str(row["thumbnail"]), jpegs[number])
        yield row


def _best(seen: "pd.DataFrame") -> "pd.DataFrame":
    """The row of a video that shows each face best."""
    worth = seen["face_confidence"] * seen["height"].astype(float) * seen["quality"].fillna(1.0)
    return seen.loc[worth.groupby(seen["face_id"]).idxmax()] if len(seen) else seen


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
