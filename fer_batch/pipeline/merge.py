"""Joins output folders into one, with one report: what several machines did becomes one study. No media is opened."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from fer_batch.errors import OutputRefused, UsageError
from fer_batch.exports.export import export_into
from fer_batch.media import remote
from fer_batch.media.sources import folded
from fer_batch.natural_order import natural
from fer_batch.options import Options
from fer_batch.output import folder as outfolder
from fer_batch.output import media_links, study
from fer_batch.output.csv import read_table
from fer_batch.output.files import replacing_path
from fer_batch.output.manifest import Manifest
from fer_batch.output.mirror import mirrored
from fer_batch.output.results import MODEL_CARD, MODEL_METRICS, read_run
from fer_batch.output.schema import ERRORS, ERRORS_TABLE
from fer_batch.output.software import Software
from fer_batch.pipeline import smallest_face
from fer_batch.pipeline.tables import write_tables
from fer_batch.report import render as report
from fer_batch.types import Severity, Skipped

INPUTS, WORK = "inputs", "work"


@dataclass(frozen=True)
class Merged:
    """A study that was joined."""

    report: Path
    """The report's first page."""
    skipped: tuple[Skipped, ...]
    """The lines of errors.csv."""
    export_notes: tuple[str, ...]
    """Sentences about exports that are there."""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing from the tables; there may be notes."""
        return all(line.is_note for line in self.skipped)


@dataclass(frozen=True)
class _Part:
    """One of the folders."""

    folder: Path
    run: Mapping[str, Any]
    """Its run.json."""
    options: Options
    kept: Sequence[study.Kept]

    @classmethod
    def read(cls, folder: Path) -> "_Part":
        run = read_run(folder)
        try:
            options = _options(run["options"])
        except (KeyError, TypeError):
            raise OutputRefused(
                f"{folder} was written by another version of fer-batch. Run `fer-batch analyze` there again."
            ) from None
        return cls(folder, run, options, study.read_whole(folder))

    @property
    def _all_software(self) -> Software:
        """What computed the numbers of the folder."""
        return Software(self.run["fer_batch"], self.run["versions"], self.run["platform"])

    def software(self, kept: study.Kept) -> Software:
        """What computed a source."""
        return kept.software or self._all_software

    @property
    def lines(self) -> Iterator[Skipped]:
        """The lines of errors.csv that are about no source: files and folders that could not be opened."""
        outcomes = [kept.result.outcome for kept in self.kept if kept.result.outcome is not None]
        of_sources = {line for kept in self.kept for line in kept.result.skipped}
        notes = smallest_face.note(outcomes, self.options), self._all_software.note()
        of_sources |= {line for line in notes if line is not None}
        rows = read_table(self.folder / ERRORS_TABLE.path, ERRORS)[["file", "reason", "severity"]]
        lines = (Skipped(file, reason, Severity(severity)) for file, reason, severity in rows.itertuples(index=False))
        return (line for line in lines if line not in of_sources)


def merge(folders: Iterable[str | Path], out: str | Path, progress: Callable[[int, int], None] | None = None) -> Merged:
    """Join what runs wrote into these folders: the tables and the report of one run on all of it.

    ``progress`` is called with the number of sources that have their pages in the report, and of all. What ``out``
    holds must be among the folders' sources; it is written anew.

    Raises:
        UsageError: a folder is no output folder, or a file of it is missing.
        OutputRefused: two folders hold results of other options, or other results under one name; or ``out`` holds
            something else, or a run is writing into one of the folders.
        OutputError: the result cannot be written.
    """
    destination = remote.parse(out)
    paths = [Path(folder) for folder in {os.path.realpath(folder): folder for folder in folders}.values()]
    if any(os.path.realpath(destination) == os.path.realpath(path) for path in paths):
        raise UsageError(f"{destination} is one of the folders to merge. Choose another --out.")
    with mirrored(destination) as out, ExitStack() as locks:
        for path in paths:
            read_run(path)  # a folder of something else is not locked
            if os.access(path, os.W_OK):  # else it is somebody else's, who lets others read it
                locks.enter_context(outfolder.locked(path))
        parts = [_Part.read(path) for path in paths]
        _refuse_other_options(parts)
        held = _sources(parts)
        outfolder.claim(out)
        locks.enter_context(outfolder.locked(out))
        others = [kept.result.source.name for kept in study.read_whole(out)]
        others = [name for name in others if folded(name) not in held]
        if others:
            raise OutputRefused(f"{out} holds {others[0]}, which none of the folders has. Choose another --out.")
        in_order = [held[name] for name in sorted(held, key=lambda name: _order(held[name]))]
        merged = _write(out, parts, in_order, progress)
    return replace(merged, report=destination / merged.report.name)


def _write(
    out: Path,
    parts: Sequence[_Part],
    held: Sequence[tuple[_Part, study.Kept]],
    progress: Callable[[int, int], None] | None,
) -> Merged:
    first = parts[0]
    for name in (MODEL_CARD, MODEL_METRICS):
        outfolder.remove(out / name)
        if (first.folder / name).is_file():
            _copy(first.folder / name, out / name)
    copies = [one["copy"] for one in first.run.get("inputs", {}).values()]
    for name in copies:
        _copy(first.folder / name, out / name)
    outfolder.sweep(out / INPUTS, keep=(out / name for name in copies))
    software = {kept.result.source.name: part.software(kept) for part, kept in held}
    places = {part.folder: media_links.read_media(part.folder) for part in parts}
    where = {}
    for part, kept in held:
        source = kept.result.source
        place = places[part.folder].get(source.name)
        if place is not None:
            where[source.name] = place
            kept = study.moved(kept, place, out)
        if kept.result.outcome is not None:
            _copy(part.folder / kept.result.outcome.timeline, out / kept.result.outcome.timeline)
        study.write_kept(out, replace(kept, software=software[source.name]))
    media_links.write_links(out, where)
    results = [kept.result for _, kept in held]
    outcomes = [result.outcome for result in results if result.outcome is not None]
    options = replace(first.options, shard=None)
    found_notes = smallest_face.note(outcomes, options), Software.joined(software.values()).note()
    notes = [note for note in found_notes if note is not None]
    lines = dict.fromkeys(line for part in parts for line in part.lines)
    skipped = [
        *sorted((line for line in lines if not line.is_note), key=lambda line: natural(line.file)),
        *_missing(parts),
        *(line for result in results for line in result.skipped),
        *notes,
        *(line for line in lines if line.is_note),
    ]
    statistics = first.run["statistics_over_people"]
    facts = Manifest(
        started=min(datetime.fromisoformat(part.run["started"]) for part in parts),
        finished=max(datetime.fromisoformat(part.run["finished"]) for part in parts),
        options=options,
        model={name: value for name, value in first.run["model"].items() if name != "runtime"},
        detector=first.run["detector"],
        runtime=next((runtime for part in parts if (runtime := part.run["model"]["runtime"])), None),
        seconds=_sum(part.run["seconds"] for part in parts),
        chunks=_sum({name: part.run["counts"][name] for name in _WORK_COUNTS} for part in parts),
        outcomes=outcomes,
        skipped=skipped,
        ignored=sorted({name for part in parts for name in part.run["ignored"]}, key=natural),
        persons=statistics["persons"] if isinstance(statistics, dict) else None,
        title=first.run.get("title"),
        offsets={
            source["name"]: source["offset"] for part in parts for source in part.run["sources"] if "offset" in source
        },
        inputs=first.run.get("inputs", {}),
        origins=first.run.get("options_from", {}),
        groups=statistics["order_of_groups"] if isinstance(statistics, dict) else (),
        software=software,
    )
    write_tables(out, facts, [result.summary for result in results if result.summary is not None])
    study.sweep(out, (result.source for result in results))
    for part in parts:
        for path in (part.folder / WORK).glob("*"):
            if path.suffix in (".parquet", ".json") and not (out / WORK / path.name).exists():
                _copy(path, out / WORK / path.name, link=True)
    _, export_notes = export_into(out, ())
    return Merged(report.render(out, progress=progress), tuple(skipped), export_notes)


_WORK_COUNTS = ("chunks_scanned", "chunks_reused", "frames_scanned")


def _sum(counts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update({name: value for name, value in one.items() if name != "total"})
    return dict(total)


def _order(held: tuple[_Part, study.Kept]) -> Any:
    return natural(held[1].result.source.name)


def _options(values: Mapping[str, Any]) -> Options:
    """The options that run.json names; of paths only the files' names."""
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    paths = {name: Path(made[name]) for name in ("people", "events", "model") if made[name] is not None}
    if made.keys() != {field.name for field in fields(Options)}:
        raise KeyError
    return Options(**(made | paths))


