"""Writes exports: each format whole or not at all, and nothing that somebody has worked on is overwritten."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fer_batch.errors import NothingUsable, OutputError, UsageError
from fer_batch.exports import REGISTRY, check_formats
from fer_batch.exports.excel_csv import separators
from fer_batch.exports.tiers import has_times
from fer_batch.output.datapackage import name_exports
from fer_batch.output.exported import FOLDER, Exported, digest_of_tables, present_exports, read_exported, recording
from fer_batch.output.files import cannot_write
from fer_batch.output.results import Results
from fer_batch.types import Kind

Note = Callable[[str], None]
"""Is called with a sentence about what an export leaves out."""


def export(
    folder: Path,
    formats: Sequence[str],
    *,
    out: Path,
    overwrite: bool = False,
    locale: str | None = None,
    note: Note = lambda _: None,
) -> list[Path]:
    """Write these formats from the tables in the output folder ``folder`` to folders of their names in ``out``.

    No media are opened. A format's files of an earlier export are replaced, or removed where nothing takes their place.
    ``locale`` says how excel-csv writes numbers. ``note`` is called with a sentence about whatever is left out. Returns
    the paths of the formats that have files.

    Raises:
        UsageError: the folder is no output folder, a table is damaged, there is no such format or locale, a library is
            missing; or, without ``overwrite``, a file to be replaced is not as fer-batch wrote it: somebody has worked
            on it.
        NothingUsable: no format has anything to write.
        OutputError: a file cannot be written; then the format's files are as they were.
    """
    check_formats(formats)
    if locale is not None:
        _check_locale(locale, formats)
    results = Results.read(folder)
    if any(REGISTRY[name].of_times for name in formats):
        for source in results.sources:
            if source["kind"] == Kind.VIDEO and not has_times(source):
                note(f"{source['name']}: its times are not known, so only tables hold it.")
    tables = digest_of_tables(folder)
    made = [name for name in formats if _export(results, tables, name, out, overwrite, locale, note)]
    if out == folder / FOLDER:
        name_exports(folder)
    if not made:
        raise NothingUsable(f"{folder} holds nothing that {', '.join(formats)} could show.")
    return [out / name for name in made]


def export_into(folder: Path, formats: Sequence[str]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write formats to FOLDER of an output folder whose tables are new; returns those that have files, and sentences.

    What keeps a format back is one of these sentences, and so are exports that are of earlier tables.

    Raises:
        OutputError: a file cannot be written.
    """
    made: list[Path] = []
    notes: dict[str, None] = {}
    for name in formats:
        try:
            made += export(folder, [name], out=folder / FOLDER, note=lambda line: notes.update({line: None}))
        except (UsageError, NothingUsable) as error:
            notes[str(error)] = None
    old = ",".join(sorted(read_exported(folder / FOLDER).keys() - present_exports(folder).keys()))
    if old:
        notes[
            f"In {folder / FOLDER} these are of earlier tables: {old}. To make them anew: "
            f"fer-batch export {folder} --to {old}"
        ] = None
    if present_exports(folder):
        name_exports(folder)
    return tuple(made), tuple(notes)


def _check_locale(locale: str, formats: Sequence[str]) -> None:
    if not any(REGISTRY[name].by_locale for name in formats):
        raise UsageError("--locale says how excel-csv writes numbers: name it in --to.")
    separators(locale)


def _export(
    results: Results, tables: str, name: str, out: Path, overwrite: bool, locale: str | None, note: Note
) -> bool:
    """Write one format; whether it has files."""
    earlier = read_exported(out)
    before = earlier[name].files if name in earlier else {}
    staging, place = out / f".{name}.part", out / name  # of one depth: relative paths are the same
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        left_out = REGISTRY[name].load(locale)(results, staging)
        files = {path.relative_to(staging).as_posix(): _digest(path) for path in _files(staging)}
        if not overwrite:
            _refuse_changed(place, before, files)
        record = {other: made for other, made in earlier.items() if other != name}
        if files:
            record[name] = Exported(REGISTRY[name].purpose, tables, files)
        with recording(out, record):
            for file in files:
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / file, place / file)
            for file in before.keys() - files.keys():
                if (place / file).is_file() and _digest(place / file) == before[file]:
                    _remove(place / file, out)
    except OSError as error:
        raise cannot_write(place, error) from error
    except OutputError as error:
        raise OutputError(str(error).replace(staging.name, name)) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _remove_if_empty(out)
    if not files:
        note(f"{name}: there is nothing to write.")
    elif left_out:
        note(f"{name}: {left_out}")
    return bool(files)


def _refuse_changed(place: Path, before: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Refuse to replace what fer-batch did not write, or what was changed since.

    Raises:
        UsageError: there is such a file.
    """
    for file, digest in files.items():
        path = place / file
        if path.exists() and _digest(path) not in {digest, before.get(file)}:
            raise UsageError(
                f"{path} was changed since fer-batch wrote it. Move it away, choose another --out, "
                "or give --overwrite to lose the changes."
            )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path, out: Path) -> None:
    """Remove a file, and the folders up to ``out`` that it leaves empty."""
    path.unlink()
    for parent in path.parents:
        if parent == out or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
