"""Local copies of remote files, for the workers of one machine.

A worker holds the copies that its task needs until its next task needs others. One that nobody holds is removed: there
are never more copies than those of two tasks for each worker. What a killed run left behind is removed by the next one.
"""

import fcntl
import hashlib
import os
import shutil
import weakref
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO, Any, NamedTuple

from fer_batch.errors import MediaError, why
from fer_batch.media import remote
from fer_batch.media.remote import RemoteFile, fetch, file_system

ALIVE = "alive"
"""A file in the folder of each run that its workers hold a lock on."""

POLL_SECONDS = 0.1
"""How often to look whether another worker has fetched a file."""

FILES_AT_ONCE = 8
"""Files of a task that are fetched at the same time, where the library can."""

COPY = "copy"
"""Name of a copy, before its suffix: an object's own name may be longer than that of a file."""

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
        found: dict[Any, IO[bytes] | MediaError] = {
            file: self._held.pop(at) for file in files if (at := self._at(file)) in self._held
        }
        found |= yield from self._fetching([file for file in dict.fromkeys(files) if file not in found])
        while self._held:
            _let_go(*self._held.popitem())
        copies: dict[Any, Copy | MediaError] = {}
        for file, lock in found.items():
            if isinstance(lock, MediaError):
                copies[file] = lock
            else:
                self._held[self._at(file)] = lock
                copies[file] = Copy(_path(self._at(file), file), (self._at(file) / DIGEST).read_text())
        return copies

    def _fetching(self, files: Sequence[Any]) -> Generator[None, None, dict[Any, IO[bytes] | MediaError]]:
        """Fetch files, some at the same time; gives the lock that keeps each copy, or why there is none."""
        found: dict[Any, IO[bytes] | MediaError] = {}
        left = deque(files)
        under_way: dict[Future[IO[bytes]], Any] = {}
        at_once, news = 1, _News()
        with ThreadPoolExecutor(FILES_AT_ONCE) as threads:
            try:
                while left or under_way:
                    while left and len(under_way) < at_once:
                        file = left.popleft()
                        try:
                            way = file_system(file)  # here: fsspec makes one for each thread
                        except MediaError as error:
                            found[file] = error
                            continue
                        at_once = FILES_AT_ONCE if way[0].async_impl else 1
                        under_way[threads.submit(_hold, file, way, self._at(file), news)] = file
                    done, _ = wait(under_way, POLL_SECONDS, FIRST_COMPLETED)
                    for one in done:
                        found[under_way.pop(one)] = _outcome(one)
                    if done or news.taken():  # else whoever waits for this worker shall see that it hangs
                        yield None
            finally:
                news.unwanted.set()
        return found

    def _at(self, file: RemoteFile) -> Path:
        """The folder of a file's copy."""
        return self._folder / _key(file)


def _outcome(fetched: "Future[IO[bytes]]") -> IO[bytes] | MediaError:
    try:
        return fetched.result()
    except MediaError as error:
        return error
    except OSError as error:
        return MediaError(f"It cannot be copied to this machine: {why(error)}. TMPDIR says where.")


class _News:
    """What a thread that fetches a file and the one that waits for it tell each other."""

    def __init__(self) -> None:
        self.unwanted = Event()
        """Set when nobody waits any more."""
        self._came = Event()

    def tell(self) -> None:
        """Something came.

        Raises:
            MediaError: nobody waits for it.
        """
        self._came.set()
        if self.unwanted.is_set():
            raise MediaError("It is not needed any more.")

    def taken(self) -> bool:
        """Whether something came since the last time."""
        came = self._came.is_set()
        self._came.clear()
        return came


def _hold(file: RemoteFile, way: tuple[Any, str], folder: Path, news: _News) -> IO[bytes]:
    """Fetch a file, unless another worker does or did; gives the lock that keeps its copy."""
    while True:
        lock = _locked(_lock(folder), fcntl.LOCK_SH)
        if lock is not None:
            if _path(folder, file).exists():
                return lock
            lock.close()
        lock = _locked(_lock(folder), fcntl.LOCK_EX)
        if lock is not None:
            with lock:
                if not _path(folder, file).exists():
                    folder.mkdir(exist_ok=True)
                    digest = fetch(file, way, folder / PART, news.tell)
                    (folder / DIGEST).write_text(digest)
                    (folder / PART).replace(_path(folder, file))
            continue
        news.tell()
        news.unwanted.wait(POLL_SECONDS)


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


def _path(folder: Path, file: RemoteFile) -> Path:
    """The copy, which has the file's suffix."""
    return folder / f"{COPY}{file.suffix}"


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
