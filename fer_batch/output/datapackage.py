"""datapackage.json: every table of an output folder, described for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_batch.analysis.groups import Design
from fer_batch.emotions import EMOTIONS
from fer_batch.output.csv import present
from fer_batch.output.exported import FOLDER, present_exports
from fer_batch.output.files import MadeInTurn, write_json
from fer_batch.output.schema import ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY_TABLE, WIDEST, Column, Table
from fer_batch.output.timelines import PARQUET
from fer_batch.types import Kind, Reason, Severity


def write_datapackage(path: Path, timelines: Mapping[str, str], created: str, *, parquet: bool = False) -> None:
    """Describe every table of an output folder as a Frictionless Data Package (specs.frictionlessdata.io).

    ``timelines`` maps each source's name to its table's path relative to the folder. Tables that are not there are left
    out. ``parquet``: the timelines are there as Parquet, too, which a property of our own says.

    Raises:
        OutputError: it cannot be written.
    """
    of_sources = (
        Table(f"timeline-{number}", name, table, WIDEST, key=("frame", "face_id"))
        for number, (name, table) in enumerate(timelines.items(), start=1)
    )
    tables = (SUMMARY_TABLE, ERRORS_TABLE, FILES_TABLE, *OPTIONAL, *of_sources)
    there = {table.name: table for table in tables if (path.parent / table.path).is_file()}
    resources = MadeInTurn(_resource(path.parent, table, there) for table in there.values())
    package: dict[str, Any] = {
        "name": "fer-batch-results",
        "profile": "data-package",
        "created": created,
        "resources": resources,
    }
    if parquet:
        package["parquet"] = {"path": PARQUET, "description": "The timelines as one table of Parquet files."}
    write_json(path, package)


def name_exports(folder: Path) -> None:
    """Name the exports that were made of the tables of now, in a property of our own.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / "datapackage.json"
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # a study without this file, or with a damaged one: exports need it not
    exports = [
        {"format": name, "path": f"{FOLDER}/{name}", "description": made.purpose, "files": len(made.files)}
        for name, made in sorted(present_exports(folder).items())
    ]
    write_json(path, {**package, "exports": exports} if exports else package)


RANGES: Mapping[str, tuple[float, float]] = {
    "share, 0 to 1": (0, 1),
    "part, 0 to 1": (0, 1),
    "0 to 1": (0, 1),
    "-1 to 1": (-1, 1),
    "-2 to 2": (-2, 2),
}
"""Least and greatest value of columns by their unit."""

CHOICES: Mapping[str, Sequence[str]] = {
    "emotion": EMOTIONS,
    "smooth_emotion": EMOTIONS,
    "kind": tuple(Kind),
    "severity": tuple(Severity),
    "left_out": (Reason.SPURIOUS, Reason.QUALITY),
    "design": tuple(Design),
}
"""All values of columns by their name; they may be missing, too."""

NEVER_NEGATIVE = frozenset(
    "frame duration face_id track faces faces_left_out files persons other_persons seconds_visible seconds_left_out "
    "gaps seconds_missing seconds_outside episodes_per_minute".split()
)

NEVER_MISSING = frozenset("success damaged kind severity rows_kept reason measure design faces".split())
"""Beside what tells rows apart, but for face_id, which rows without a face do not have."""


def _constraints(column: Column) -> dict[str, Any]:
    """What values of a column may be, as Frictionless has it."""
    found: dict[str, Any] = {}
    if column.name in NEVER_MISSING:
        found["required"] = True
    if column.unit in RANGES:
        found["minimum"], found["maximum"] = RANGES[column.unit]
    if column.name in NEVER_NEGATIVE:
        found["minimum"] = 0
    if column.name in CHOICES:
        found["enum"] = [str(value) for value in CHOICES[column.name]]
    return found


def _resource(folder: Path, table: Table, there: Mapping[str, Table]) -> dict[str, Any]:
    """A table with the columns that it has, and what ties it to the other tables that are ``there``."""
    fields = []
    for column in present(folder / table.path, table.columns):
        unit = f" Unit: {column.unit}." if column.unit else ""
        field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.meaning + unit}
        if column.type == "boolean":
            field |= {"trueValues": ["1"], "falseValues": ["0"]}
        if constraints := _constraints(column):
            field["constraints"] = constraints
        fields.append(field)
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    ties = [
        {"fields": list(names), "reference": {"resource": other, "fields": list(names)}}
        for other, names in table.refers
        if other in there
    ]
    if ties:
        schema["foreignKeys"] = ties
    return {
        "name": table.name,
        "title": table.title,
        "path": table.path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
        "schema": schema,
    }
