"""Which chunk file holds each photo: kept on disk while a run lasts, as there may be millions."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b

from fer_batch.errors import OutputError


class PhotoChunks:
    """Keys of chunks by the digests of the photos in them, in a file that the system removes."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)  # SQLite's name for a temporary file; 2 MB in memory
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("CREATE TABLE chunks (key TEXT UNIQUE, number INTEGER PRIMARY KEY)")
        self._base.execute("CREATE TABLE photos (digest BLOB PRIMARY KEY, chunk INTEGER) WITHOUT ROWID")

    def put(self, digests: Iterable[str], key: str) -> None:
        """From now on the chunk of this key holds these photos.

        Raises:
            OutputError: there is no room for temporary files.
        """
        with _told():
            self._base.execute("INSERT OR IGNORE INTO chunks (key) VALUES (?)", (key,))
            ((number,),) = self._base.execute("SELECT number FROM chunks WHERE key = ?", (key,))
            rows = ((_packed(digest), number) for digest in digests)
            self._base.executemany("INSERT OR REPLACE INTO photos VALUES (?, ?)", rows)

    def drop(self, digests: Iterable[str]) -> None:
        """No chunk holds these photos any more.

        Raises:
            OutputError: as :meth:`put`.
        """
        with _told():
            self._base.executemany("DELETE FROM photos WHERE digest = ?", ((_packed(digest),) for digest in digests))

    def keys(self, digests: Sequence[str]) -> list[str]:
        """Of each photo the key of its chunk, "" if none holds it.

        Raises:
            OutputError: as :meth:`put`.
        """
        keys: dict[str, str] = {}  # so that photos of one chunk share one text
        query = "SELECT key FROM photos JOIN chunks ON chunk = number WHERE digest = ?"
        with _told():
            found = (self._base.execute(query, (_packed(digest),)).fetchone() for digest in digests)
            return [keys.setdefault(row[0], row[0]) if row else "" for row in found]


def _packed(digest: str) -> bytes:
    return blake2b(digest.encode(), digest_size=16).digest()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(f"Cannot write a temporary file: {error}. Free some space, or set TMPDIR.") from error
