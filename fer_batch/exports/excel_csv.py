"""CSV as Excel opens it where decimals have commas (German, French, …): a mark that says UTF-8, and semicolons."""

import csv
from collections.abc import Sequence
from pathlib import Path

from fer_batch.exports.tables import tables
from fer_batch.output.results import Results
from fer_batch.output.schema import WIDEST, Column


def write(results: Results, folder: Path) -> None:
    """Write every table under its own path. Texts stay as they are; only in columns of numbers points become commas."""
    for table in tables(results):
        _rewrite(results.folder / table.path, folder / table.path, table.columns)
    for source in results.sources:
        _rewrite(results.folder / source["timeline"], folder / source["timeline"], WIDEST)


def _rewrite(path: Path, written: Path, columns: Sequence[Column]) -> None:
    numbers = {column.name for column in columns if column.type == "number"}
    written.parent.mkdir(parents=True, exist_ok=True)
    with path.open(encoding="utf-8", newline="") as read, written.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(read)
        names = next(rows, [])
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(names)
        for row in rows:
            fields = zip(names, row, strict=True)
            writer.writerow([field.replace(".", ",") if name in numbers else field for name, field in fields])
