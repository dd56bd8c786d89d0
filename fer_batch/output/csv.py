"""The tables that people work with: what each column means, how it is written, and how it is read back.

CSV as in RFC 4180, UTF-8, numbers with a point. Empty means missing. Nothing here knows where the numbers come from.
"""

import csv
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.groups import Difference, GroupMean
from fer_batch.analysis.persons import Person
from fer_batch.annotations.events import Event
from fer_batch.emotions import EMOTIONS
from fer_batch.output.files import replacing
from fer_batch.output.schema import (
    BY_EVENT,
    BY_GROUP,
    BY_PERSON,
    CHANGED,
    DIFFERENCES,
    EPISODES,
    ERRORS,
    EVENTS,
    MEANS,
    SIX,
    SMOOTHED,
    SUMMARY,
    TIMELINE,
    WIDEST,
    Column,
)
from fer_batch.types import Episode, Skipped, Summary, TrackedFrame

if TYPE_CHECKING:
    import pandas as pd


ROWS_AT_ONCE = 4096
"""Of a table that is read."""

Row = Mapping[str, object]


def write_timeline(path: Path, tracked_frames: Iterable[TrackedFrame]) -> None:
    """Write one source's timeline: a row per face per frame, and one row for a frame without a face.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    write_table(path, TIMELINE, (row for tracked in tracked_frames for row in _timeline_rows(tracked)))


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


def _timeline_rows(tracked: TrackedFrame) -> Iterator[Row]:
    time = tracked.time
    place: Row = {
        "file": time.file,
        "frame": time.number,
        "timestamp": time.seconds,
        "duration": time.duration,
        "success": bool(tracked.faces),
    }
    if not tracked.faces:
        yield place
    for face in tracked.faces:
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
