"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fer_batch.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file to write, which takes ``path``'s place only when the block ends well.

    Raises:
        OutputError: the file cannot be written.
    """
    with replacing_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, indented, as UTF-8.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing_path(path) as part:
        part.write_bytes(content)


@contextmanager
def replacing_path(path: Path) -> Iterator[Path]:
    """A sibling to write, which takes ``path``'s place when the block ends well.

    Raises:
        OutputError: the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        if error.errno is None:  # not from the file system: what fills the file went wrong
            raise
        raise OutputError(
            f"Cannot write {path}: {error.strerror}. Free some space, or choose another --out."
        ) from error
    finally:
        with suppress(OSError):  # a folder that is not there was told above
            part.unlink(missing_ok=True)
