"""Results by URL: a run writes into a folder on this machine, and what is finished there is copied to the URL.

So everything else knows folders only. At the URL files are whole or not there, as in a folder: object stores show an
object when all of it is there; elsewhere it gets its name last. A run that was killed goes on from what is at the URL.
"""

import hashlib
import json
import logging
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, time

from filelock import FileLock, Timeout

from fer_batch.errors import FerBatchError, MediaError, OutputError, OutputRefused, UsageError
from fer_batch.media import remote
from fer_batch.media.remote import MARKER, RemoteFile
from fer_batch.output.folder import LOCK

LOGGER = logging.getLogger(__name__)

COPY_SECONDS = 5.0
"""How often finished files are copied."""

FILES_AT_ONCE = 64

LEASE_SECONDS = 60.0
"""A run says so often that it is still writing there; one that has not said it for twice as long was killed."""

WRITES_WHOLE = frozenset({"s3", "gs", "gcs", "az", "abfs"})
"""Protocols of stores that show an object only when all of it is there."""

CHUNKS = "work/chunk-"
"""Begins the names of files whose names say what is in them."""


def root() -> Path:
    """The folder that holds those that runs write into."""
    return remote.temporary("results")


def is_mirror(folder: Path) -> bool:
    """Whether the folder's content lies elsewhere in the end, so that nothing is near it."""
    return root() in folder.absolute().parents


@contextmanager
def mirrored(out: Path | RemoteFile) -> Iterator[Path]:
    """The folder to write results into that shall be at ``out``: itself, unless it is a URL.

    Raises:
        OutputRefused: there are files at the URL that fer-batch did not make, or another run is writing there.
        OutputError: nothing can be written there; the message says where the results are instead.
        UsageError: a library for its protocol is missing.
    """
    if not isinstance(out, RemoteFile):
        yield out
        return
    folder = root() / hashlib.sha256(out.address.encode()).hexdigest()[:16] / out.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(out, folder.parent / LOCK):
        mirror = _Mirror(out, folder)
        mirror.begin()
        try:
            yield folder
        except BaseException as error:
            with suppress(OutputError):  # what is not copied is there for the next run
                mirror.end()
            if isinstance(error, FerBatchError):  # it knows the folder only
                error.args = tuple(str(text).replace(str(folder), out.address) for text in error.args)
            raise
        mirror.end()


