"""The tables that are there, for formats that hold them all."""

from collections.abc import Iterator

from fer_batch.output.csv import present
from fer_batch.output.results import Results
from fer_batch.output.schema import ERRORS_TABLE, OPTIONAL, SUMMARY_TABLE, WIDEST, Column, Table

SOURCE = Column("source", "string", "Name of the video or of the folder of photos, as in summary.csv's column file.")
"""Comes before the columns of timelines where those of all sources are one table."""


def tables(results: Results) -> Iterator[Table]:
    """Every table of the output folder but for the timelines."""
    return (table for table in (SUMMARY_TABLE, *OPTIONAL, ERRORS_TABLE) if (results.folder / table.path).is_file())


def timeline_columns(results: Results) -> list[Column]:
    """SOURCE, and every column that any timeline has."""
    paths = [results.folder / source["timeline"] for source in results.sources]
    known = {column.name for path in paths for column in present(path, WIDEST)}
    return [SOURCE, *(column for column in WIDEST if column.name in known)]
