"""What the commands of ``python -m training`` share: their arguments, reading the data, and errors in one line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_batch.errors import ExitCode, FerBatchError, UsageError

if TYPE_CHECKING:
    from training.fer2013 import Split

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="fer2013.csv with FER+'s fer2013new.csv beside it, or a folder: of both, of parquet, of train/ and test/.",
    ),
]
Others = Annotated[
    Path,
    typer.Argument(
        metavar="OTHERS",
        show_default=False,
        help="Faces of other people in one of the shapes of DATA: the rows of PrivateTest there.",
    ),
]
Model = Annotated[
    Path | None, typer.Option(show_default=False, help="A file that fit wrote; if left out, the shipped model.")
]
Json = Annotated[Path | None, typer.Option("--json", show_default=False, help="Also write every figure to this file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", show_default=False, help="Any setting of config.py; may be repeated."),
]
Limit = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Only the first rows of each split: for trying.")
]


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Print an error of ours as a line on stderr, and exit with status 2; other errors pass through."""
    try:
        yield
    except FerBatchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(ExitCode.USAGE) from None


def read_splits(data: Path, needed: Sequence[str], limit: int | None = None) -> "dict[str, Split]":
    """The splits of the data set, by name; with ``limit`` only the first rows of each.

    Raises:
        DataError: the data cannot be read.
        UsageError: a split of ``needed`` is missing.
    """
    from training import fer2013

    splits = fer2013.read_data_set(data)
    for name in needed:
        if name not in splits:
            raise UsageError(f"{data} holds no rows of {name}, which this needs.")
    return splits if limit is None else {name: split.head(limit) for name, split in splits.items()}