def _refuse_other_options(parts: Sequence[_Part]) -> None:
    """Refuse folders whose numbers cannot stand beside each other."""
    made = [(part, kept) for part in parts for kept in part.kept if kept.result.outcome is not None]
    for part, kept in made[1:]:
        before, other = made[0]
        apart = study.apart(other.options, kept.options)
        if apart is not None:
            raise OutputRefused(
                f"{other.result.source.name} in {before.folder} was analysed with {apart[0]}, "
                f"{kept.result.source.name} in {part.folder} with {apart[1]}. Results of unlike options cannot stand "
                "beside each other: analyse one of them again."
            )


def _sources(parts: Sequence[_Part]) -> dict[str, tuple[_Part, study.Kept]]:
    """Every source once, with the folder that holds it, by its name on any file system."""
    held: dict[str, tuple[_Part, study.Kept]] = {}
    for part in parts:
        for kept in part.kept:
            name = kept.result.source.name
            before, other = held.setdefault(folded(name), (part, kept))
            if before is not part and not _same(before.folder, other, part.folder, kept):
                raise OutputRefused(
                    f"{name} is in {before.folder} and in {part.folder}, with other contents. If these are two videos, "
                    "or two folders of photos, analyse them from a folder above both, so that they get names of their "
                    "own; else leave one of the folders out."
                )
    return held


