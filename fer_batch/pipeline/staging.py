"""Local copies of remote files, for the workers of one machine.

A worker holds the copies that its task needs until its next task needs others. One that nobody holds is removed: there
are never more copies than those of two tasks for each worker. What a killed run left behind is removed by the next one.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import IO, Any

from fer_batch.errors import MediaError
from fer_batch.media.remote import RemoteFile, fetching

ALIVE = "alive"
"""A file in the folder of each run that its workers hold a lock on."""

POLL_SECONDS = 0.1
"""How often to look whether another worker has fetched a file."""


def root() -> Path:
    """The folder that holds the folders of all runs: of this user, among the system's temporary ones."""
    return Path(tempfile.gettempdir()) / f"fer-batch-staged-{os.getuid()}"


class Staging:
    """The copies that one worker holds.

    Args:
        run: a name that the workers of a run share.
    """

    def __init__(self, run: str) -> None:
        root().mkdir(mode=0o700, exist_ok=True)
        self._folder = root() / run
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._alive = _locked(self._folder / ALIVE, fcntl.LOCK_SH)
        self._held: dict[Path, IO[bytes]] = {}
        for folder in root().iterdir():
            if folder != self._folder:
                _remove_if_dead(folder)

    def fetching(self, files: Sequence[Any]) -> Generator[None, None, dict[Any, Path | MediaError]]:
        """Fetch remote files that are not there, and let go of all others; yields None now and then.

        Gives the copy of each file, or why there is none.
        """
        copies: dict[Any, Path | MediaError] = {}
        held: dict[Path, IO[bytes]] = {}
        for file in dict.fromkeys(files):
            path = self._folder / _key(file) / file.name
            try:
                held[path] = self._held.pop(path) if path in self._held else (yield from self._hold(file, path))
                copies[file] = path
            except MediaError as error:
                copies[file] = error
        for path, lock in self._held.items():
            _let_go(path, lock)
        self._held = held
        return copies

    def _hold(self, file: RemoteFile, path: Path) -> Generator[None, None, IO[bytes]]:
        """Fetch a file, unless another worker does or did; gives the lock that keeps its copy."""
        try:
            path.parent.mkdir(exist_ok=True)
            while True:
                lock = _locked(path.parent.with_suffix(".lock"), fcntl.LOCK_SH)
                if lock is not None:
                    if path.exists():
                        return lock
                    lock.close()
                lock = _locked(path.parent.with_suffix(".lock"), fcntl.LOCK_EX)
                if lock is not None:
                    with lock:
                        if not path.exists():
                            part = path.parent / "part"
                            yield from fetching(file, part)
                            part.replace(path)
                    continue
                yield None
                sleep(POLL_SECONDS)
        except OSError as error:
            raise MediaError(f"No copy of it can be made: {error.strerror or error}. TMPDIR says where.") from error


def remove(run: str) -> None:
    """Remove what the workers of a run on this machine have left, once all have ended."""
    if (root() / run).exists():
        _remove_if_dead(root() / run)


def _key(file: RemoteFile) -> str:
    return hashlib.sha256(f"{file.address}\n{file.version}\n{file.size}".encode()).hexdigest()[:32]


def _locked(path: Path, kind: int) -> IO[bytes] | None:
    """The file, opened and locked; None: others keep it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _let_go(path: Path, lock: IO[bytes]) -> None:
    """Remove a copy, unless another worker holds it."""
    with suppress(OSError):  # others keep it
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    lock.close()


def _remove_if_dead(folder: Path) -> None:
    with suppress(OSError):
        lock = _locked(folder / ALIVE, fcntl.LOCK_EX)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
