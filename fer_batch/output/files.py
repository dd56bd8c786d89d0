"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fer_batch.errors import OutputError


@contextmanager
def replacing_path(
    path: Path, suffix: str = "", advice: str = "Free some space, or choose another --out."
) -> Iterator[Path]:
    """A path beside ``path`` to write a file to, which takes ``path``'s place when the block ends without an error.

    ``suffix`` takes the place of ``path``'s own in its name, for writers that demand a certain one.

    Raises:
        OutputError: the file cannot be written; ``path`` is left as it was. The message ends with ``advice``.
    """
    part = path.with_suffix(suffix or f"{path.suffix}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}. {advice}") from error
    finally:
        with suppress(OSError):  # the folder may be missing: then an OutputError is on its way
            part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file (UTF-8) to write, which takes ``path``'s place when the block ends without an error.

    Raises:
        OutputError: the file cannot be written; ``path`` is left as it was.
    """
    with replacing_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
    """
    with replacing_path(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, indented, as UTF-8.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
        ValueError: a number in it is NaN or infinite.
    """
    with replacing(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
