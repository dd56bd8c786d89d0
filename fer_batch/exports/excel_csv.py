"""CSV as Excel opens it by a double click: a mark that says UTF-8, and the separators of a language."""

import csv
from collections.abc import Sequence
from pathlib import Path

from fer_batch.errors import UsageError
from fer_batch.exports.tables import tables
from fer_batch.output.results import Results
from fer_batch.output.schema import WIDEST, Column

COMMA = frozenset(
    "az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl sq sr "
    "sv tr uk uz vi".split()
)
"""Languages with decimal commas (Unicode CLDR); then Excel expects semicolons between fields."""

POINT = frozenset("ar bn cy en fil ga he hi ja km ko ms ne si sw ta th ur zh".split())
"""Languages with decimal points; then Excel expects commas between fields."""

REGIONS = {
    **dict.fromkeys(("de-ch", "de-li", "it-ch"), (";", ".")),
    **dict.fromkeys(("es-mx", "es-us"), (",", ".")),
    "en-za": (";", ","),
}
"""Those that differ from their language."""

DEFAULT = "de"


def separators(locale: str) -> tuple[str, str]:
    """What stands between fields, and what before decimals.

    Raises:
        UsageError: the locale is not known.
    """
    name = locale.partition(".")[0].replace("_", "-").lower()
    language = name.partition("-")[0]
    if name in REGIONS:
        return REGIONS[name]
    if language in COMMA:
        return ";", ","
    if language in POINT:
        return ",", "."
    raise UsageError(
        f"--locale must be a language, such as de, en or fr, or with a region, such as de-CH; got {locale}."
    )


def write(results: Results, folder: Path, locale: str = DEFAULT) -> None:
    """Write every table under its own path. Texts stay as they are; only in columns of numbers points are replaced."""
    between, decimal = separators(locale)
    for table in tables(results):
        _rewrite(results.folder / table.path, folder / table.path, table.columns, between, decimal)
    for source in results.sources:
        _rewrite(results.folder / source["timeline"], folder / source["timeline"], WIDEST, between, decimal)


def _rewrite(path: Path, written: Path, columns: Sequence[Column], between: str, decimal: str) -> None:
    numbers = {column.name for column in columns if column.type == "number"}
    written.parent.mkdir(parents=True, exist_ok=True)
    with path.open(encoding="utf-8", newline="") as read, written.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(read)
        names = next(rows, [])
        writer = csv.writer(file, delimiter=between, lineterminator="\r\n")
        writer.writerow(names)
        for row in rows:
            fields = zip(names, row, strict=True)
            writer.writerow([field.replace(".", decimal) if name in numbers else field for name, field in fields])