@contextmanager
def _locked(out: RemoteFile, path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputRefused(
            f"Another run is writing to {out}. Wait until it has finished, or choose another --out."
        ) from None
    with lock:
        yield


class _Mirror:
    """Copies what a run writes into ``folder`` to a URL, and first what is there back."""

    def __init__(self, out: RemoteFile, folder: Path) -> None:
        self._out = out
        self._folder = folder
        self._holder = hashlib.sha256(f"{platform.node()}:{folder}".encode()).hexdigest()[:16]
        self._copied: dict[str, tuple[int, int]] = {}
        """Size and modification time of each file here that is at the URL too."""
        self._ended = Event()
        self._thread = Thread(target=self._copy_again_and_again, daemon=True)
        protocol = out.url.partition("://")[0]
        if protocol in ("http", "https"):
            raise OutputRefused(f"{protocol}:// cannot be written to. Choose a folder for --out, or a URL like s3://.")
        self._writes_whole = protocol in WRITES_WHOLE
        with self._telling():
            self._system, path = remote.file_system(out)
        self._base = path.rstrip("/")

    def begin(self) -> None:
        """Keep other runs out, fetch what is there, and begin to copy."""
        with self._telling():
            found = self._found()
            lease = found.pop(LOCK, None)
            if found and MARKER not in found:
                raise OutputRefused(
                    f"{self._out} holds files that fer-batch did not make. Choose another --out, or empty it first."
                )
            if lease is not None:
                self._refuse_other_run()
            self._say_alive()
            self._fetch(found)
        self._thread.start()

    def end(self) -> None:
        """Copy the rest, remove at the URL what is not here, and let others write there."""
        self._ended.set()
        self._thread.join()
        with self._telling(f"The results are in {self._folder}; the same command tries again."):
            here = self._copy()
            gone = sorted(self._copied.keys() - here.keys())
            for name in [*gone, LOCK]:
                self._system.rm_file(self._at(name))
        shutil.rmtree(self._folder)

    @contextmanager
    def _telling(self, advice: str = "Choose another --out.") -> Iterator[None]:
        """Errors of libraries as errors for users."""
        try:
            yield
        except UsageError:
            raise
        except Exception as error:
            why = str(error) if isinstance(error, FerBatchError) else f"{remote.reason(error)}."
            raise OutputError(f"Cannot write to {self._out}: {why} {advice}") from None

    def _at(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _found(self) -> dict[str, int]:
        """The names of the files at the URL, and their sizes."""
        try:
            found = self._system.find(self._base, detail=True)
        except FileNotFoundError:
            return {}
        names = {path: path.removeprefix(self._base).lstrip("/") for path in found}
        # Programs that show buckets as folders keep an empty object for each, with a slash at its end.
        return {name: int(found[path]["size"]) for path, name in names.items() if name and not name.endswith("/")}

    def _refuse_other_run(self) -> None:
        with suppress(ValueError, KeyError, TypeError):
            lease = json.loads(self._system.cat_file(self._at(LOCK)))
            left = 2 * LEASE_SECONDS - (time() - lease["time"])
            if left > 0 and lease["holder"] != self._holder:  # ours is of a run that was killed
                raise OutputRefused(
                    f"Another run is writing to {self._out}, or was killed just now. Try again in {left:.0f} s, or "
                    "choose another --out."
                )

    def _say_alive(self) -> None:
        if not self._writes_whole:
            self._system.makedirs(self._base, exist_ok=True)
        self._system.pipe_file(self._at(LOCK), json.dumps({"holder": self._holder, "time": time()}).encode())
        self._said = monotonic()

    def _fetch(self, found: Mapping[str, int]) -> None:
        """Make this folder that at the URL. Chunk files of a killed run stay: they hold what their names say."""
        here = self._files()
        for name, (size, _) in here.items():
            if name != MARKER and not (name.startswith(CHUNKS) and found.get(name, size) == size):
                (self._folder / name).unlink()
        missing = [name for name in found if not (self._folder / name).exists()]
        for name in missing:
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        if self._writes_whole:
            self._system.get([self._at(name) for name in missing], [str(self._folder / name) for name in missing])
        else:
            for name in missing:
                self._system.get_file(self._at(name), str(self._folder / name))
        here = self._files()
        if any(here.get(name, (None,))[0] != size for name, size in found.items()):
            raise MediaError("What is there cannot be fetched whole.")
        self._copied = {name: here[name] for name in found}

    def _copy_again_and_again(self) -> None:
        pause = COPY_SECONDS
        while not self._ended.wait(pause):
            began = monotonic()
            try:
                if began - self._said > LEASE_SECONDS:
                    self._say_alive()
                self._copy()
            except Exception as error:  # tried again; if it fails at the end too, the run says so
                LOGGER.info("%s: %s", self._out, remote.reason(error))
            pause = min(max(COPY_SECONDS, monotonic() - began), LEASE_SECONDS)

    def _copy(self) -> dict[str, tuple[int, int]]:
        """Copy new and changed files, in the order in which they were written; returns all that are here."""
        here = self._files()
        new = sorted(
            (name for name, state in here.items() if self._copied.get(name) != state), key=lambda name: here[name][1]
        )
        marker = [name for name in new if name == MARKER]  # before all others: what has none is not fer-batch's
        others = [name for name in new if name != MARKER]
        for names in (marker, *(others[at : at + FILES_AT_ONCE] for at in range(0, len(others), FILES_AT_ONCE))):
            self._put(names)
            self._copied |= {name: here[name] for name in names}
        return here

    def _put(self, names: Sequence[str]) -> None:
        if self._writes_whole:
            self._system.put([str(self._folder / name) for name in names], [self._at(name) for name in names])
            return
        for name in names:
            at = self._at(name)
            self._system.makedirs(at.rpartition("/")[0], exist_ok=True)
            self._system.put_file(str(self._folder / name), f"{at}.part")
            self._system.mv(f"{at}.part", at)

    def _files(self) -> dict[str, tuple[int, int]]:
        """Size and modification time of every finished file here, by its name below the folder."""
        found = {}
        for folder, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.endswith(".part")]
            below = f"{os.path.relpath(folder, self._folder)}/".removeprefix("./")
            for name in names:
                if name == LOCK or name.endswith(".part"):
                    continue
                with suppress(FileNotFoundError):  # it was replaced or removed in between
                    status = Path(folder, name).stat()
                    found[below + name] = status.st_size, status.st_mtime_ns
        return found
