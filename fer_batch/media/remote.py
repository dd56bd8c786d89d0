"""Videos and photos by URL, such as s3:// and https://: what is there, and how it is fetched, through fsspec.

Credentials are those that the libraries find by themselves, in the environment or in their own files. A user's name, a
password or a query in a URL is used to fetch it and appears nowhere else: not in names, messages or digests.
"""

import hashlib
import posixpath
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from fer_batch.errors import MediaError, UsageError

BLOCK_BYTES = 2**23
"""Bytes that are fetched at a time."""

EXTRAS = {"s3": "s3", "gs": "gs", "az": "az", "abfs": "az", "http": "http", "https": "http", "sftp": "sftp"}
"""The extra of pyproject.toml that a protocol needs."""


@dataclass(frozen=True)
class RemoteFile:
    """A file, or a folder, by URL. It has as much of :class:`pathlib.Path` as sources need: no content, no disk."""

    address: str
    """The URL without what may be secret: it tells files from each other."""
    url: str = field(repr=False, compare=False)
    size: int = 0
    version: str = ""
    """Changes with the content, as far as the server says: its ETag, or when it was modified."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Protocol, host or bucket, and folders."""
        protocol, _, rest = self.address.partition("://")
        host, _, path = rest.partition("/")
        path = unquote(path) if protocol in ("http", "https") else path
        return (f"{protocol}:", host, *(part for part in path.split("/") if part))

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def suffix(self) -> str:
        """With its dot."""
        return posixpath.splitext(self.name)[1]

    @property
    def stem(self) -> str:
        """The last part without its suffix."""
        return posixpath.splitext(self.name)[0]

    @property
    def parent(self) -> "RemoteFile":
        """The folder that it is in."""
        return RemoteFile(posixpath.dirname(self.address), posixpath.dirname(self.address))

    def absolute(self) -> "RemoteFile":
        """Itself."""
        return self

    def stat(self) -> SimpleNamespace:
        """What tells that it was changed, as it was when it was listed; no request is made."""
        version = hashlib.sha256((self.version or self.address).encode()).digest()
        return SimpleNamespace(
            st_size=self.size, st_mtime_ns=int.from_bytes(version[:7]), st_ctime_ns=0, st_ino=0, st_mode=0
        )

    def is_file(self) -> bool:
        """False: it is on no disk."""
        return False

    def __truediv__(self, name: str) -> "RemoteFile":
        return RemoteFile(f"{self.address}/{name}", f"{self.url}/{name}")

    def __fspath__(self) -> str:
        return self.address

    def __str__(self) -> str:
        return self.address


def parse(given: Any) -> Any:
    """The path that a user gives; for a URL a :class:`RemoteFile`, which takes the place of a path from here on.

    Raises:
        UsageError: there is nothing after the protocol.
    """
    text = str(given)
    protocol, found, rest = text.partition("://")
    if not found or isinstance(given, Path | RemoteFile) or len(protocol) < 2:
        return given if isinstance(given, RemoteFile) else Path(given)
    if protocol == "file":
        return Path(url2pathname(urlsplit(text).path))
    if not rest.strip("/"):
        raise UsageError(f"{protocol}:// is no URL of a file or folder.")
    return RemoteFile(_address(text), text)


def is_remote(file: Any) -> bool:
    """Whether a file, or a folder, is given by URL."""
    return isinstance(file, RemoteFile)


def has_version(file: Any) -> bool:
    """Whether a server says when a file's content is another one."""
    return isinstance(file, RemoteFile) and file.version != ""


def _address(url: str) -> str:
    """A URL without user and password; for http also without query and fragment, which are parts of names elsewhere."""
    protocol, _, rest = url.partition("://")
    if protocol in ("http", "https"):
        rest = rest.partition("#")[0].partition("?")[0]
    host, slash, path = rest.partition("/")
    return f"{protocol}://{host.rpartition('@')[2]}{slash}{path.rstrip('/')}"


def walk(root: RemoteFile, *, recursive: bool = True) -> Iterator[RemoteFile]:
    """The files under a URL, folder after folder; or the one file that it is.

    Raises:
        MediaError: it is not there, or cannot be read.
        UsageError: a library for its protocol is missing.
    """
    try:
        system, path = _system(root)
        info = None if root.url.endswith("/") else system.info(path)
        if info is not None and info["type"] != "directory":
            yield _with_facts(root.address, root.url, info)
            return
        for folder, folders, files in system.walk(path, detail=True, on_error="raise"):
            if not recursive:
                folders.clear()
            for name in [name for name in folders if name.startswith(".")]:
                del folders[name]
            for name in sorted(files):
                if name and not name.startswith("."):
                    url = system.unstrip_protocol(files[name]["name"] or f"{folder}/{name}")
                    yield _with_facts(_address(url), url, files[name])
    except (MediaError, UsageError):
        raise
    except Exception as error:  # each library has errors of its own; what they say may hold what is secret
        raise MediaError(_reason(error)) from None


def fetching(file: RemoteFile, to: Path) -> Generator[None, None, None]:
    """Write a file's content to a path; yields None after each block.

    Raises:
        MediaError: it cannot be fetched, or is not whole.
    """
    try:
        system, path = _system(file)
        with system.open(path, "rb") as source, to.open("wb") as target:
            while block := source.read(BLOCK_BYTES):
                target.write(block)
                yield None
    except (MediaError, UsageError):
        raise
    except Exception as error:
        raise MediaError(_reason(error)) from None
    if file.size and to.stat().st_size != file.size:
        raise MediaError("Cannot be fetched whole: it was changed, or the connection was cut. Run again.")


def _system(file: RemoteFile) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    protocol = file.url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(file.url, use_listings_cache=False)
    except (ImportError, ValueError):
        known = EXTRAS.get(protocol)
        how = f"Install what it needs: pip install 'fer-batch[{known}]'." if known else "It is no protocol of fsspec."
        raise UsageError(f"{protocol}:// cannot be read. {how}") from None
    return system, path


def _with_facts(address: str, url: str, info: dict[str, Any]) -> RemoteFile:
    names = ("ETag", "etag", "LastModified", "Last-Modified", "last_modified", "updated", "mtime", "md5Hash")
    version = next((str(info[name]) for name in names if info.get(name)), "")
    return RemoteFile(address, url, int(info.get("size") or 0), version)


def _reason(error: Exception) -> str:
    """Why something cannot be read, without a word of the library, which may quote a URL."""
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status == 404:
        return "Cannot be read: there is no such object."
    if isinstance(error, PermissionError) or status in (401, 403) or "Credential" in type(error).__name__:
        return "Cannot be read: access is denied."
    return f"Cannot be read ({type(error).__name__})."
