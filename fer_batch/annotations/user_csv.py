"""CSV files that users write by hand or export. A mistake in one is an error that names the file and the line.

Read are the files that editors, Excel and pandas write: with a byte order mark, in UTF-16, with other separators than
commas and then with decimal commas, with a line ``sep=;``, capitals in the header, empty columns and rows, pandas'
column of row numbers, and whole numbers as ``3.0``.
"""

import codecs
import csv
import io
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite, nan
from pathlib import Path

from fer_batch.errors import UsageError, why

SEPARATORS = ",;\t|"
"""What programs put between columns."""

_CLOCK = re.compile(r"(-?)(\d+):([0-5]\d):([0-5]\d(?:[.,]\d+)?)")
"""Hours, minutes and seconds."""

_INVISIBLE = (
    string.whitespace + "\u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""White space, and marks that Windows and browsers copy with a name: of its direction, of no width (Unicode's Cf)."""

_WITH_COMMA = re.compile(r"[-+]?\d+,\d+")
"""A number with a comma."""

ONE_WAY = " The file has numbers with commas, too: write all of them in one way, without signs between thousands."


@dataclass(frozen=True)
class Line:
    """One line of a user CSV, below its header."""

    csv_name: str
    """The file's name, without its folder."""
    number: int
    """As an editor counts, from 1; the header's is 1."""
    values: Mapping[str, str] = field(hash=False)
    """By column; "" for an empty field, and for an optional column that the file lacks."""
    decimal_comma: bool = False
    """Numbers have a comma in the place of the point: columns are not separated by commas, and some have one. Then a
    point may stand between thousands, so none is taken."""

    @property
    def place(self) -> str:
        """The file's name and the line's number, for messages."""
        return f"{self.csv_name} line {self.number}"

    def error(self, text: str) -> UsageError:
        """An error whose message names the line."""
        return UsageError(f"{self.place}: {text}")

    def seconds_in(self, column: str) -> float:
        """The finite number of seconds in a column, also where it is written as hours, minutes and seconds.

        Raises:
            UsageError: the field is empty, or holds something else.
        """
        text = self.values[column]
        clock = _CLOCK.fullmatch(text)
        if clock is not None:
            sign, hours, minutes, seconds = clock.groups()
            length = int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
            return -length if sign else length
        value = self._number(text)
        if not isfinite(value):
            raise self.error(
                f"{column} must be seconds with a decimal point, like 12.5, or hours, minutes and seconds, like "
                f"0:00:12.5; got '{text}'.{self._one_way(text)}"
            )
        return value

    def whole_in(self, column: str) -> int | None:
        """The whole number from 0 in a column, also where it is written like ``3.0``; None: there is something else."""
        value = self._number(self.values[column])
        return int(value) if isfinite(value) and value >= 0 and value == int(value) else None

    def number_in(self, column: str) -> float:
        """The finite number in a column.

        Raises:
            UsageError: the field is empty, or holds something else.
        """
        text = self.values[column]
        value = self._number(text)
        if not isfinite(value):
            raise self.error(f"{column} must be a number; got '{text}'.{self._one_way(text)}")
        return value

    def _number(self, text: str) -> float:
        if "_" in text or (self.decimal_comma and "." in text):  # Python takes 1_5 for 15
            return nan
        try:
            return float(text.replace(",", ".", 1) if self.decimal_comma else text)
        except ValueError:
            return nan

    def _one_way(self, text: str) -> str:
        return ONE_WAY if self.decimal_comma and "." in text else ""


def read(path: Path, required: Sequence[str], optional: Sequence[str]) -> list[Line]:
    """The lines of a CSV file with a header; blank lines are left out.

    Raises:
        UsageError: the file cannot be read, or has other columns; the text names the line and says what to do.
    """
    name, text = path.name, _text(path)
    separator, skipped = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    number = 1
    try:
        for row in reader:
            fields = [field.strip(_INVISIBLE).strip() for field in row]
            if number > skipped and any(fields):
                rows.append((number, fields))
            number = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f'{name} line {number}: {error}. Close every quotation mark (") that is opened.') from error
    if not rows:
        raise UsageError(f"{name} is empty. Its first line must be {','.join((*required, *optional))}.")
    (header_number, header), *others = rows
    decimal_comma = separator != "," and any(_WITH_COMMA.fullmatch(field) for _, fields in others for field in fields)
    columns = _header(header, f"{name} line {header_number}", required, optional, others)
    return [
        Line(name, number, _values(fields, columns, optional, f"{name} line {number}"), decimal_comma)
        for number, fields in others
    ]


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """The known name most similar to a wrong one, as a sentence that begins with a space; "" if none is similar."""
    near = get_close_matches(wrong, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {why(error)}.") from error
    remedy = "Save it as UTF-8 (in Excel: 'CSV UTF-8')."
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{path.name} line {line}: a character is not in UTF-8. {remedy}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UsageError(f"{path.name} line {line}: the file is no text. {remedy}")
    return unicodedata.normalize("NFC", text)  # macOS writes accents apart from their letters: one name, not two


def _separator(text: str) -> tuple[str, int]:
    """What separates the columns; and how many lines at the beginning say so, as Excel has it: 1 or 0."""
    first = next((line for line in text.splitlines() if line.strip(' ,;\t|"')), "")
    declared = re.fullmatch(r'"?sep=(.)"?[,;\t|]*', first.strip(" "), re.IGNORECASE)
    if declared and declared[1] in SEPARATORS:
        return declared[1], text.splitlines().index(first) + 1
    return max(SEPARATORS, key=first.count), 0


def _header(
    fields: Sequence[str],
    place: str,
    required: Sequence[str],
    optional: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
) -> list[str]:
    """The columns' names; "" for those without a name, which hold nothing, or pandas' row numbers."""
    known = [*required, *optional]
    columns = ", ".join(required) + (f", and may be {', '.join(optional)}" if optional else "")
    names = ["" if written.startswith("Unnamed: ") else written.casefold() for written in fields]
    for position, name in enumerate(names):
        values = [row[position] for _, row in rows if position < len(row)]
        if not name:
            if any(values) and not (position == 0 and values == [str(number) for number in range(len(values))]):
                raise UsageError(f"{place}: column {position + 1} has values, but no name. Name it, or empty it.")
        elif name not in known:
            near = suggestion(name, known)
            raise UsageError(f"{place}: there is a column '{fields[position]}'; columns must be {columns}.{near}")
        elif names.count(name) > 1:
            raise UsageError(f"{place}: the column {name} is there twice. Take one out.")
    missing = [column for column in required if column not in names]
    if missing:
        raise UsageError(f"{place}: the column {missing[0]} is missing; columns must be {columns}.")
    return names


def _values(fields: list[str], header: Sequence[str], optional: Sequence[str], place: str) -> Mapping[str, str]:
    extra = fields[len(header) :]
    if len(fields) < len(header) or any(extra):
        remedy = "Put values that hold the separator in quotation marks, and leave no field out."
        raise UsageError(f"{place} has {len(fields)} fields where the header has {len(header)}. {remedy}")
    named = {name: field for name, field in zip(header, fields, strict=False) if name}
    return dict.fromkeys(optional, "") | named
