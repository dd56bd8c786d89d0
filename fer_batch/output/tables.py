"""The tables that people work with: what each column means, how it is written, and how it is read back.

CSV as in RFC 4180, UTF-8, numbers with a point. Empty means missing. Nothing here knows where the numbers come from.
"""

import csv
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.groups import Difference, GroupMean
from fer_batch.analysis.persons import Person
from fer_batch.annotations.events import Event
from fer_batch.emotions import EMOTIONS, NEUTRAL
from fer_batch.output.files import replacing
from fer_batch.types import Episode, Reading, Skipped, Summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """One column of a table, as datapackage.json describes it."""

    name: str
    type: str
    """A Frictionless type: string, integer, number or boolean."""
    meaning: str
    unit: str = ""
    decimals: int | None = None
    """Digits after the point; None: not a fraction."""


def _of_each(
    name: str, meaning: str, unit: str = "share, 0 to 1", emotions: Sequence[str] = EMOTIONS
) -> tuple[Column, ...]:
    """A column for each emotion, whose name stands in for the braces."""
    return tuple(Column(name.format(one), "number", meaning.format(one), unit, 4) for one in emotions)


SIX: tuple[str, ...] = tuple(name for at, name in enumerate(EMOTIONS) if at != NEUTRAL)
"""The expressions: all emotions but neutral."""

MEANS: tuple[str, ...] = tuple(f"mean_{name}" for name in EMOTIONS)
"""Columns of the mean shares, in the order of EMOTIONS."""

