"""Tables as Parquet files, made of CSV files part by part: memory does not grow with their length.

Each column carries its meaning and unit in its metadata. An empty field is null.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from fer_batch.errors import UsageError
from fer_batch.output.csv import present
from fer_batch.output.files import replacing_path
from fer_batch.output.results import Results
from fer_batch.output.schema import Column

BLOCK_BYTES = 2**20
"""Of a CSV file that are read at a time: about 6,000 rows of a timeline, which become a row group. Dozens of blocks are
read ahead, which take up to 50 MB of memory, however long the file is."""

PARSING = pc.ParseOptions(newlines_in_values=True)

TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


def write_parquet(table: Path, path: Path, columns: Sequence[Column]) -> None:
    """Write a table of an output folder, a CSV file, as Parquet with these columns; those that it lacks are null.

    Raises:
        UsageError: the table is damaged.
        OutputError: the file cannot be written; the path is left as it was.
    """
    schema = schema_of(columns)
    try:
        there = {column.name for column in present(table, columns)}
        converting = converted([field for field in schema if field.name in there])
        with (
            replacing_path(path) as part,
            pc.open_csv(table, pc.ReadOptions(block_size=BLOCK_BYTES), PARSING, converting) as rows,
            pq.ParquetWriter(part, schema, compression="zstd") as file,
        ):
            for block in rows:
                values = (
                    block[field.name] if field.name in there else pa.nulls(len(block), field.type) for field in schema
                )
                file.write_batch(pa.RecordBatch.from_arrays(list(values), schema=schema))
    except ValueError as error:
        raise UsageError(f"{table} is damaged: {error}. Run `fer-batch analyze` again.") from error


def write_timelines(results: Results, folder: Path) -> list[Path]:
    """Write every timeline as Parquet, all with the same columns, into a folder; returns the paths.

    Raises:
        UsageError: a timeline is damaged.
        OutputError: a file cannot be written.
    """
    columns, paths = results.timeline_columns, []
    for source in results.sources:
        paths.append(folder / f"{source['output']}.parquet")
        write_parquet(results.folder / source["timeline"], paths[-1], columns)
    return paths


def schema_of(columns: Iterable[Column]) -> pa.Schema:
    """The columns' types, meanings and units."""
    return pa.schema([pa.field(column.name, TYPES[column.type], metadata=_described(column)) for column in columns])


def converted(fields: Iterable[pa.Field]) -> pc.ConvertOptions:
    """How fields of a CSV file become values: only an empty one is null."""
    types = {field.name: field.type for field in fields}
    return pc.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        true_values=["1"],
        false_values=["0"],
    )


def _described(column: Column) -> dict[str, str]:
    return {"description": column.meaning} | ({"unit": column.unit} if column.unit else {})
