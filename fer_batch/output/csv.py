"""The tables of the output folder: how they are written and read back.

CSV as in RFC 4180, UTF-8, numbers with a point. An empty field means missing.
"""

import csv
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.event_time import EventTimeMean
from fer_batch.analysis.groups import Difference, GroupMean, measures
from fer_batch.analysis.persons import Person
from fer_batch.analysis.summary import InEvent
from fer_batch.analysis.timeline import REASONS, SHARE_DECIMALS, Timeline
from fer_batch.annotations.events import Event
from fer_batch.emotions import EMOTIONS
from fer_batch.output.files import replacing
from fer_batch.output.schema import (
    BY_EVENT,
    BY_EVENT_TIME,
    BY_GROUP,
    BY_PERSON,
    CHANGED,
    DIFFERENCES,
    EPISODES,
    ERRORS,
    EVENTS,
    FILES,
    LONG,
    NAMED,
    SIX,
    SMOOTHED,
    SUMMARY,
    TIMELINE,
    WIDEST,
    Column,
)
from fer_batch.types import Episode, Skipped, Summary

if TYPE_CHECKING:
    import pandas as pd


ROWS_AT_ONCE = 4096
"""Rows of a table that are formatted, or read, at a time."""

Row = Mapping[str, object]


def write_timeline(
    path: Path,
    timeline: Timeline,
    smoothed: np.ndarray | None = None,
    changes: np.ndarray | None = None,
    *,
    source: str,
    named: bool = False,
) -> None:
    """Write the timeline of the source of this name; ``named``, with the columns of NAMED.

    ``smoothed`` and ``changes``, (rows, 7) with NaN where there is no value, fill the columns of SMOOTHED and CHANGED.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    more = (NAMED if named else (), () if smoothed is None else SMOOTHED, () if changes is None else CHANGED)
    columns = (*TIMELINE, *(column for columns in more for column in columns))
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        for begin in range(0, len(timeline), ROWS_AT_ONCE):
            rows = slice(begin, begin + ROWS_AT_ONCE)
            values = _timeline_values(timeline[rows])
            values["source"] = [source] * len(values["file"])
            if smoothed is not None:
                values |= _smoothed_values(smoothed[rows])
            if changes is not None:
                values |= _number_values(CHANGED, changes[rows])
            texts = (map(_text_of(column), values[column.name]) for column in columns)
            writer.writerows(zip(*texts, strict=True))


def read_timeline(path: str | os.PathLike[str]) -> "pd.DataFrame":
    """A timeline as a DataFrame, typed: integers that may be missing as Int64, flags such as ``success`` as bool.

    Numbers are those that were written: with so many decimals as the table has. A person and an emotion that are
    missing are NA; ``left_out`` is empty where nothing is left out.
    """
    return with_missing(read_table(Path(path), WIDEST))


def with_missing(timeline: "pd.DataFrame") -> "pd.DataFrame":
    """The same timeline, in which a person and an emotion that are missing are NA."""
    for name in ("person", "emotion", "smooth_emotion"):
        if name in timeline:
            timeline[name] = timeline[name].where(timeline[name] != "")
    return timeline


def write_summary(path: Path, summaries: Iterable[Summary], more: Sequence[Column] = ()) -> None:
    """Write summary.csv; ``more`` are CHANGES, or nothing."""
    write_table(path, (*SUMMARY, *more), (_of_source(summary) | _measures(summary) for summary in summaries))


def write_people(path: Path, people: Iterable[Person], more: Sequence[Column] = ()) -> None:
    """Write summary_by_person.csv; ``more`` are CHANGES, or nothing."""
    rows = (vars(person.summary) | _measures(person.summary) | {"files": person.files} for person in people)
    write_table(path, (*BY_PERSON, *more), rows)


def write_groups(path: Path, means: Iterable[GroupMean]) -> None:
    """Write summary_by_group.csv."""
    write_table(path, BY_GROUP, (vars(mean) | {"values": _list_of(mean.values)} for mean in means))


def write_differences(path: Path, differences: Iterable[Difference]) -> None:
    """Write group_differences.csv."""
    rows = (
        vars(one) | {"values": _list_of(one.values), "other_values": _list_of(one.other_values)} for one in differences
    )
    write_table(path, DIFFERENCES, rows)


def write_long(path: Path, people: Iterable[Summary], found: Iterable[InEvent]) -> None:
    """Write summary_long.csv: named faces in whole sources, then in each event."""
    parts: list[tuple[dict[str, object], Summary]] = [({}, summary) for summary in people]
    parts += [
        ({"event": one.event.label, "start": one.event.start}, one.summary)
        for one in found
        if one.summary is not None and one.summary.person
    ]
    rows = (
        _of_source(summary) | in_event | {"emotion": emotion, "value": value}
        for in_event, summary in parts
        for emotion, value in zip(EMOTIONS, summary.means.tolist(), strict=True)
    )
    write_table(path, LONG, rows)


def write_events(path: Path, events: Iterable[Event]) -> None:
    """Write events.csv."""
    write_table(path, EVENTS, (vars(event) for event in events))


def write_by_event(path: Path, found: Iterable[InEvent], more: Sequence[Column] = ()) -> None:
    """Write summary_by_event.csv; ``more`` are CHANGES, or nothing."""
    write_table(path, (*BY_EVENT, *more), (_in_event(one) | _of_source(one.event) for one in found))


def write_event_time(path: Path, means: Iterable[EventTimeMean]) -> None:
    """Write summary_by_event_time.csv."""
    write_table(path, BY_EVENT_TIME, (vars(mean) for mean in means))


def _in_event(one: InEvent) -> dict[str, object]:
    """Values of a face that is visible in an event, or of an event in which none is."""
    visible = (0.0 if one.summary is None else one.summary.seconds_visible) or 0.0
    times: dict[str, object] = {}
    if one.seconds_sampled is not None:
        times = {
            "seconds_visible": visible,
            "seconds_missing": max(0.0, one.seconds_sampled - visible),
            "seconds_outside": max(0.0, one.event.stop - one.event.start - one.seconds_sampled),
        }
    if one.summary is None:
        return {"faces": 0, **times}
    return vars(one.summary) | _measures(one.summary) | times


def _measures(summary: Summary) -> dict[str, object]:
    """Values of the columns of MEASURES and CHANGES."""
    six = [None] * len(SIX) if summary.without_neutral is None else summary.without_neutral.tolist()
    return {
        **measures(summary),
        "emotion": EMOTIONS[int(summary.means.argmax())],
        **{f"strongest_{name}_without_neutral": part for name, part in zip(SIX, six, strict=True)},
    }


def write_episodes(path: Path, episodes: Iterable[Episode]) -> None:
    """Write episodes.csv."""
    rows = (_of_source(episode) | {"duration": episode.stop - episode.start} for episode in episodes)
    write_table(path, EPISODES, rows)


def write_skipped(path: Path, skipped: Iterable[Skipped], sources: Collection[str]) -> None:
    """Write errors.csv; ``sources`` are the names of those that have a timeline."""
    rows = (vars(line) | {"rows_kept": line.rows_kept, "source": owner(line.file, sources)} for line in skipped)
    write_table(path, ERRORS, rows)


def write_files(path: Path, files: Iterable[tuple[str, str, str]]) -> None:
    """Write files.csv: of each file its source, its name and its digest."""
    write_table(path, FILES, ({"source": source, "file": name, "sha256": digest} for source, name, digest in files))


def owner(file: str, sources: Collection[str]) -> str:
    """The source that a file belongs to: the innermost one, where folders are nested; "" if there is none."""
    while file and file not in sources:
        file = file.rpartition("/")[0]
    return file


def _of_source(row: Summary | Episode | Event) -> dict[str, object]:
    """What it holds, by name; its file is a source."""
    return vars(row) | {"source": row.file}


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write rows, each a mapping by the columns' names; a missing key or None is an empty field.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.name for column in columns])
        texts = [(column.name, _text_of(column)) for column in columns]
        writer.writerows([text(row.get(name)) for name, text in texts] for row in rows)


def read_table(path: Path, columns: Sequence[Column], only: Collection[str] | None = None) -> "pd.DataFrame":
    """A table as a DataFrame whose columns have the types that ``columns`` names; it may lack some of them.

    ``only`` these columns are read, if given. Rows are read in parts, and numbers stored in their final arrays at once:
    pandas would need three times the memory of the table.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError, KeyError: it is no such table.
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
    """An upper limit of a table's rows: its line ends, which may stand within a value, too."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") + block.count(b"\r") for block in iter(lambda: file.read(2**16), b"")) + 1


def present(path: Path, columns: Sequence[Column]) -> list[Column]:
    """Those of the columns that a table has, in its order.

    Raises:
        ValueError: its first line is no CSV.
    """
    with path.open(encoding="utf-8", newline="") as file:
        try:
            names = next(csv.reader(file), [])
        except csv.Error as error:
            raise ValueError(str(error)) from error
    known = {column.name: column for column in columns}
    return [known[name] for name in names if name in known]


def _timeline_values(timeline: Timeline) -> dict[str, Sequence[object]]:
    """Values of the columns of TIMELINE; None where there is none."""
    rows, success, emotions = timeline.rows, timeline.success, np.array(EMOTIONS)
    of_faces = ("face_id", "track", "face_confidence", "quality", "spurious", "x", "y", "width", "height")
    return {
        "file": timeline.text("file"),
        "frame": rows["frame"].tolist(),
        **{name: _known(rows[name], ~np.isnan(rows[name])) for name in ("timestamp", "duration")},
        **{name: timeline.text(name) for name in ("person", "role", "group")},
        "success": success.tolist(),
        "damaged": rows["damaged"].tolist(),
        **{name: _known(rows[name], success) for name in of_faces},
        **{name: _known(shares, success) for name, shares in zip(EMOTIONS, timeline.shares.T, strict=True)},
        "left_out": [REASONS[code] for code in rows["left_out"].tolist()],
        "emotion": _known(emotions[timeline.strongest], success),
    }


def _smoothed_values(shares: np.ndarray) -> dict[str, Sequence[object]]:
    """Values of the columns of SMOOTHED; of ``shares`` (rows, 7)."""
    known = ~np.isnan(shares[:, 0])
    strongest = np.where(known, shares.argmax(axis=1), 0)
    return _number_values(SMOOTHED[: len(EMOTIONS)], shares) | {
        "smooth_emotion": _known(np.array(EMOTIONS)[strongest], known)
    }


def _number_values(columns: Sequence[Column], values: np.ndarray) -> dict[str, Sequence[object]]:
    """Values of ``columns``, one each of ``values`` (rows, columns); None for NaN."""
    known = ~np.isnan(values)
    return {column.name: _known(values[:, index], known[:, index]) for index, column in enumerate(columns)}


def _list_of(values: Iterable[float]) -> str:
    """Several values in one field, with as many decimals as the columns of the same tables."""
    return ";".join(format(value, f"z.{SHARE_DECIMALS}f") for value in values)


def _text_of(column: Column) -> Callable[[Any], str]:
    """What turns a value of a column into its field; None is an empty one."""
    if column.decimals is not None:
        form = f"z.{column.decimals}f"  # "z": no minus sign before zero
        return lambda value: "" if value is None else format(value, form)
    if column.type == "boolean":
        return lambda value: "" if value is None else "1" if value else "0"
    return lambda value: "" if value is None else str(value)


def _known(values: np.ndarray, known: np.ndarray) -> list[object]:
    """The values as a list, None where they are not known."""
    return [value if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]