TIMELINE: tuple[Column, ...] = (
    Column("file", "string", "Name of the film, or of the photograph within its folder."),
    Column("frame", "integer", "Rank of the frame in presentation order, or of the photograph in its folder; from 0."),
    Column("timestamp", "number", "Time of the frame, counted from the start of the film's earliest stream.", "s", 6),
    Column("duration", "number", "Time from this frame to the next one that was looked at.", "s", 6),
    Column("face_id", "integer", "Track of a face within one film; position from the left in a photograph; from 0."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("success", "boolean", "1: a face. 0: this frame was looked at and no face was found."),
    Column("face_confidence", "number", "The detector's score for the face.", "0 to 1", 4),
    Column(
        "quality",
        "number",
        "How good the face's picture is to read: an estimate of how much of the model's accuracy above chance its "
        "size, sharpness, exposure and turn leave. It says nothing of the expression.",
        "0 to 1",
        4,
    ),
    Column(
        "spurious",
        "boolean",
        "1: seen in one frame only, and in none around it, so likely no face: left out of whatever is summed up.",
    ),
    Column("x", "integer", "Left edge of the face's box in the upright frame.", "px"),
    Column("y", "integer", "Top edge of the face's box in the upright frame.", "px"),
    Column("width", "integer", "Width of the face's box.", "px"),
    Column("height", "integer", "Height of the face's box.", "px"),
    *_of_each("{}", "How much the expression looks like {}; the seven sum to 1."),
    Column("emotion", "string", "The emotion with the largest share."),
)

SMOOTHED: tuple[Column, ...] = (
    *_of_each(
        "smooth_{}", "Share of {}, averaged over a window of --smooth seconds about the frame; the seven sum to 1."
    ),
    Column("smooth_emotion", "string", "The emotion with the largest smoothed share."),
)
"""Columns that --smooth adds to a film's timeline."""

CHANGED: tuple[Column, ...] = _of_each(
    "change_{}", "Share of {} less its mean in the face's own baseline (--baseline).", "-1 to 1"
)
"""Columns that --baseline adds to a film's timeline."""

WIDEST: tuple[Column, ...] = (*TIMELINE, *SMOOTHED, *CHANGED)
"""All columns that a timeline may have."""

MEASURES: tuple[Column, ...] = (
    *_of_each(
        "mean_{}",
        "Mean of the share of {}: over time in a film (each row weighs its duration), over faces in photographs; "
        "the seven sum to 1.",
    ),
    Column("emotion", "string", "The emotion with the largest mean share."),
    *_of_each(
        "strongest_{}",
        "Part of the visible time in a film, or of the faces in photographs, in which {} has the largest share of the "
        "seven; the seven parts sum to 1.",
        "part, 0 to 1",
    ),
    *_of_each(
        "strongest_{}_without_neutral",
        "The same, of the time (or faces) in which another emotion than neutral has the largest share; the six parts "
        "sum to 1. Empty: it is always neutral.",
        "part, 0 to 1",
        SIX,
    ),
    Column(
        "derived_valence",
        "number",
        "Mean of happiness less the strongest of anger, disgust, fear and sadness: derived from the shares, not "
        "recognised by the model.",
        "-1 to 1",
        4,
    ),
    Column(
        "episodes_per_minute",
        "number",
        "Episodes (see episodes.csv) in a minute of visible time. Empty for photographs, and where times are unknown.",
        "1/min",
        4,
    ),
)
"""What is said of any rows that are summed up."""

CHANGES: tuple[Column, ...] = (
    *_of_each(
        "change_{}",
        "mean_{0} less the same mean in the face's own baseline (--baseline). Empty: it is not visible there.",
        "-1 to 1",
    ),
    Column("derived_valence_change", "number", "The same of derived_valence.", "-2 to 2", 4),
)
"""Measures that --baseline adds."""

PLACE: tuple[Column, ...] = (
    Column("role", "string", "The person's role, as people.csv says."),
    Column("group", "string", "The person's group, as people.csv says."),
)
"""What people.csv says of a person beside the name."""

SUMMARY: tuple[Column, ...] = (
    Column("file", "string", "Name of the film or of the folder of photographs."),
    Column("kind", "string", "video or photos."),
    Column("face_id", "integer", "Track of a face within one film; empty for photographs, summed up by folder."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("first_seen", "number", "Time of the face's first row.", "s", 6),
    Column("last_seen", "number", "End of the face's last row.", "s", 6),
    Column("seconds_visible", "number", "Sum of the rows' durations.", "s", 6),
    Column(
        "gaps",
        "integer",
        "Stretches between first_seen and last_seen in which the face is not seen. Nothing is interpolated there.",
    ),
    Column("seconds_missing", "number", "Length of these stretches together.", "s", 6),
    *MEASURES,
)

BY_PERSON: tuple[Column, ...] = (
    Column("person", "string", "A name in people.csv; the same name is the same person, in whatever files."),
    *PLACE,
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("files", "integer", "Films, or folders of photographs, in which the person is seen."),
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column(
        "seconds_visible",
        "number",
        "Sum of the rows' durations; time in which two films show the person counts in both.",
        "s",
        6,
    ),
    *MEASURES,
)

BY_GROUP: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column("persons", "integer", "Persons of the group who have a value; each counts once."),
    Column("mean", "number", "Mean of the measure over persons.", "that of the measure", 4),
    Column("low", "number", "Lower end of its 95 % interval, from resampling persons. Empty: one person.", "", 4),
    Column("high", "number", "Upper end of its 95 % interval.", "", 4),
)

DIFFERENCES: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("other_group", "string", "The group that it is compared with."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column("persons", "integer", "Persons of the group who have a value; each counts once."),
    Column("other_persons", "integer", "Persons of the other group who have a value."),
    Column("persons_in_both", "integer", "Persons who are in both groups: their values are resampled together."),
    Column("difference", "number", "The group's mean over persons less the other's.", "that of the measure", 4),
    Column("low", "number", "Lower end of its 95 % interval, from resampling persons. Empty: one person.", "", 4),
    Column("high", "number", "Upper end of its 95 % interval.", "", 4),
)

EVENTS: tuple[Column, ...] = (
    Column("file", "string", "Name of the film."),
    Column("label", "string", "What happens, as events.csv says."),
    Column("start", "number", "When it begins, in seconds of the film: its offset is taken off.", "s", 6),
    Column("stop", "number", "When it ends.", "s", 6),
)

BY_EVENT: tuple[Column, ...] = (
    *EVENTS,
    Column("face_id", "integer", "A face that is visible in the event; empty: there is none."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("seconds_visible", "number", "Time of the event in which the face is seen.", "s", 6),
    Column("seconds_missing", "number", "Time of the event in which it is not. Nothing is interpolated there.", "s", 6),
    *MEASURES,
)

EPISODES: tuple[Column, ...] = (
    Column("file", "string", "Name of the film."),
    Column("face_id", "integer", "The face, as in the film's timeline."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("emotion", "string", "The expression, one of the six other than neutral."),
    Column("start", "number", "When it begins, counted from the start of the film's earliest stream.", "s", 6),
    Column("stop", "number", "When it ends.", "s", 6),
    Column("duration", "number", "From start to stop.", "s", 6),
    Column("mean", "number", "Mean of the emotion's share in it, over time.", "share, 0 to 1", 4),
    Column("peak", "number", "The emotion's largest share in it.", "share, 0 to 1", 4),
    Column("peak_time", "number", "When the first frame with that share begins.", "s", 6),
)

ERRORS: tuple[Column, ...] = (
    Column("file", "string", "What was left out, or is not whole."),
    Column("rows_kept", "boolean", "1: what could be read is in the timeline. 0: left out altogether."),
    Column("reason", "string", "Why."),
)

OPTIONAL: tuple[tuple[str, str, str, tuple[Column, ...]], ...] = (
    ("summary-by-person", "Summary of every person", "summary_by_person.csv", (*BY_PERSON, *CHANGES)),
    ("summary-by-group", "Means of every group of persons", "summary_by_group.csv", BY_GROUP),
    ("group-differences", "Differences between groups of persons", "group_differences.csv", DIFFERENCES),
    ("summary-by-event", "Summary of every face in every event", "summary_by_event.csv", (*BY_EVENT, *CHANGES)),
    ("events", "Events, in the time of each film", "events.csv", EVENTS),
    ("episodes", "Episodes: when each face shows an expression", "episodes.csv", EPISODES),
)
"""Name, title, path and columns of tables that datapackage.json describes where they are there."""

ROWS_AT_ONCE = 4096
"""Of a table that is read."""

Row = Mapping[str, object]


def write_timeline(path: Path, readings: Iterable[Reading]) -> None:
    """Write one source's timeline: a row per face per frame, and one row for a frame without a face.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    write_table(path, TIMELINE, (row for reading in readings for row in _timeline_rows(reading)))


def read_timeline(path: str | os.PathLike[str]) -> "pd.DataFrame":
    """A timeline as a DataFrame, typed: integers that may be missing as Int64, ``success`` and ``spurious`` as bool.

    The inverse of :func:`write_timeline`, up to the decimals that are written.
    """
    return read_table(Path(path), WIDEST)


def add_smoothed(path: Path, shares: np.ndarray) -> None:
    """Add the columns of SMOOTHED to a timeline; ``shares`` is (rows, 7), NaN where there is no face.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    seen = ~np.isnan(shares[:, 0])
    values: dict[str, Sequence[object]] = {
        column.name: _known(shares[:, at], seen) for at, column in enumerate(SMOOTHED[: len(EMOTIONS)])
    }
    values["smooth_emotion"] = _known(np.array(EMOTIONS)[np.where(seen, shares.argmax(axis=1), 0)], seen)
    widen(path, SMOOTHED, values)


def add_changes(path: Path, changes: np.ndarray) -> None:
    """Add the columns of CHANGED to a timeline; ``changes`` is (rows, 7), NaN where there is none.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    known = ~np.isnan(changes[:, 0])
    widen(path, CHANGED, {column.name: _known(changes[:, at], known) for at, column in enumerate(CHANGED)})


def widen(path: Path, columns: Sequence[Column], values: Mapping[str, Sequence[object]]) -> None:
    """Add columns to a table on the right: for each of them, a value a row; None is an empty field.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with path.open(encoding="utf-8", newline="") as old, replacing(path) as file:
        reader, writer = csv.reader(old, strict=True), csv.writer(file, lineterminator="\r\n")
        writer.writerow([*next(reader), *(column.name for column in columns)])
        added = zip(*(values[column.name] for column in columns), strict=True)
        for row, new in zip(reader, added, strict=True):
            writer.writerow([*row, *(_text(value, column) for value, column in zip(new, columns, strict=True))])


def write_summary(path: Path, summaries: Iterable[Summary], more: Sequence[Column] = ()) -> None:
    """Write summary.csv; ``more`` are CHANGES, or nothing."""
    rows = (
        {
            "file": one.file,
            "kind": one.kind,
            "face_id": one.face_id,
            "person": one.person,
            "role": one.role,
            "group": one.group,
            "faces": one.faces,
            "first_seen": one.first_seen,
            "last_seen": one.last_seen,
            "seconds_visible": one.seconds_visible,
            "gaps": one.gaps,
            "seconds_missing": one.seconds_missing,
            **measures(one),
        }
        for one in summaries
    )
    write_table(path, (*SUMMARY, *more), rows)


def write_people(path: Path, people: Iterable[Person], more: Sequence[Column] = ()) -> None:
    """Write summary_by_person.csv; ``more`` are CHANGES, or nothing."""
    rows = (
        {
            "person": one.summary.person,
            "role": one.summary.role,
            "group": one.summary.group,
            "kind": one.summary.kind,
            "files": one.files,
            "faces": one.summary.faces,
            "seconds_visible": one.summary.seconds_visible,
            **measures(one.summary),
        }
        for one in people
    )
    write_table(path, (*BY_PERSON, *more), rows)


def write_groups(path: Path, means: Iterable[GroupMean]) -> None:
    """Write summary_by_group.csv."""
    write_table(path, BY_GROUP, (vars(one) for one in means))


def write_differences(path: Path, differences: Iterable[Difference]) -> None:
    """Write group_differences.csv."""
    write_table(path, DIFFERENCES, (vars(one) for one in differences))


def write_events(path: Path, events: Iterable[Event]) -> None:
    """Write events.csv."""
    write_table(path, EVENTS, (vars(one) for one in events))


def write_by_event(path: Path, found: Iterable[tuple[Event, Summary | None]], more: Sequence[Column] = ()) -> None:
    """Write summary_by_event.csv; ``more`` are CHANGES, or nothing."""
    rows = ({**vars(event), **_in_event(event, one)} for event, one in found)
    write_table(path, (*BY_EVENT, *more), rows)


def _in_event(event: Event, one: Summary | None) -> Row:
    length = event.stop - event.start
    if one is None:
        return {"faces": 0, "seconds_visible": 0.0, "seconds_missing": length}
    visible = one.seconds_visible or 0.0
    return {
        "face_id": one.face_id,
        "person": one.person,
        "role": one.role,
        "group": one.group,
        "faces": one.faces,
        "seconds_visible": visible,
        "seconds_missing": max(0.0, length - visible),
        **measures(one),
    }


def measures(one: Summary) -> Row:
    """The columns of MEASURES and CHANGES."""
    without_neutral = one.without_neutral
    changes = [None] * len(EMOTIONS) if one.changes is None else one.changes.tolist()
    six = [None] * len(SIX) if without_neutral is None else without_neutral.tolist()
    return {
        **dict(zip(MEANS, one.means.tolist(), strict=True)),
        "emotion": EMOTIONS[int(one.means.argmax())],
        **{f"strongest_{name}": part for name, part in zip(EMOTIONS, one.strongest.tolist(), strict=True)},
        **{f"strongest_{name}_without_neutral": part for name, part in zip(SIX, six, strict=True)},
        "derived_valence": one.valence,
        "episodes_per_minute": one.episodes_per_minute,
        **{f"change_{name}": value for name, value in zip(EMOTIONS, changes, strict=True)},
        "derived_valence_change": one.valence_change,
    }


def write_episodes(path: Path, episodes: Iterable[Episode]) -> None:
    """Write episodes.csv."""
    rows = (vars(one) | {"duration": one.stop - one.start} for one in episodes)
    write_table(path, EPISODES, rows)


def write_skipped(path: Path, skipped: Iterable[Skipped]) -> None:
    """Write errors.csv."""
    rows = ({"file": one.file, "rows_kept": one.rows_kept, "reason": one.reason} for one in skipped)
    write_table(path, ERRORS, rows)


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write rows as CSV; a missing key or None is an empty field.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        writer.writerows([_text(row.get(column.name), column) for column in columns] for row in rows)


def read_table(path: Path, columns: Sequence[Column], only: Collection[str] | None = None) -> "pd.DataFrame":
    """A table as a DataFrame whose columns have the types that ``columns`` names; it may lack some of them.

    ``only`` these columns are read, if given. Some rows are read at a time, and numbers put into their places at once:
    pandas would need three times the memory of the table.
    """
    import pandas as pd

    columns = [column for column in present(path, columns) if only is None or column.name in only]
    types = {"string": "str", "integer": "Int64", "number": "float64", "boolean": "Int64"}
    most = _most_rows(path)
    numbers = {column.name: np.empty(most) for column in columns if column.type == "number"}
    others: dict[str, list[pd.Series[Any]]] = {column.name: [] for column in columns if column.name not in numbers}
    rows = 0
    with pd.read_csv(
        path,
        usecols=None if only is None else [column.name for column in columns],
        dtype={column.name: types[column.type] for column in columns},
        keep_default_na=False,
        na_values={column.name: [""] for column in columns if column.type != "string"},
        encoding="utf-8",
        chunksize=ROWS_AT_ONCE,
    ) as parts:
        for part in parts:
            for name, values in numbers.items():
                values[rows : rows + len(part)] = part[name]
            for name, pieces in others.items():
                pieces.append(part[name])
            rows += len(part)
    whole = {
        name: numbers[name][:rows] if name in numbers else pd.concat(others.pop(name), ignore_index=True)
        for name in (column.name for column in columns)
    }
    table = pd.DataFrame(whole, copy=False)
    for column in columns:
        if column.type == "boolean":
            table[column.name] = table[column.name].fillna(0).astype(bool)
    return table


def _most_rows(path: Path) -> int:
    """So many rows a table has at most: a value may hold a line's end, too."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") + block.count(b"\r") for block in iter(lambda: file.read(2**16), b"")) + 1


def present(path: Path, columns: Sequence[Column]) -> list[Column]:
    """Those of the columns that a table has, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        try:
            names = next(csv.reader(file), [])
        except csv.Error as error:
            raise ValueError(str(error)) from error
    known = {column.name: column for column in columns}
    return [known[name] for name in names if name in known]


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, indented, as UTF-8.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def write_datapackage(path: Path, timelines: Mapping[str, str], created: str) -> None:
    """Describe every table of an output folder as a Frictionless Data Package (specs.frictionlessdata.io).

    ``timelines`` maps each source's name to its table's path relative to the folder.
    """
    resources = [
        _resource(
            "summary",
            "Summary of every face, or folder of photographs",
            "summary.csv",
            present(path.parent / "summary.csv", (*SUMMARY, *CHANGES)),
        ),
        _resource("errors", "What was left out or is not whole", "errors.csv", ERRORS),
        *(
            _resource(name, title, table, present(path.parent / table, columns))
            for name, title, table, columns in OPTIONAL
            if (path.parent / table).is_file()
        ),
    ]
    for number, (name, table) in enumerate(timelines.items(), start=1):
        resources.append(_resource(f"timeline-{number}", name, table, present(path.parent / table, WIDEST)))
    package = {"name": "fer-batch-results", "profile": "data-package", "created": created, "resources": resources}
    write_json(path, package)


def _timeline_rows(reading: Reading) -> Iterator[Row]:
    moment = reading.moment
    place: Row = {
        "file": moment.file,
        "frame": moment.number,
        "timestamp": moment.seconds,
        "duration": moment.duration,
        "success": bool(reading.faces),
    }
    if not reading.faces:
        yield place
    for face in reading.faces:
        box = face.detection.box
        yield {
            **place,
            "face_id": face.face_id,
            "person": face.person,
            "face_confidence": face.detection.confidence,
            "quality": face.quality,
            "spurious": face.spurious,
            "x": round(box.x),
            "y": round(box.y),
            "width": round(box.width),
            "height": round(box.height),
            **dict(zip(EMOTIONS, face.shares.tolist(), strict=True)),
            "emotion": EMOTIONS[int(face.shares.argmax())],
        }


def _text(value: object, column: Column) -> str:
    if value is None:
        return ""
    if column.decimals is not None:
        return f"{value:z.{column.decimals}f}"  # "z": nothing is less than nothing
    if column.type == "boolean":
        return "1" if value else "0"
    return str(value)


def _known(values: np.ndarray, known: np.ndarray) -> list[object]:
    """The values as a list, None where they are not known."""
    return [value if sure else None for value, sure in zip(values.tolist(), known.tolist(), strict=True)]


def _resource(name: str, title: str, path: str, columns: Sequence[Column]) -> dict[str, Any]:
    fields = []
    for column in columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.meaning + unit}
        if column.type == "boolean":
            field |= {"trueValues": ["1"], "falseValues": ["0"]}
        fields.append(field)
    return {
        "name": name,
        "title": title,
        "path": path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
        "schema": {"fields": fields, "missingValues": [""]},
    }
