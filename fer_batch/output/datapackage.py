"""datapackage.json: every table of an output folder, described for programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_batch.output.csv import present
from fer_batch.output.files import write_json
from fer_batch.output.schema import CHANGES, ERRORS, OPTIONAL, SUMMARY, WIDEST, Column


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
