"""datapackage.json: every table of an output folder, described for programs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_batch.output.csv import present
from fer_batch.output.exported import FOLDER, present_exports
from fer_batch.output.files import write_json
from fer_batch.output.schema import ERRORS_TABLE, OPTIONAL, SUMMARY_TABLE, WIDEST, Table


def write_datapackage(path: Path, timelines: Mapping[str, str], created: str) -> None:
    """Describe every table of an output folder as a Frictionless Data Package (specs.frictionlessdata.io).

    ``timelines`` maps each source's name to its table's path relative to the folder. Tables that are not there are left
    out.

    Raises:
        OutputError: it cannot be written.
    """
    of_sources = (
        Table(f"timeline-{number}", name, table, WIDEST)
        for number, (name, table) in enumerate(timelines.items(), start=1)
    )
    tables = (SUMMARY_TABLE, ERRORS_TABLE, *OPTIONAL, *of_sources)
    resources = [_resource(path.parent, table) for table in tables if (path.parent / table.path).is_file()]
    package = {"name": "fer-batch-results", "profile": "data-package", "created": created, "resources": resources}
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


def _resource(folder: Path, table: Table) -> dict[str, Any]:
    """A table with the columns that it has."""
    fields = []
    for column in present(folder / table.path, table.columns):
        unit = f" Unit: {column.unit}." if column.unit else ""
        field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.meaning + unit}
        if column.type == "boolean":
            field |= {"trueValues": ["1"], "falseValues": ["0"]}
        fields.append(field)
    return {
        "name": table.name,
        "title": table.title,
        "path": table.path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
        "schema": {"fields": fields, "missingValues": [""]},
    }
