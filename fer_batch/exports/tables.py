"""The tables that are there, for formats that hold them all."""

from collections.abc import Iterator

from fer_batch.output.results import Results
from fer_batch.output.schema import ERRORS_TABLE, OPTIONAL, SUMMARY_TABLE, Table


def tables(results: Results) -> Iterator[Table]:
    """Every table of the output folder but for the timelines."""
    return (table for table in (SUMMARY_TABLE, *OPTIONAL, ERRORS_TABLE) if (results.folder / table.path).is_file())
