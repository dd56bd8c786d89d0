"""Reads an output folder: run.json, the tables and where the media are."""

import json
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_batch.errors import UsageError
from fer_batch.options import ReportOptions
from fer_batch.output.csv import present, read_table
from fer_batch.output.media_links import read_media
from fer_batch.output.schema import ERRORS, OPTIONAL, SUMMARY, TIMELINE, WIDEST, Column
from fer_batch.types import Severity

if TYPE_CHECKING:
    import pandas as pd


VIDEO_TABLES = ("episodes.csv", "events.csv", "summary_by_event.csv")
"""Tables about videos that not every run writes."""

MODEL_CARD = "model-card.md"
"""The emotion model's card, which a run copies from beside the model, if there is one."""

MODEL_METRICS = "model-metrics.json"
"""Every figure that was measured with the emotion model, which a run copies likewise."""


@dataclass(frozen=True)
class ErrorLine:
    """One line of errors.csv."""

    file: str
    reason: str
    severity: Severity

    @property
    def is_note(self) -> bool:
        """Whether nothing is missing because of it."""
        return self.severity is Severity.NOTE


@dataclass(frozen=True)
class Results:
    """What is in an output folder, but for the timelines, which are read one at a time."""

    folder: Path
    run: Mapping[str, Any]
    summary: "pd.DataFrame"
    errors: "pd.DataFrame"
    episodes: "pd.DataFrame"
    """Empty if there is no episodes.csv; the next two likewise."""
    events: "pd.DataFrame"
    by_event: "pd.DataFrame"
    media: Mapping[str, Path]
    """Paths of the videos and folders of photos that exist, by the source's name."""
    report_options: ReportOptions

    @classmethod
    def read(cls, folder: Path, report_options: ReportOptions | None = None) -> "Results":
        """Read run.json, the tables but for the timelines, and where the media are.

        Raises:
            UsageError: one of them is missing or damaged.
        """
        path = folder / "run.json"
        if not path.is_file():
            raise UsageError(
                f"{folder} holds no run.json, so there is nothing to report. "
                f"Run `fer-batch analyze INPUT... --out {folder}` first."
            )
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{path} is damaged ({error}). Run `fer-batch analyze` again.") from error
        if not isinstance(run, dict) or not {"fer_batch", "sources"} <= run.keys():
            raise UsageError(f"{path} is damaged (it names no sources). Run `fer-batch analyze` again.")
        summary = _table(folder, "summary.csv", SUMMARY)
        errors = _table(folder, "errors.csv", ERRORS)
        episodes, events, by_event = (_optional(folder, path) for path in VIDEO_TABLES)
        results = cls(
            folder,
            run,
            summary,
            errors,
            episodes,
            events,
            by_event,
            read_media(folder),
            report_options or ReportOptions(),
        )
        for source in results.sources:
            # run.json decides where pages are written: never outside the folder.
            for inside in (source["timeline"], source["output"]):
                if posixpath.isabs(inside) or ".." in re.split(r"[/\\]", inside):
                    raise UsageError(
                        f"{path} names a file outside its folder: {inside}. Run `fer-batch analyze` again."
                    )
        return results

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """The sources that have a timeline, as run.json describes them."""
        return [source for source in self.run["sources"] if source.get("timeline")]

    def timeline(self, source: Mapping[str, Any], only: Collection[str] | None = None) -> "pd.DataFrame":
        """A source's timeline, with ``only`` these columns if given.

        Raises:
            UsageError: it is missing or damaged.
        """
        return _table(self.folder, source["timeline"], TIMELINE, WIDEST, only)

    def summary_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The source's rows of summary.csv."""
        own = (self.summary["file"] == source["name"]) & (self.summary["kind"] == source["kind"])
        rows: pd.DataFrame = self.summary[own]
        return rows

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured with the model; empty where that is not known.

        Raises:
            UsageError: the file is damaged.
        """
        path = self.folder / MODEL_METRICS
        try:
            metrics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except ValueError as error:
            raise UsageError(f"{path} is damaged ({error}). Run `fer-batch analyze` again.") from error
        return metrics if isinstance(metrics, dict) else {}

    def episodes_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The video's rows of episodes.csv."""
        return _about(self.episodes, source)

    def events_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The video's rows of events.csv, in order of time."""
        return _about(self.events, source).sort_values(["start", "stop"])

    def by_event_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The video's rows of summary_by_event.csv."""
        return _about(self.by_event, source)

    def optional(self, name: str) -> "pd.DataFrame":
        """One of schema.OPTIONAL by its path; empty if the run did not write it.

        Raises:
            UsageError: it is damaged.
        """
        return _optional(self.folder, name)

    @cached_property
    def lines(self) -> tuple[ErrorLine, ...]:
        """Every line of errors.csv.

        Raises:
            UsageError: one has no severity that is known.
        """
        rows = self.errors[["file", "reason", "severity"]].itertuples(index=False)
        try:
            return tuple(ErrorLine(str(file), anonymous(str(reason)), Severity(kind)) for file, reason, kind in rows)
        except ValueError as error:
            raise UsageError(
                f"{self.folder / 'errors.csv'} is damaged: {error}. Run `fer-batch analyze` again."
            ) from error

    def lines_of(self, source: Mapping[str, Any]) -> tuple[ErrorLine, ...]:
        """The lines of errors.csv about a source and its photos."""
        return tuple(self._lines_by_source.get(source["name"], ()))

    @cached_property
    def _lines_by_source(self) -> Mapping[str, Sequence[ErrorLine]]:
        """Lines by the name of their source; a file in nested folders belongs to the innermost one."""
        names = {source["name"] for source in self.sources}
        found: dict[str, list[ErrorLine]] = {}
        for line in self.lines:
            owner = line.file
            while owner and owner not in names:
                owner = owner.rpartition("/")[0]
            found.setdefault(owner, []).append(line)
        return found


def anonymous(text: str) -> str:
    """The text without the folders of absolute paths: a library's error message may hold the user's name."""
    folders = r"""(?<![\w./\\])(?:file://|~|[A-Za-z]:|\\)?[\\/](?=\S)(?:[^\\/:*?"'<>|\r\n]+[\\/])+"""
    return re.sub(folders, "", text)


def _about(table: "pd.DataFrame", source: Mapping[str, Any]) -> "pd.DataFrame":
    rows: pd.DataFrame = table[table["file"] == source["name"]]
    return rows


def _optional(folder: Path, name: str) -> "pd.DataFrame":
    """One of schema.OPTIONAL by its path; empty if it is missing."""
    import pandas as pd

    columns = next(table.columns for table in OPTIONAL if table.path == name)
    if (folder / name).is_file():
        return _table(folder, name, [], columns)
    return pd.DataFrame({column.name: [] for column in columns})


def _table(
    folder: Path,
    name: str,
    columns: Sequence[Column],
    widest: Sequence[Column] | None = None,
    only: Collection[str] | None = None,
) -> "pd.DataFrame":
    """A table that must have ``columns`` and may have those of ``widest``; with ``only`` these if given."""
    try:
        table = read_table(folder / name, widest or columns, only)
        there = present(folder / name, columns)
    except FileNotFoundError as error:
        raise UsageError(f"{folder / name} is missing. Run `fer-batch analyze` again on the same --out.") from error
    except (ValueError, KeyError) as error:
        raise UsageError(f"{folder / name} is damaged: {error}. Run `fer-batch analyze` again.") from error
    missing = [column.name for column in columns if column not in there]
    if missing:
        raise UsageError(f"{folder / name} lacks the columns {', '.join(missing)}. Run `fer-batch analyze` again.")
    return table
