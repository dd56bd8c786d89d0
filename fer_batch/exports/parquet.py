"""Parquet: the timelines as one data set, a file for each source, and every other table as a file.

Each column carries its meaning and unit in its metadata. An empty field is null.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fer_batch.exports.tables import tables, timeline_columns
from fer_batch.output.csv import present, read_table
from fer_batch.output.results import Results
from fer_batch.output.schema import Column

TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


def write(results: Results, folder: Path) -> None:
    """Write timelines/….parquet, which all have the same columns, and a file for every other table."""
    for table in tables(results):
        columns = present(results.folder / table.path, table.columns)
        rows = read_table(results.folder / table.path, columns)
        _write(rows, columns, (folder / table.path).with_suffix(".parquet"))
    columns = timeline_columns(results)
    for source in results.sources:
        rows = results.timeline(source).assign(source=source["name"])
        _write(rows, columns, folder / "timelines" / f"{source['output']}.parquet")


def _write(rows: pd.DataFrame, columns: Sequence[Column], path: Path) -> None:
    """Write a table; a column that ``rows`` lacks is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([pa.field(column.name, TYPES[column.type], metadata=_described(column)) for column in columns])
    arrays = [_array(rows, column) for column in columns]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def _array(rows: pd.DataFrame, column: Column) -> pa.Array:
    if column.name not in rows:
        return pa.nulls(len(rows), TYPES[column.type])
    values = rows[column.name]
    if column.type == "string":
        return pa.array(values.to_numpy(object), TYPES[column.type], mask=values.eq("").to_numpy(bool))
    return pa.array(values, TYPES[column.type], from_pandas=True)


def _described(column: Column) -> dict[str, str]:
    return {"description": column.meaning} | ({"unit": column.unit} if column.unit else {})
