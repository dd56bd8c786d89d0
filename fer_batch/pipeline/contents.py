"""What media files hold, as digests of all their bytes; and when the digest of an earlier run still stands.

Results are kept under the digest, so that a file that was moved or renamed is known again, and one that was changed is
not. To read every byte again in each run would take long for a large study: a digest stands as long as the file's size,
times and place on the disk are what they were, and nothing was wrong with the file.
"""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import Any
from uuid import uuid4

from fer_batch.media.remote import has_version
from fer_batch.output.files import replacing_path

BLOCK_BYTES = 2**23
"""Bytes that are digested at a time."""

RACY_NS = 2 * 10**9
"""A file that was changed so shortly before it was digested may change again without another modification time: FAT
stores times in steps of two seconds, the steps of other file systems are shorter."""


@dataclass(frozen=True)
class FileState:
    """What tells, without reading a file, that it was changed."""

    size: int
    modified_ns: int
    changed_ns: int
    """Of the inode: programs cannot set it back."""
    inode: int

    @classmethod
    def of(cls, path: Path) -> "FileState":
        """The state of a file.

        Raises:
            OSError: there is none.
        """
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@dataclass(frozen=True)
class Content:
    """What a file held when it was digested."""

    digest: str
    """SHA-256 of all its bytes. Of a file that cannot be read: a word that no other file and no other run has."""
    state: FileState | None = None
    """Before it was digested; None: it cannot be read."""
    lasting: bool = False
    """Whether the digest stands as long as the state does."""

    @classmethod
    def unreadable(cls) -> "Content":
        """Of a file that cannot be read."""
        return cls(f"unreadable {uuid4()}")

    @classmethod
    def of_remote(cls, file: Path, digest: str) -> "Content":
        """Of a remote file whose copy has this digest, which stands as long as the server says so."""
        return cls(digest, FileState.of(file), lasting=has_version(file))

    def is_of(self, path: Path) -> bool:
        """Whether the file is still in the state in which it was digested; one that cannot be read counts as such."""
        try:
            return self.state is None or self.state == FileState.of(path)
        except OSError:
            return False


def reading_content(path: Path) -> Generator[None, None, Content]:
    """Digest a file, from its first byte to its last; yields None now and then.

    SHA-256 takes 0.5 ms a megabyte on an AMD EPYC, 2 s for an hour of 1080p; decoding that takes ten minutes.
    """
    began = time_ns()
    digest = hashlib.sha256()
    try:
        state = FileState.of(path)
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                yield None
    except OSError:  # reading the media will fail too, and be reported there
        return Content.unreadable()
    return Content(digest.hexdigest(), state, lasting=max(state.modified_ns, state.changed_ns) < began - RACY_NS)


class KnownContents:
    """The digests of earlier runs: a file of ``folder`` for each source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, files: Sequence[Path]) -> dict[Path, Content]:
        """The contents of those files of a source that are in the state in which they were digested."""
        try:
            contents = {
                name: Content(digest, FileState(*state), lasting=True)
                for name, (digest, *state) in self._read(files).items()
            }
        except (ValueError, TypeError):
            return {}
        found = {path: contents[name] for path in files if (name := _name(path)) in contents}
        return {path: content for path, content in found.items() if content.is_of(path)}

    def remember(self, contents: Mapping[Path, Content], trusted: Callable[[Path], bool]) -> None:
        """Write down the contents of a source's files, but for those that are not to be ``trusted`` unread.

        Raises:
            OutputError: it cannot be written.
        """
        known = {
            _name(path): [content.digest, *vars(content.state).values()]
            for path, content in contents.items()
            if content.lasting and content.state is not None and trusted(path)
        }
        files = tuple(contents)
        if known == self._read(files):
            return
        with replacing_path(self._path(files), advice="Free some space and run again.") as part:
            part.write_text(json.dumps(known), encoding="utf-8")

    def _read(self, files: Sequence[Path]) -> dict[str, list[Any]]:
        try:
            known = json.loads(self._path(files).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _path(self, files: Sequence[Path]) -> Path:
        place = files[0] if len(files) == 1 else files[0].parent
        return self._folder / f"files-{hashlib.sha256(os.fsencode(place.absolute())).hexdigest()[:32]}.json"


def _name(path: Path) -> str:
    """A file's name as JSON can hold it, whatever its bytes are."""
    return os.fsencode(path.name).hex()
