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
from fer_batch.output.csv import owner, present, read_table
from fer_batch.output.folder import is_url
from fer_batch.output.media_links import read_media
from fer_batch.output.schema import ERRORS, OPTIONAL, SUMMARY, TIMELINE, WIDEST, Column, Table
from fer_batch.types import Kind, Severity, Skipped

if TYPE_CHECKING:
    import pandas as pd


MODEL_CARD = "model-card.md"
"""The emotion model's card, which a run copies from beside the model, if there is one."""

MODEL_METRICS = "model-metrics.json"
"""Every figure that was measured with the emotion model, which a run copies likewise."""


@dataclass(frozen=True)
class Results:
    """What is in an output folder, but for the timelines, which are read one at a time."""

    folder: Path
    run: Mapping[str, Any]
    summary: "pd.DataFrame"
    errors: "pd.DataFrame"
    optional: Mapping[str, "pd.DataFrame"]
    """Those of schema.OPTIONAL by their paths; empty where the run did not write one."""
    media: Mapping[str, Path]
    """Paths of the videos and folders of photos that exist, by the source's name."""
    report_options: ReportOptions

    @classmethod
    def read(cls, folder: Path, report_options: ReportOptions | None = None) -> "Results":
        """Read run.json, the tables but for the timelines, and where the media are.

        Raises:
            UsageError: one of them is missing or damaged.
        """
        run = read_run(folder)
        summary, errors = _table(folder, "summary.csv", SUMMARY), _table(folder, "errors.csv", ERRORS)
        optional = {table.path: _optional(folder, table) for table in OPTIONAL}
        results = cls(folder, run, summary, errors, optional, read_media(folder), report_options or ReportOptions())
        for source in results.sources:
            # run.json decides where pages are written: never outside the folder.
            for inside in (source["timeline"], source["output"]):
                if posixpath.isabs(inside) or ".." in re.split(r"[/\\]", inside):
                    raise UsageError(
                        f"{folder / 'run.json'} names a file outside its folder: {inside}. "
                        "Run `fer-batch analyze` again."
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

    @property
    def timeline_columns(self) -> list[Column]:
        """Every column that any timeline has."""
        paths = [self.folder / source["timeline"] for source in self.sources]
        known = {column.name for path in paths for column in present(path, WIDEST)}
        return [column for column in WIDEST if column.name in known]

    def summary_of(self, source: Mapping[str, Any]) -> "pd.DataFrame":
        """The source's rows of summary.csv."""
        return self.summary[self.summary["file"].eq(source["name"]) & self.summary["kind"].eq(source["kind"])]

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured with the model; empty where that is not known.

        Raises:
            UsageError: the file is damaged.
        """
        path = self.folder / MODEL_METRICS
        metrics = _read_json(path) if path.is_file() else {}
        return metrics if isinstance(metrics, dict) else {}

    @property
    def timed(self) -> "pd.DataFrame":
        """The rows of summary.csv about videos with timestamps."""
        return self.summary[(self.summary["kind"] == Kind.VIDEO) & (self.summary["seconds_visible"] > 0)]

    def of_video(self, table: str, source: Mapping[str, Any]) -> "pd.DataFrame":
        """A video's rows of an optional table, in order of time."""
        rows = self.optional[table]
        return rows[rows["file"].eq(source["name"])].sort_values(["start", "stop"])

    @property
    def view(self) -> str:
        """The model's view that the tables show."""
        return str(self.run.get("options", {}).get("view", ""))

    @cached_property
    def lines(self) -> tuple[Skipped, ...]:
        """Every line of errors.csv.

        Raises:
            UsageError: one has no severity that is known.
        """
        rows = self.errors[["file", "reason", "severity"]].itertuples(index=False)
        try:
            return tuple(Skipped(str(file), anonymous(str(reason)), Severity(kind)) for file, reason, kind in rows)
        except ValueError as error:
            raise UsageError(
                f"{self.folder / 'errors.csv'} is damaged: {error}. Run `fer-batch analyze` again."
            ) from error

    def lines_of(self, source: Mapping[str, Any]) -> tuple[Skipped, ...]:
        """The lines of errors.csv about a source and its photos."""
        return tuple(self._lines_by_source.get(source["name"], ()))

    @cached_property
    def _lines_by_source(self) -> Mapping[str, Sequence[Skipped]]:
        """Lines by the name of their source; a file in nested folders belongs to the innermost one."""
        names = {source["name"] for source in self.sources}
        found: dict[str, list[Skipped]] = {}
        for line in self.lines:
            found.setdefault(owner(line.file, names), []).append(line)
        return found


def read_run(folder: Path) -> Mapping[str, Any]:
    """The run.json of an output folder.

    Raises:
        UsageError: it is missing or damaged.
    """
    path = folder / "run.json"
    if is_url(folder):
        raise UsageError(f"{folder} is a URL. Copy what is there into a folder first, by `aws s3 sync` or the like.")
    if not path.is_file():
        raise UsageError(
            f"{folder} holds no run.json, so it is no output folder of fer-batch. "
            "Name the folder that `fer-batch analyze` wrote, in which the index.html is that it printed."
        )
    run = _read_json(path)
    if not isinstance(run, dict) or not {"fer_batch", "sources"} <= run.keys():
        raise UsageError(f"{path} is damaged (it names no sources). Run `fer-batch analyze` again.")
    return run


def summed_up(timeline: "pd.DataFrame") -> "pd.Series[bool]":
    """Which rows of a timeline are in summaries, episodes and means: its column ``left_out`` says which are not."""
    return timeline["success"] & (timeline["left_out"] == "")


def anonymous(text: str) -> str:
    """The text without the folders of absolute paths: a library's error message may hold the user's name."""
    folders = r"""(?<![\w./\\])(?:file://|~|[A-Za-z]:|\\)?[\\/](?=\S)(?:[^\\/:*?"'<>|\r\n]+[\\/])+"""
    return re.sub(folders, "", text)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is damaged ({error}). Run `fer-batch analyze` again.") from error


def _optional(folder: Path, table: Table) -> "pd.DataFrame":
    """The table; empty if it is missing."""
    import pandas as pd

    if (folder / table.path).is_file():
        return _table(folder, table.path, [], table.columns)
    return pd.DataFrame(columns=[column.name for column in table.columns])


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
