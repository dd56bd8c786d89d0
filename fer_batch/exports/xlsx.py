"""Excel and LibreOffice (.xlsx): every table as a sheet, numbers as numbers, and what the columns mean."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from traceback import clear_frames
from typing import Any

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from fer_batch.exports.tables import tables
from fer_batch.output.csv import present, read_table
from fer_batch.output.results import Results
from fer_batch.output.schema import Column

FILE = "results.xlsx"

MOST_ROWS = 1_048_576
"""Of a sheet, with its head."""

MOST_LETTERS = 32_767
"""Of a cell."""

DICTIONARY = tuple(Column(name, "string", "") for name in ("sheet", "column", "unit", "meaning"))


def write(results: Results, folder: Path) -> str | None:
    """Write one workbook: every table, the timelines together in one sheet if they fit, and the meanings of columns."""
    # Names that begin with "=" or look like addresses are texts. Row after row goes to disk: memory does not grow.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True, "tmpdir": str(folder)}
    with _File(folder / FILE, "w") as file:
        book = Workbook(file, options)
        try:
            left_out = _fill(book, results)
            book.close()
        except BaseException as error:
            cause = error.args[0] if isinstance(error, FileCreateError) else error
            file.counts = False
            clear_frames(cause.__traceback__)  # throws the ZipFile in there away while the file is still open
            raise cause from None
    return left_out


class _File(io.FileIO):
    """A file that takes everything once it does not count any more.

    For ZipFile goes on writing when it is thrown away, where nobody can catch its errors.
    """

    counts = True

    def write(self, data: Any) -> int:
        """Write all of it."""
        left = memoryview(data).cast("B")
        while left and self.counts:
            left = left[super().write(left) :]
        return len(data)


def _fill(book: Workbook, results: Results) -> str | None:
    """Write every sheet; returns sentences about what does not fit."""
    meanings: list[tuple[str, ...]] = []
    left_out: list[str] = []
    book.set_properties({"created": datetime.fromisoformat(results.run["finished"])})

    def add(name: str, columns: Sequence[Column], rows: int, parts: Iterable[pd.DataFrame]) -> None:
        if rows < MOST_ROWS:
            meanings.extend(_sheet(book, name, columns, parts))
        else:
            left_out.append(f"The table {name} is left out: {rows:,} rows, and a sheet holds {MOST_ROWS:,}.")

    for table in tables(results):
        columns = present(results.folder / table.path, table.columns)
        values = read_table(results.folder / table.path, columns)
        add(table.name, columns, len(values), [values])
    rows = sum(len(results.timeline(source, ["frame"])) for source in results.sources)
    add("timelines", results.timeline_columns, rows, (results.timeline(source) for source in results.sources))
    if left_out:
        book.add_worksheet("left out").write_column(0, 0, left_out)
    names = [column.name for column in DICTIONARY]
    _sheet(book, "data dictionary", DICTIONARY, [pd.DataFrame(meanings, columns=names)])
    return " ".join(left_out) or None


def _sheet(
    book: Workbook, name: str, columns: Sequence[Column], parts: Iterable[pd.DataFrame]
) -> list[tuple[str, ...]]:
    """Write a table, which comes in parts, with its head in view and filters on; returns its rows of DICTIONARY."""
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1})
    forms = [book.add_format({"num_format": f"0.{'0' * (column.decimals or 0)}".rstrip(".")}) for column in columns]
    for position, column in enumerate(columns):
        sheet.set_column(position, position, max(10, min(40, len(column.name) + 4)))
        sheet.write_string(0, position, column.name, head)
    sheet.freeze_panes(1, 0)
    last = 0
    for last, values in enumerate(chain.from_iterable(_rows(part, columns) for part in parts), start=1):
        for position, (column, value) in enumerate(zip(columns, values, strict=True)):
            _cell(sheet, last, position, column, value, forms[position])
    sheet.autofilter(0, 0, last, len(columns) - 1)
    return [(name, column.name, column.unit, column.meaning) for column in columns]


def _rows(part: pd.DataFrame, columns: Sequence[Column]) -> Iterable[tuple[Any, ...]]:
    """The values of each row; None for those of columns that the part lacks."""
    lists = (part[column.name].tolist() if column.name in part else [None] * len(part) for column in columns)
    return zip(*lists, strict=True)


def _cell(sheet: Worksheet, row: int, position: int, column: Column, value: Any, form: Any) -> None:
    if value is None or pd.isna(value) or value == "":
        return
    if column.type == "string":
        sheet.write_string(row, position, value[:MOST_LETTERS])
    elif column.type == "boolean":
        sheet.write_boolean(row, position, value)
    else:
        sheet.write_number(row, position, value, form)
