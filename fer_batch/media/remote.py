"""Videos and photos by URL, such as s3:// and https://: what is there, and how it is fetched, through fsspec.

Credentials are those that the libraries find by themselves, in the environment or in their own files. A user's name, a
password or a query in a URL is used to fetch it and appears nowhere else: not in names, messages or digests.
"""

import errno
import hashlib
import os
import posixpath
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from fer_batch.errors import MediaError, UsageError

MARKER = ".fer-batch"
"""A file that marks output folders of fer-batch. Such folders are not searched for media, and may be written to."""

BLOCK_BYTES = 2**23
"""Bytes that are fetched at a time."""

EXTRAS = {"s3": "s3", "gs": "gs", "az": "az", "abfs": "az", "http": "http", "https": "http", "sftp": "sftp"}
"""The extra of pyproject.toml that a protocol needs."""


def temporary(purpose: str) -> Path:
    """A folder of this user among the system's temporary ones. It may not be there yet."""
    user = os.getuid() if hasattr(os, "getuid") else "own"  # on Windows each user has temporary folders of their own
    return Path(tempfile.gettempdir()) / f"fer-batch-{purpose}-{user}"


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


def walk(
    root: RemoteFile,
    *,
    recursive: bool = True,
    left_out: Callable[[str, str], None] = lambda name, reason: None,  # noqa: ARG005
) -> Iterator[RemoteFile]:
    """The files under a URL, folder after folder; or the one file that it is. Hidden files are left out.

    So are folders with a file ``MARKER``. ``left_out`` is called with the name of each folder that cannot be listed,
    relative to the root, and the reason.

    Raises:
        MediaError: the root is not there, or cannot be read.
        UsageError: a library for its protocol is missing.
    """
    system, path = file_system(root)
    info = None if root.url.endswith("/") else _info(system, path)
    if info is not None and info["type"] != "directory":
        yield _with_facts(root.address, root.url, info)
        return
    base = path.rstrip("/")
    folders = [path]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(system.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
        except Exception as error:
            if folder == path:
                raise MediaError(f"Cannot be read: {reason(error)}.") from None
            left_out(folder.removeprefix(base).strip("/"), f"The folder cannot be read: {reason(error)}.")
            continue
        names = [entry["name"].rstrip("/").rpartition("/")[2] for entry in entries]
        if MARKER in names:
            continue
        for entry, name in zip(entries, names, strict=True):
            # Some list the folder itself; some pages have links to what is elsewhere.
            if name.startswith(".") or entry["name"].rstrip("/") == folder.rstrip("/") or "/../" in entry["name"]:
                continue
            if entry["type"] == "directory":
                folders += [entry["name"]] if recursive else []
            else:
                url = f"{root.url.rstrip('/')}/{entry['name'].removeprefix(base).lstrip('/')}"
                yield _with_facts(_address(url), url, entry)


def _info(system: Any, path: str) -> dict[str, Any]:
    try:
        return dict(system.info(path))
    except Exception as error:  # each library has errors of its own; what they say may hold what is secret
        raise MediaError(f"Cannot be read: {reason(error)}.") from None


def fetching(file: RemoteFile, to: Path) -> Generator[None, None, str]:
    """Write a file's content to a path; yields None after each block, and gives the SHA-256 of all of it.

    Raises:
        MediaError: it cannot be fetched, or is not whole.
        OSError: it cannot be written.
    """
    digest = hashlib.sha256()
    with to.open("wb") as target:
        for block in _blocks(file):
            target.write(block)
            digest.update(block)
            yield None
    if file.size and to.stat().st_size != file.size:
        raise MediaError("Cannot be fetched whole: it was changed, or the connection was cut. Run again.")
    return digest.hexdigest()


def _blocks(file: RemoteFile) -> Iterator[bytes]:
    system, path = file_system(file)
    try:
        with system.open(path, "rb") as source:
            while block := source.read(BLOCK_BYTES):
                yield block
    except Exception as error:
        raise MediaError(f"Cannot be read: {reason(error)}.") from None


def file_system(file: RemoteFile) -> tuple[Any, str]:
    """The file system of a URL, of fsspec, and the path in it.

    Raises:
        UsageError: a library for its protocol is missing.
        MediaError: there is no connection.
    """
    protocol = file.url.partition("://")[0]
    try:
        from fsspec.core import get_filesystem_class, url_to_fs

        more = {"use_listings_cache": False} if get_filesystem_class(protocol).async_impl else {}  # others keep none
    except (ImportError, ValueError):
        known = EXTRAS.get(protocol)
        how = f"Install what it needs: pip install 'fer-batch[{known}]'." if known else "It is no protocol of fsspec."
        raise UsageError(f"{protocol}:// cannot be used. {how}") from None
    try:
        system, path = url_to_fs(file.url, **more)
    except (TypeError, ValueError):  # a host or credentials are missing
        raise MediaError("There is no way to it. Are the URL and the credentials right?") from None
    except Exception as error:  # some connect at once
        raise MediaError(f"Cannot be read: {reason(error)}.") from None
    return system, path


def _with_facts(address: str, url: str, info: dict[str, Any]) -> RemoteFile:
    names = ("ETag", "etag", "LastModified", "Last-Modified", "last_modified", "updated", "mtime", "md5Hash")
    version = next((str(info[name]) for name in names if info.get(name)), "")
    return RemoteFile(address, url, int(info.get("size") or 0), version)


NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def reason(error: Exception) -> str:
    """Why something cannot be read or written, without a word of the library, which may quote a URL."""
    names = ("status", "status_code", "code")
    status = next((code for name in names if (code := getattr(error, name, None)) is not None), None)
    if isinstance(error, FileNotFoundError) or status in (404, "404"):
        return "there is no such object"
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return "there is no space left, here or there"
    kind = type(error).__name__
    if (
        isinstance(error, PermissionError)
        or status in (401, 403, "401", "403")
        or "Credential" in kind
        or "Auth" in kind
    ):
        return "access is denied"
    return f"the server does not answer as it should ({kind})"
