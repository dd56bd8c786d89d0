"""The tables that are there, for formats that hold them all."""

from collections.abc import Iterator

from fer_batch.output.results import Results
from fer_batch.output.schema import ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY_TABLE, Table


def tables(results: Results) -> Iterator[Table]:
    """Every table of the output folder but for the timelines."""
    known = (SUMMARY_TABLE, *OPTIONAL, ERRORS_TABLE, FILES_TABLE)
    return (table for table in known if (results.folder / table.path).is_file())