def _same(folder: Path, kept: study.Kept, other_folder: Path, other: study.Kept) -> bool:
    """Whether two folders hold the same results of a source."""
    if not study.equal(kept, other):
        return False
    outcome, other_outcome = kept.result.outcome, other.result.outcome
    if outcome is None or other_outcome is None:
        return outcome is other_outcome
    return (folder / outcome.timeline).read_bytes() == (other_folder / other_outcome.timeline).read_bytes()


def _missing(parts: Sequence[_Part]) -> Iterator[Skipped]:
    """Lines about shards that belong to those that are there."""
    found: dict[tuple[int, str | None], set[int]] = {}
    for part in parts:
        if part.options.shard is not None:
            number, of = part.options.shard
            found.setdefault((of, part.run.get("division")), set()).add(number)
    if any(a != b for a, b in combinations(found, 2)):
        yield Skipped(
            "shards",
            "The folders hold shards of different inputs: files came or changed between the runs, or --shard was given "
            "another number of parts. Something may be missing. Run all shards again.",
            Severity.PARTIAL,
        )
        return
    for (of, _), numbers in found.items():
        for number in sorted(set(range(1, of + 1)) - numbers):
            yield Skipped(f"shard {number}/{of}", "Its folder is not among those that were merged.", Severity.LOST)


def _copy(path: Path, to: Path, *, link: bool = False) -> None:
    """Copy a file; or make a link to it, where the file system can, if nobody ever writes into such a file.

    Raises:
        UsageError: it is not there.
        OutputError: it cannot be written.
    """
    if not path.is_file():
        raise UsageError(f"{path} is missing. Run `fer-batch analyze` there again.")
    with replacing_path(to) as part:
        if link:
            try:
                os.link(path, part)
            except OSError:
                pass
            else:
                return
        shutil.copyfile(path, part)
