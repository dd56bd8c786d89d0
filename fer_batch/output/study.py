"""What an output folder holds of each source, so that runs on other sources add to it and take nothing away.

There is a file of JSON for each source, beside its timeline: what the tables over all sources are made from, the
options that the source was analysed with, and where it was. No path is in it, only a digest of one.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from fer_batch.analysis.summary import SourceSummary
from fer_batch.errors import OutputRefused
from fer_batch.media.remote import is_remote
from fer_batch.media.sources import FoundMedia, folded, legible_name, renamed
from fer_batch.natural_order import natural
from fer_batch.output import folder as outfolder
from fer_batch.output.files import write_json
from fer_batch.output.mirror import is_mirror
from fer_batch.output.plain_values import from_plain, to_plain
from fer_batch.output.software import Software
from fer_batch.types import Outcome, Skipped, Source, Texts

FOLDER = "sources"

_OTHERWISE = "choose another --out, or give --replace to remove what is not among the inputs."

VERSION = 7
"""To be raised whenever the content or meaning of these files changes."""


@dataclass(frozen=True)
class SourceResult:
    """What became of a source."""

    source: Source
    outcome: Outcome | None
    """None: it has no timeline."""
    skipped: Sequence[Skipped]
    """What is wrong with it."""
    summary: SourceSummary | None = None


@dataclass(frozen=True)
class Kept:
    """A source of an earlier run. The files of its sources have their names only."""

    result: SourceResult
    options: Mapping[str, Any]
    """All that decides its numbers."""
    place: str
    """Digest of where it was, relative to the output folder."""
    state: str
    """Digest of its files' sizes and modification times."""
    contents: Sequence[str] = ()
    """SHA-256 of each of its files, "" for one that could not be read; empty: an earlier version of fer-batch has not
    written them down."""
    software: Software | None = None
    """What computed it; None: an earlier version of fer-batch has not written it down."""


@dataclass(frozen=True)
class Study:
    """A run's sources beside those that an output folder holds."""

    found: FoundMedia
    """What the run is about; its sources have the names that they have in the folder."""
    kept: tuple[Kept, ...] = ()
    """What the folder holds of sources that the run is not about."""
    moved: Mapping[str, Path] = field(default_factory=dict)
    """Where sources of the folder are now that were elsewhere before, by their names."""
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The options that sources of the run were analysed with before, by their names, where they have a timeline."""
    removed: tuple[str, ...] = ()
    """Names of sources of the folder that the run takes out, as it was asked to."""

    def everything_with(self, sources: Iterable[Source]) -> FoundMedia:
        """The run's sources and those that are kept; and of these ``sources`` those that are neither."""
        own = [*self.found.sources, *(kept.result.source for kept in self.kept)]
        names = {source.name for source in own}
        return replace(self.found, sources=(*own, *(source for source in sources if source.name not in names)))


def write_result(
    folder: Path,
    result: SourceResult,
    options: Mapping[str, Any],
    contents: Sequence[str] = (),
    software: Software | None = None,
) -> None:
    """Write down what became of a source; ``contents`` are the SHA-256 of its files, ``software`` computed it.

    Raises:
        OutputError: it cannot be written.
    """
    source = result.source
    place, state = _place(_location(source), folder), _state(source)
    write_kept(folder, Kept(_without_folders(result), options, place, state, tuple(contents), software))


def write_kept(folder: Path, kept: Kept) -> None:
    """Write down what became of a source in an earlier run.

    Raises:
        OutputError: it cannot be written.
    """
    value = {
        "version": VERSION,
        "place": kept.place,
        "state": kept.state,
        "options": kept.options,
        "contents": list(kept.contents),
        "software": to_plain(kept.software),
        "result": to_plain(kept.result),
    }
    write_json(_path(folder, kept.result.source), value)


