"""The output folder: marked as fer-batch's, used by one run at a time, and cleared of files of earlier runs."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fer_batch.errors import OutputError, OutputRefused, why
from fer_batch.media.remote import MARKER

LOCK = ".lock"


def is_url(folder: Path) -> bool:
    """Whether somebody gave a URL for a folder: of its two slashes, a path keeps one."""
    return re.match(r"\w{2,}:[/\\]", str(folder)) is not None


def claim(folder: Path) -> None:
    """Make and mark the folder, or check that it is an output folder of fer-batch; and that it can be written to.

    Raises:
        OutputRefused: it holds something that fer-batch did not make.
        OutputError: it cannot be made or written to.
    """
    marker = folder / MARKER
    if is_url(folder):
        raise OutputRefused(f"{folder} is a URL. Choose a folder for --out, and copy it there afterwards.")
    try:
        if folder.exists() and not marker.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputRefused(
                f"{folder} holds files that fer-batch did not make. Choose another --out, or empty it first."
            )
        folder.mkdir(parents=True, exist_ok=True)
        marker.write_text("This folder is an output of fer-batch; running it again goes on from what is here.\n")
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {why(error)}. Choose another --out.") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a claimed folder. The system ends the lock with the process, however that ends.

    Raises:
        OutputRefused: another run is writing into it.
        OutputError: it cannot be locked.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputRefused(
            f"Another run is writing into {folder}. Wait until it has finished, or choose another --out."
        ) from None
    except OSError as error:
        raise OutputError(f"Cannot lock {folder}: {why(error)}. Choose another --out.") from error
    try:
        yield
    finally:
        lock.release()


def remove(path: Path) -> None:
    """Remove a file of an earlier run, if it is there.

    Raises:
        OutputError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot remove {path}: {why(error)}.") from error


def sweep(folder: Path, keep: Iterable[Path]) -> None:
    """Remove every file below ``folder`` that is not in ``keep``, and the folders that this leaves empty.

    Raises:
        OutputError: a file cannot be removed.
    """
    kept = {path.absolute() for path in keep}
    try:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.absolute() not in kept:
                path.unlink()
    except OSError as error:
        raise OutputError(f"Cannot remove old files from {folder}: {why(error)}.") from error
