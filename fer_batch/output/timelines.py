"""All timelines of an output folder as one table."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_batch.output.csv import with_missing
from fer_batch.output.results import Results

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.dataset

PARQUET = "timelines.parquet"
"""The folder of ``--parquet``: a file for each timeline, all with the same columns."""


def read_timelines(folder: str | os.PathLike[str]) -> "pd.DataFrame":
    """The timelines of an output folder, one below the other, typed like those of :func:`fer_batch.read_timeline`.

    The column ``source`` tells them apart, and joins with the other tables. What only some of them have, such as
    smoothed shares, is missing in the rows of the others.

    Raises:
        UsageError: the folder is no output folder, or a table in it is damaged.
    """
    import pandas as pd

    results = Results.read(Path(folder))
    missing: dict[str, Any] = {"string": "", "integer": pd.NA, "number": float("nan")}
    types = {"string": "str", "integer": "Int64", "number": "float64"}
    columns = results.timeline_columns
    parts = []
    for source in results.sources:
        part = results.timeline(source)
        for column in columns:
            if column.name not in part:
                values = [missing[column.type]] * len(part)
                part[column.name] = pd.Series(values, part.index, types[column.type])
        parts.append(part[[column.name for column in columns]])
    return with_missing(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame()


def scan_timelines(folder: str | os.PathLike[str]) -> "pyarrow.dataset.Dataset":
    """The same as a data set of Apache Arrow, of which nothing is read before it is asked for; what is empty is null.

    Of ``timelines.parquet``, where the run has written it, else of the CSV files. Polars takes it by
    ``polars.scan_pyarrow_dataset``, DuckDB by its name in a query.

    Raises:
        UsageError: the folder is no output folder, or a table in it is damaged.
    """
    from pyarrow import dataset

    from fer_batch.output import parquet

    results = Results.read(Path(folder))
    schema = parquet.schema_of(results.timeline_columns)
    files = [results.folder / PARQUET / f"{source['output']}.parquet" for source in results.sources]
    if all(file.is_file() for file in files):
        return dataset.dataset(list(map(str, files)), schema, format="parquet")
    text = dataset.CsvFileFormat(parquet.PARSING, convert_options=parquet.converted(schema))
    return dataset.dataset(
        [str(results.folder / source["timeline"]) for source in results.sources], schema, format=text
    )
