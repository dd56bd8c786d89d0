"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from fer_batch.errors import OutputError, why

FREE_SPACE = "Free some space, or write to another place."


def cannot_write(path: Path, error: OSError, advice: str = FREE_SPACE) -> OutputError:
    """The error that tells why a file cannot be written, and what to do."""
    return OutputError(f"Cannot write {path}: {why(error)}. {advice}")


@contextmanager
def replacing_path(path: Path, suffix: str = "", advice: str = FREE_SPACE) -> Iterator[Path]:
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
        raise cannot_write(path, error, advice) from error
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


class MadeInTurn(list[Any]):
    """A list for :func:`write_json`, once, of items that are made when they are written: many, or large ones."""

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__()
        self._items = iter(items)
        self._first = list(islice(self._items, 1))

    def __bool__(self) -> bool:
        return bool(self._first)

    def __iter__(self) -> Iterator[Any]:
        return chain(self._first, self._items)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, indented, as UTF-8.

    Raises:
        OutputError: it cannot be written; the path is left as it was.
        ValueError: a number in it is NaN or infinite.
    """
    with replacing_by_json(path, value):
        pass


@contextmanager
def replacing_by_json(path: Path, value: Mapping[str, Any]) -> Iterator[None]:
    """Write a JSON object as :func:`write_json`; it takes ``path``'s place when the block ends without an error.

    So what the object tells of can be put in place in the block, when it is known that there was space for the object.
    """
    with replacing(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        file.flush()
        yield
