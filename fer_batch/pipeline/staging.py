"""Local copies of remote files, for the workers of one machine.

A worker holds the copies that its task needs until its next task needs others. One that nobody holds is removed: there
are never more copies than those of two tasks for each worker. What a killed run left behind is removed by the next one.
"""

import fcntl
import hashlib
import os
import shutil
import weakref
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import IO, Any, NamedTuple

from fer_batch.errors import MediaError, why
from fer_batch.media import remote
from fer_batch.media.remote import RemoteFile, fetching

ALIVE = "alive"
"""A file in the folder of each run that its workers hold a lock on."""

POLL_SECONDS = 0.1
"""How often to look whether another worker has fetched a file."""


DIGEST, PART = ".digest", ".part"
"""Suffixes of files beside a copy: its SHA-256; what is fetched so far."""


class Copy(NamedTuple):
    """A local copy of a remote file."""

    path: Path
    digest: str
    """SHA-256 of all its bytes."""


def root() -> Path:
    """The folder that holds the folders of all runs."""
    return remote.temporary("staged")


class Staging:
    """The copies that one worker holds.

    Args:
        run: a name that the workers of a run share.
    """

    def __init__(self, run: str) -> None:
        root().mkdir(mode=0o700, exist_ok=True)
        self._folder = root() / run
        alive = None
        while alive is None:  # another run may take an empty folder for one that was left behind
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):
                alive = _locked(self._folder / ALIVE, fcntl.LOCK_SH)
        self._held: dict[Path, IO[bytes]] = {}
        self.close = weakref.finalize(self, _close, self._folder, alive, self._held)
        """Called at the latest when nobody has the worker any more."""
        for folder in root().iterdir():
            if folder != self._folder:
                _remove_if_dead(folder)

    def fetching(self, files: Sequence[Any]) -> Generator[None, None, dict[Any, Copy | MediaError]]:
        """Fetch remote files that are not there, and let go of all others; yields None now and then.

        Gives the copy of each file, or why there is none.
        """
        copies: dict[Any, Copy | MediaError] = {}
        held: dict[Path, IO[bytes]] = {}
        for file in dict.fromkeys(files):
            folder = self._folder / _key(file)
            try:
                held[folder] = self._held.pop(folder) if folder in self._held else (yield from self._hold(file, folder))
                copies[file] = Copy(folder / file.name, (folder / DIGEST).read_text())
            except MediaError as error:
                copies[file] = error
            except OSError as error:
                reason = why(error)
                copies[file] = MediaError(f"It cannot be copied to this machine: {reason}. TMPDIR says where.")
        while self._held:
            _let_go(*self._held.popitem())
        self._held |= held
        return copies

    def _hold(self, file: RemoteFile, folder: Path) -> Generator[None, None, IO[bytes]]:
        """Fetch a file, unless another worker does or did; gives the lock that keeps its copy."""
        while True:
            lock = _locked(_lock(folder), fcntl.LOCK_SH)
            if lock is not None:
                if (folder / file.name).exists():
                    return lock
                lock.close()
            lock = _locked(_lock(folder), fcntl.LOCK_EX)
            if lock is not None:
                with lock:
                    if not (folder / file.name).exists():
                        folder.mkdir(exist_ok=True)
                        digest = yield from fetching(file, folder / PART)
                        (folder / DIGEST).write_text(digest)
                        (folder / PART).replace(folder / file.name)
                continue
            yield None
            sleep(POLL_SECONDS)


def _close(folder: Path, alive: IO[bytes], held: dict[Path, IO[bytes]]) -> None:
    """Remove the copies that no other worker holds; and everything, if no other worker is left."""
    while held:
        _let_go(*held.popitem())
    alive.close()
    _remove_if_dead(folder)


def remove(run: str) -> None:
    """Remove what the workers of a run on this machine have left, once all have ended."""
    if (root() / run).exists():
        _remove_if_dead(root() / run)


def _key(file: RemoteFile) -> str:
    return hashlib.sha256(f"{file.address}\n{file.version}\n{file.size}".encode()).hexdigest()[:32]


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _locked(path: Path, kind: int) -> IO[bytes] | None:
    """The file, opened and locked; None: others keep it, or have just removed it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None


def _let_go(folder: Path, lock: IO[bytes]) -> None:
    """Remove a copy, unless another worker holds it."""
    with suppress(OSError):  # others keep it
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        _lock(folder).unlink(missing_ok=True)
    lock.close()


def _remove_if_dead(folder: Path) -> None:
    with suppress(OSError):
        lock = _locked(folder / ALIVE, fcntl.LOCK_EX)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
