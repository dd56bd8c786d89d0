"""exports.json: which files an export has written, for the report, for datapackage.json, and for the next export."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fer_batch.output.files import replacing_by_json

FOLDER = "exports"
"""Of exports within the output folder."""

RECORD = "exports.json"


@dataclass(frozen=True)
class Exported:
    """What one format has written."""

    purpose: str
    """What it is for."""
    tables: str
    """Digest of the tables that it was made of."""
    files: Mapping[str, str]
    """SHA-256 of every file, by its path within the format's folder."""


def read_exported(out: Path) -> dict[str, Exported]:
    """What each format has written to its folder in ``out``, by its name; empty without a sound record."""
    try:
        return {name: Exported(**made) for name, made in json.loads((out / RECORD).read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


@contextmanager
def recording(out: Path, exported: Mapping[str, Exported]) -> Iterator[None]:
    """Write the record, or remove it where there is nothing to record, around what puts the files in their places.

    Raises:
        OutputError: it cannot be written. If that is for want of space, the block has not begun.
    """
    if exported:
        with replacing_by_json(out / RECORD, {name: asdict(made) for name, made in sorted(exported.items())}):
            yield
    else:
        yield
        (out / RECORD).unlink(missing_ok=True)


def present_exports(folder: Path) -> dict[str, Exported]:
    """By a format's name what it has written to FOLDER of an output folder, if that was made of the tables of now."""
    exported = read_exported(folder / FOLDER)
    tables = digest_of_tables(folder) if exported else ""
    return {name: made for name, made in exported.items() if made.tables == tables}


def digest_of_tables(folder: Path) -> str:
    """SHA-256 of every table of an output folder and its path."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.csv"), *(folder / "timelines").rglob("*.csv")]):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
