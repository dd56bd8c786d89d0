"""CSV files that users write by hand or export. A mistake in one is an error that names the file and the line."""

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from pathlib import Path

from fer_batch.errors import UsageError

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What other programs put between columns instead of commas."""


@dataclass(frozen=True)
class Line:
    """One line of a user CSV, below its header."""

    csv_name: str
    """The file's name, without its folder."""
    number: int
    """As an editor counts, from 1; the header's is 1."""
    values: Mapping[str, str] = field(hash=False)
    """By column; "" for an empty field, and for an optional column that the file lacks."""

    @property
    def place(self) -> str:
        """The file's name and the line's number, for messages."""
        return f"{self.csv_name} line {self.number}"

    def error(self, text: str) -> UsageError:
        """An error whose message names the line."""
        return UsageError(f"{self.place}: {text}")

    def seconds_in(self, column: str) -> float:
        """The finite number of seconds in a column.

        Raises:
            UsageError: the field is empty, or holds something else.
        """
        text = self.values[column]
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self.error(f"{column} must be seconds with a decimal point, like 12.5; got '{text}'.")
        return value


def read(path: Path, required: Sequence[str], optional: Sequence[str]) -> list[Line]:
    """The lines of a CSV file with a header, in UTF-8, separated by commas; blank lines are left out.

    Raises:
        UsageError: the file cannot be read, or has other columns; the text names the line and says what to do.
    """
    name = path.name
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    lines: list[Line] = []
    header: list[str] | None = None
    number = 1
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if header is None:
                header = _header(fields, name, required, optional)
            elif any(fields):
                lines.append(Line(name, number, _values(fields, header, optional, f"{name} line {number}")))
            number = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f'{name} line {number}: {error}. Close every quotation mark (") that is opened.') from error
    if header is None:
        raise UsageError(f"{name} is empty. Its first line must be {','.join((*required, *optional))}.")
    return lines


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """The known name most similar to a wrong one, as a sentence that begins with a space; "" if none is similar."""
    near = get_close_matches(wrong, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from error
    remedy = "Save it as UTF-8 (in Excel: 'CSV UTF-8')."
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{path.name} line 1: the file is in UTF-16. {remedy}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{path.name} line {line}: a character is not in UTF-8. {remedy}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UsageError(f"{path.name} line {line}: the file is no text. {remedy}")
    return text


def _header(fields: Sequence[str], name: str, required: Sequence[str], optional: Sequence[str]) -> list[str]:
    if len(fields) == 1:
        for character, word in SEPARATORS.items():
            if character in fields[0]:
                raise UsageError(
                    f"{name} line 1: the columns are separated by {word}. Separate them by commas: export the table "
                    'that way, or use a text editor, and put quotation marks around "values, with commas".'
                )
    known = [*required, *optional]
    columns = ", ".join(required) + (f", and may be {', '.join(optional)}" if optional else "")
    for column in fields:
        if column not in known:
            near = suggestion(column.casefold(), known)
            raise UsageError(f"{name} line 1: there is a column '{column}'; columns must be {columns}.{near}")
        if fields.count(column) > 1:
            raise UsageError(f"{name} line 1: the column {column} is there twice. Take one out.")
    missing = [column for column in required if column not in fields]
    if missing:
        raise UsageError(f"{name} line 1: the column {missing[0]} is missing; columns must be {columns}.")
    return list(fields)


def _values(fields: list[str], header: Sequence[str], optional: Sequence[str], place: str) -> Mapping[str, str]:
    extra = fields[len(header) :]
    if len(fields) < len(header) or any(extra):
        remedy = "Put values that hold a comma in quotation marks, and leave no field out."
        raise UsageError(f"{place} has {len(fields)} fields where the header has {len(header)}. {remedy}")
    return dict.fromkeys(optional, "") | dict(zip(header, fields, strict=False))
