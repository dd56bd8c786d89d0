"""Parquet: the timelines as one data set, a file for each source, and every other table as a file."""

from pathlib import Path

from fer_batch.exports.tables import tables
from fer_batch.output.csv import present
from fer_batch.output.parquet import write_parquet, write_timelines
from fer_batch.output.results import Results


def write(results: Results, folder: Path) -> None:
    """Write timelines/….parquet, which all have the same columns, and a file for every other table."""
    for table in tables(results):
        path = results.folder / table.path
        write_parquet(path, (folder / table.path).with_suffix(".parquet"), present(path, table.columns))
    write_timelines(results, folder / "timelines")
