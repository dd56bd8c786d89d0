"""Repeat an earlier run from its run.json, and say whether the tables are the same, and where they are not."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from fer_batch.errors import UsageError, why
from fer_batch.options import Options
from fer_batch.output.schema import ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY_TABLE
from fer_batch.pipeline.run import default_folder

HERE = frozenset(
    "recursive follow_links shard workers engine ray_address batch_size runtime replace restart keep model".split()
)
"""Options that are taken as they are given now: they choose inputs and files, or how the work is done."""


def options_of(run_json: Path, given: Options, inputs: Sequence[Path], out: Path | None) -> Options:
    """The options of the run that ``run_json`` describes; people.csv and events.csv are the copies beside it.

    Raises:
        UsageError: the file is none of this version of fer-batch, a copy is missing, or the output folder is the same.
    """
    if (out or default_folder(inputs)).resolve() == run_json.parent.resolve():
        raise UsageError(f"The run would write into {run_json.parent}, with which it is compared. Give another --out.")
    run = _read(run_json)
    names = {field.name for field in fields(Options)}
    if not names >= run["options"].keys():
        raise UsageError(f"{run_json} was written by another version of fer-batch ({run.get('fer_batch')}).")
    then: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in run["options"].items()
        if name not in HERE
    }
    if not (run_json.parent / FILES_TABLE.path).is_file():
        raise UsageError(f"{run_json.parent / FILES_TABLE.path} is missing, which names the files of the run.")
    for name in ("people", "events"):
        if then.get(name) is not None:
            copy = run_json.parent / run["inputs"][name]["copy"]
            if not copy.is_file():
                raise UsageError(f"{copy} is missing, with which the run was made.")
            then[name] = copy
    return replace(given, **then)


def differences(run_json: Path, folder: Path) -> list[str]:
    """A sentence for each thing in which the run in ``folder`` differs from that of ``run_json``; none: the same."""
    then, now = _read(run_json), _read(folder / "run.json")
    found = []
    before, after = _files(run_json, then), _files(folder / "run.json", now)
    found += [f"{name} is not among the inputs." for name in before if name not in after]
    found += [f"{name} was not among the inputs." for name in after if name not in before]
    found += [f"{name} holds something else now." for name in before if after.get(name, before[name]) != before[name]]
    if then["model"].get("sha256") != now["model"].get("sha256"):
        found.append("The model is another one.")
    paths = {table.path for table in (SUMMARY_TABLE, ERRORS_TABLE, *OPTIONAL)}
    paths |= {source["timeline"] for run in (then, now) for source in run["sources"] if source["timeline"]}
    for path in sorted(paths):
        found.extend(_difference(path, run_json.parent / path, folder / path))
    return found


def _difference(name: str, before: Path, after: Path) -> Iterator[str]:
    """Where a table differs first."""
    if before.exists() != after.exists():
        yield f"{name} is only in {(before if before.exists() else after).parents[name.count('/')]}."
        return
    if not before.exists() or before.read_bytes() == after.read_bytes():
        return
    with before.open(encoding="utf-8", newline="") as old, after.open(encoding="utf-8", newline="") as new:
        none: list[str] = []
        header = none
        for line, (row, other) in enumerate(zip_longest(csv.reader(old), csv.reader(new), fillvalue=none), start=1):
            header = header or row
            if row != other:
                at, was, now = next(
                    (at, was, now)
                    for at, (was, now) in enumerate(zip_longest(row, other, fillvalue="nothing"))
                    if was != now
                )
                column = header[at] if at < len(header) else f"column {at + 1}"
                yield f"{name} differs first in row {line}, {column}: it was {was or 'empty'}, and is {now or 'empty'}."
                return


def _files(run_json: Path, run: Mapping[str, Any]) -> dict[str, str]:
    """The digest of every file, by the names of its source and its own."""
    videos = {source["name"] for source in run["sources"] if source["facts"].get("container")}
    path = run_json.parent / FILES_TABLE.path
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["source"] if row["source"] in videos else f"{row['source']}/{row['file']}": row["sha256"]
                for row in csv.DictReader(file)
            }
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path} cannot be read, which names the files of the run: {error}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        if {"options", "inputs", "sources", "model"} <= run.keys():
            return dict(run)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {why(error)}.") from error
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no run.json of fer-batch.") from error
    raise UsageError(f"{path} does not name the files of its run: it was written by an earlier version of fer-batch.")