def read_study(folder: Path, found: FoundMedia, options: Mapping[str, Any], *, anew: bool = False) -> Study:
    """Put the sources that were found beside those that the folder holds.

    A source is the same if it is in the same place; or, where nothing is found in that place, if its files have the
    same sizes and modification times. Where all sources of the folder are found, they get the names that they would
    have in a new one. Else sources of the folder keep their names, and new ones get longer names where theirs is taken.
    Of a folder of photos, those count too that an earlier run was given, if they still exist. With ``anew`` only what
    was found counts.

    Raises:
        OutputRefused: a source that is kept was analysed with other options, or by a version of fer-batch whose results
            cannot be added to.
    """
    results = read_results(folder)
    same = _same(found.sources, results, folder)
    again = {id(kept) for kept in same.values()}
    left = tuple(kept for kept in results if id(kept) not in again)
    if anew:
        return Study(found, earlier=_options(same), removed=tuple(kept.result.source.name for kept in left))
    _refuse_unknown(folder, results, found)
    found = replace(found, sources=tuple(_with_known_photos(source, same.get(source)) for source in found.sources))
    if not left:
        return Study(found, earlier=_options(same))
    _refuse_other_options(folder, left, options)
    same = _same(found.sources, results, folder)
    taken = {folded(kept.result.source.name) for kept in results}
    sources = []
    for source in found.sources:
        name = same[source].result.source.name if source in same else _free_name(source, taken)
        taken.add(folded(name))
        sources.append(source if name == source.name else renamed(source, name))
    moved = {
        kept.result.source.name: _location(source)
        for source, kept in same.items()
        if _place(_location(source), folder) != kept.place
    }
    found = replace(found, sources=tuple(sources))
    return Study(found, left, moved, _options(_same(found.sources, results, folder)))


def read_whole(folder: Path) -> list[Kept]:
    """All that an output folder holds, in the order of the sources' names.

    Raises:
        OutputRefused: it holds results by a version of fer-batch that cannot be read.
    """
    results = read_results(folder)
    known = {kept.result.source.name for kept in results}
    lacking = [name for name in _names_in_run(folder) if name not in known]
    if lacking:
        raise OutputRefused(
            f"{folder} holds results of {_some(lacking)}, written by another version of fer-batch. Run "
            "`fer-batch analyze` there again."
        )
    return results


def moved(kept: Kept, place: Path, folder: Path) -> Kept:
    """What became of a source that lies in this place, for another output folder."""
    return replace(kept, place=_place(place, folder))


def equal(one: Kept, other: Kept) -> bool:
    """Whether they hold the same results of the same contents; dates of its files may differ between machines."""
    return set(one.contents) == set(other.contents) and bool(to_plain(one.result) == to_plain(other.result))


def sweep(folder: Path, sources: Iterable[Source]) -> None:
    """Remove what the folder holds of other sources than these.

    Raises:
        OutputError: it cannot be removed.
    """
    outfolder.sweep(folder / FOLDER, keep=(_path(folder, source) for source in sources))


def read_results(folder: Path) -> list[Kept]:
    """What the files in an output folder hold, by the names of the sources; those that cannot be read are left out."""
    paths = sorted((folder / FOLDER).rglob("*.json"))
    found = [kept for path in paths if (kept := _read_kept(path)) is not None]
    return sorted(found, key=lambda kept: natural(kept.result.source.name))


def read_files(folder: Path, sources: Iterable[Source]) -> Iterator[tuple[str, str, str]]:
    """The files of sources of which the folder holds results: of each its source, its name and its SHA-256."""
    for source in sources:
        kept = _read_kept(_path(folder, source))
        if kept is not None:
            for file, digest in zip_longest(kept.result.source.files, kept.contents, fillvalue=""):
                yield source.name, str(file), str(digest)


