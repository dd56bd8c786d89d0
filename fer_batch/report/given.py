"""people.csv and events.csv as the run was given them, for pages on which names are changed and events are added."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fer_batch.annotations import events, people, user_csv
from fer_batch.annotations.targets import Target, Targets
from fer_batch.media.sources import FoundMedia
from fer_batch.output.results import Results
from fer_batch.report.charts.script_data import as_json
from fer_batch.types import Kind, Source

NUMBERS = frozenset(("face_id", *people.ANCHOR, "start", "stop", "offset", "seconds"))
"""Columns that may have a decimal comma."""

_READERS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "people": (people.REQUIRED, (*people.OPTIONAL, *people.ANCHOR, people.MADE_WITH, *people.DESCRIBING)),
    "events": (events.REQUIRED, (*events.OPTIONAL, *events.DESCRIBING)),
}


def given(results: Results) -> str:
    """The lines of the two files as JSON, by "people" and "events"; empty: the run had neither.

    Each line has its fields by column, without empty ones, and ``at``: the video, or the folder and the photo, that it
    is about, as the tables name it.

    Raises:
        UsageError: a copy in the output folder is damaged.
    """
    copies = {name: results.folder / copy["copy"] for name, copy in results.run.get("inputs", {}).items()}
    if not any(path.is_file() for path in copies.values()):
        return ""
    targets = Targets(media_of(results))
    return as_json({name: list(_lines(path, name, targets)) for name, path in copies.items() if path.is_file()})


def media_of(results: Results) -> FoundMedia:
    """The sources of an output folder, without the folders of their files."""
    found = []
    for source in results.sources:
        kind = Kind(source["kind"])
        files = [source["name"]] if kind is Kind.VIDEO else results.timeline(source, ["file"])["file"].unique()
        found.append(Source(kind, source["name"], tuple(map(Path, files)), source["output"]))
    return FoundMedia(tuple(found), (), ())


def _lines(path: Path, name: str, targets: Targets) -> Iterator[dict[str, str]]:
    for line in user_csv.read(path, *_READERS[name]):
        fields = {column: value for column, value in line.values.items() if value}
        if line.decimal_comma:
            fields |= {column: fields[column].replace(",", ".") for column in fields.keys() & NUMBERS}
        target = targets.find(fields.get("file", ""))
        yield fields | ({"at": _name(target)} if target else {})


def _name(target: Target) -> str:
    return f"{target.source}/{target.photo}" if target.photo else target.source