def _read_kept(path: Path) -> Kept | None:
    """What a file holds of a source; None: it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["version"] != VERSION:
            return None
        contents = Texts(value.get("contents", ()))
        result = from_plain(SourceResult, value["result"])
        software = from_plain(Software | None, value.get("software"))
        return Kept(result, value["options"], value["place"], value["state"], contents, software)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _refuse_unknown(folder: Path, results: Sequence[Kept], found: FoundMedia) -> None:
    """Refuse a folder with a timeline of which nothing is known but its name, unless the run writes it anew."""
    known = {kept.result.source.name for kept in results} | {source.name for source in found.sources}
    lacking = [name for name in _names_in_run(folder) if name not in known]
    if lacking:
        raise OutputRefused(
            f"{folder} holds results of {_some(lacking)}, written by another version of fer-batch, which this run "
            f"cannot keep. Give all inputs again, {_OTHERWISE}"
        )


def _with_known_photos(source: Source, kept: Kept | None) -> Source:
    """A folder of photos with those that an earlier run was given, if they still exist."""
    if kept is None or not source.in_photo_files:
        return source
    known = (_location(source) / file.name for file in kept.result.source.files)
    found = set(source.files)
    more = [file for file in known if file not in found and os.path.isfile(file)]
    return (
        replace(source, files=tuple(sorted({*found, *more}, key=lambda file: natural(file.name)))) if more else source
    )


def _same(sources: Sequence[Source], results: Sequence[Kept], folder: Path) -> dict[Source, Kept]:
    """The source of the folder that each source is, if it is one."""
    by_place = {(kept.result.source.kind, kept.place): kept for kept in results}
    same = {}
    for source in sources:
        kept = by_place.get((source.kind, _place(_location(source), folder)))
        if kept is not None:
            same[source] = kept
    taken = {id(kept) for kept in same.values()}
    by_state = {(kept.result.source.kind, kept.state): kept for kept in results if id(kept) not in taken}
    for source in sources:
        if source not in same and (kept := by_state.pop((source.kind, _state(source)), None)) is not None:
            same[source] = kept
    return same


def _options(same: Mapping[Source, Kept]) -> dict[str, Mapping[str, Any]]:
    return {source.name: kept.options for source, kept in same.items() if kept.result.outcome is not None}


def _free_name(source: Source, taken: set[str]) -> str:
    """The source's name, extended by its parent folders until no other source has it."""
    parts = _location(source).absolute().parts[1:]
    for length in range(source.name.count("/") + 1, len(parts) + 1):
        name = source.name if length == source.name.count("/") + 1 else "/".join(parts[-length:])
        if folded(name) not in taken:
            return name
    return next(new for number in range(2, len(taken) + 3) if folded(new := f"{source.name}~{number}") not in taken)


def _refuse_other_options(folder: Path, left: Sequence[Kept], options: Mapping[str, Any]) -> None:
    new = json.loads(json.dumps(options))
    for kept in left:
        differing = apart(kept.options, new)
        if differing is not None and kept.result.outcome is not None:  # what could not be read has no numbers
            then, now = differing
            others = [other.result.source.name for other in left if other.options == kept.options]
            raise OutputRefused(
                f"{folder} holds {_some(others)}, not among the inputs and analysed with {then}; this run has {now}. "
                "Results of unlike options cannot stand beside each other. Give all inputs again, take the same "
                f"options, {_OTHERWISE}"
            )


def apart(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str] | None:
    """The options in which two results differ, as each had them, in words; None: in nothing."""
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    if not names:
        return None
    first, second = (", ".join(_option(name, made.get(name)) for name in names) for made in (then, now))
    return first, second


def _option(name: str, value: Any) -> str:
    """An option and its value, as on the command line."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return f"no {option}"
    if isinstance(value, list):
        value = ("," if name == "region" else "-").join(f"{number:g}" for number in value)
    return option if value is True else f"{option} {value}"


def title_of(folder: Path) -> str | None:
    """The title that the study was given in an earlier run; None: it has none."""
    title = _earlier_run(folder).get("title")
    return title if isinstance(title, str) else None


def _names_in_run(folder: Path) -> list[str]:
    """The sources that have a timeline, as run.json says."""
    try:
        return [str(source["name"]) for source in _earlier_run(folder)["sources"]]
    except (TypeError, KeyError):
        return []


def _earlier_run(folder: Path) -> Mapping[str, Any]:
    """What run.json says; empty: there is none, or it is damaged."""
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _without_folders(result: SourceResult) -> SourceResult:
    """The result with the names of files instead of their paths."""
    bare = replace(result.source, files=tuple(Path(legible_name(file)) for file in result.source.files))
    return replace(result, source=bare, outcome=result.outcome and replace(result.outcome, source=bare))


def _path(folder: Path, source: Source) -> Path:
    return folder / FOLDER / f"{source.output}.json"


def _location(source: Source) -> Path:
    return source.files[0].parent if source.in_photo_files else source.files[0]


def _place(location: Path, folder: Path) -> str:
    if is_remote(location):
        return hashlib.sha256(os.fsencode(location)).hexdigest()
    place = str(location.absolute())
    if not is_mirror(folder):
        with suppress(ValueError):  # on another drive
            place = os.path.relpath(place, folder.absolute())
    return hashlib.sha256(os.fsencode(place)).hexdigest()


def _state(source: Source) -> str:
    digest = hashlib.sha256()
    for file in source.files:
        try:
            status = file.stat()
        except OSError:
            continue
        name = os.fsencode(file.name) if source.in_photo_files else b""
        digest.update(b"%s %d %d\n" % (name, status.st_size, status.st_mtime_ns))
    return digest.hexdigest()
