"""Videos and photos by URL, such as s3:// and https://: what is there, and how it is fetched, through fsspec.

Credentials are those that the libraries find by themselves, in the environment or in their own files. A user's name, a
password or a query in a URL is used to fetch it and appears nowhere else: not in names, messages or digests.
"""

import errno
import hashlib
import os
import posixpath
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any, overload
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import url2pathname

import numpy as np

from fer_batch.errors import MediaError, UsageError
from fer_batch.types import Texts

MARKER = ".fer-batch"
"""A file that marks output folders of fer-batch. Such folders are not searched for media, and may be written to."""

BLOCK_BYTES = 2**23
"""Bytes that are fetched at a time, where the library leaves the choice."""

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

OTHER_QUERY = (
    "It differs from another one only by what follows the question mark in its URL, so one of them alone is analysed. "
    "Download both, and analyse the copies."
)

TRIES = 3
"""How often to ask a web server for a file. The libraries of object stores try again themselves."""

RACY_SECONDS = 60.0
"""A file that was changed so shortly before it was listed may change again without another date: servers tell whole
seconds, and their clocks may differ from the one here."""

SILENT_SECONDS = 30.0
"""After so long without a byte, or without a connection, a web server is given up: all tries end before a worker that
says nothing counts as hanging. aiohttp's default is 5 minutes for a whole file."""

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


class RemoteFiles(Sequence[RemoteFile]):
    """Remote files that are made when they are asked for.

    A million photos of a bucket take 85 MB; as :class:`RemoteFile` they take 400 MB.
    """

    __slots__ = ("_addresses", "_sizes", "_urls", "_versions")

    def __init__(self, files: Sequence[RemoteFile]) -> None:
        self._addresses = Texts([file.address for file in files])
        urls = [file.url for file in files]
        self._urls = self._addresses if urls == list(self._addresses) else Texts(urls)
        self._sizes = np.array([file.size for file in files], np.int64)
        self._versions = Texts([file.version for file in files])

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, at: int) -> RemoteFile: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[RemoteFile, ...]: ...
    def __getitem__(self, at: int | slice) -> RemoteFile | tuple[RemoteFile, ...]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        return RemoteFile(self._addresses[at], self._urls[at], int(self._sizes[at]), self._versions[at])

    def __iter__(self) -> Iterator[RemoteFile]:
        columns = (self._addresses, self._urls, self._sizes.tolist(), self._versions)
        return (RemoteFile(*values) for values in zip(*columns, strict=True))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, RemoteFiles) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._addresses)


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


def is_http(file: RemoteFile) -> bool:
    """Whether it is on a web server."""
    return file.url.partition("://")[0] in ("http", "https")


def differ_by_query(same: Iterable[RemoteFile]) -> bool:
    """Whether URLs of one address may be several files, as ``?id=1`` and ``?id=2``."""
    return len({urlsplit(file.url).query for file in same if is_http(file)} - {""}) > 1


def has_version(file: Any) -> bool:
    """Whether a server says when a file's content is another one."""
    return isinstance(file, RemoteFile) and file.version != ""


def _address(url: str) -> str:
    """A URL without user and password; for http also without query and fragment, which are parts of names elsewhere.

    Of http it is as it goes to the server, so that "a b.mp4" and "a%20b.mp4" are one file.
    """
    protocol, _, rest = url.partition("://")
    if protocol in ("http", "https"):
        rest = quote(rest.partition("#")[0].partition("?")[0], safe="/%!$&'()*+,;=:@~")
    host, slash, path = rest.partition("/")
    return f"{protocol}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


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
        below = folder.removeprefix(base).strip("/")
        try:
            entries = _links(system, folder) if is_http(root) else system.ls(folder, detail=True)
        except Exception as error:
            if folder == path:
                raise MediaError(f"Cannot be read: {reason(error)}.") from None
            left_out(below, f"The folder cannot be read: {reason(error)}.")
            continue
        if any(_own_name(entry) == MARKER for entry in entries):
            continue
        itself = [entry for entry in entries if entry["name"].rstrip("/") == folder.rstrip("/")]  # some list it, too
        if any(entry["type"] == "directory" and entry["name"].endswith("/") for entry in itself):
            left_out(below or root.name, "What is in it under names that begin with a slash cannot be read. Rename it.")
        shown = [entry for entry in entries if not _own_name(entry).startswith(".") and entry not in itself]
        shown.sort(key=lambda entry: str(entry["name"]))
        folders += [entry["name"] for entry in shown if entry["type"] == "directory" and recursive]
        urls = ((root.url.rstrip("/") + entry["name"].removeprefix(base), entry) for entry in shown)
        files = [_with_facts(_address(url), url, entry) for url, entry in urls if entry["type"] != "directory"]
        for _, same in groupby(sorted(files, key=str), key=str):
            file, *others = same
            if differ_by_query([file, *others]):
                left_out(f"{below}/{file.name}".lstrip("/"), OTHER_QUERY)
            yield file


def _own_name(entry: Mapping[str, Any]) -> str:
    """The last part of the name of what fsspec lists."""
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def _links(system: Any, folder: str) -> list[dict[str, Any]]:
    """What a page has links to in its own folder, as fsspec lists a folder.

    fsspec itself takes links as they are written, ``&amp;`` for "&", and only up to an apostrophe.
    """
    page = _Page()
    page.feed(system.cat_file(folder).decode(errors="replace"))
    here = _address(folder).partition("://")[2] + "/"
    found = {}
    for link in page.links:
        url, mark, query = urljoin(folder, link).partition("#")[0].partition("?")
        place = _address(url).partition("://")[2]  # links may be to https where the page is by http, or without a user
        name = place.removeprefix(here)
        if name and name != place and "/" not in name:
            whole = folder + name + "/" * url.endswith("/") + mark + query
            found[whole] = {"name": whole, "type": "directory" if url.endswith("/") else "file"}
    return list(found.values())


class _Page(HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]


def _info(system: Any, path: str) -> dict[str, Any]:
    try:
        return dict(system.info(path))
    except Exception as error:  # each library has errors of its own; what they say may hold what is secret
        raise MediaError(f"Cannot be read: {reason(error)}.") from None


def fetch(file: RemoteFile, way: tuple[Any, str], to: Path, tell: Callable[[], None] = lambda: None) -> str:
    """Write a file's content to a path; gives the SHA-256 of all of it.

    Args:
        file: what to fetch.
        way: what :func:`file_system` says of it.
        to: the path.
        tell: called after each block.

    Raises:
        MediaError: it cannot be fetched, or is not whole; or what ``tell`` raises.
        OSError: it cannot be written.
    """
    system, path = way
    to.touch()  # the libraries tell of what they cannot write as if it could not be read
    for left in reversed(range(TRIES if is_http(file) else 1)):
        try:
            _copy(system, path, to, tell)
            break
        except MediaError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise
            if not left or is_missing(error) or is_denied(error):
                raise MediaError(f"Cannot be read: {reason(error)}.") from None
    if file.size and to.stat().st_size != file.size:
        raise MediaError("Cannot be fetched whole: it was changed, or the connection was cut. Run again.")
    with to.open("rb") as copy:
        return hashlib.file_digest(copy, "sha256").hexdigest()


def _copy(system: Any, path: str, to: Path, tell: Callable[[], None]) -> None:
    """Copy a file in one request, where that can be done without holding it in memory."""
    if system.async_impl:
        from fsspec.callbacks import Callback

        in_turn = {"max_concurrency": 1} if "s3" in system.protocol else {}  # else it holds ten parts of 50 MB
        system.get_file(path, str(to), callback=Callback(hooks={"tell": lambda *_, **__: tell()}), **in_turn)
        return
    with system.open(path, "rb") as source, to.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            target.write(block)
            tell()


def file_system(file: RemoteFile) -> tuple[Any, str]:
    """The file system of a URL, of fsspec, and the path in it.

    Raises:
        UsageError: a library for its protocol is missing.
        MediaError: there is no connection.
    """
    protocol = file.url.partition("://")[0]
    try:
        from fsspec.core import get_filesystem_class, url_to_fs

        more: dict[str, Any] = {}
        if get_filesystem_class(protocol).async_impl:
            more["use_listings_cache"] = False  # others keep none
        if protocol in ("http", "https"):
            more["client_kwargs"] = _patient(protocol)
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


def _patient(protocol: str) -> dict[str, Any]:
    """How to talk to a server: a file may take any time, but not a part of it. What fsspec's own files say stays."""
    from aiohttp import ClientTimeout
    from fsspec.config import conf

    timeout = ClientTimeout(total=None, sock_connect=SILENT_SECONDS, sock_read=SILENT_SECONDS)
    return {"timeout": timeout, **conf.get(protocol, {}).get("client_kwargs", {})}


def _with_facts(address: str, url: str, info: dict[str, Any]) -> RemoteFile:
    return RemoteFile(address, url, int(info.get("size") or 0), _version(info))


def _version(info: Mapping[str, Any]) -> str:
    """What changes with a file's content; "" if there is nothing, or only a date of just now."""
    tag = next((info[name] for name in ("ETag", "etag", "md5Hash") if info.get(name)), None)
    if tag is not None:
        return str(tag)
    names = ("LastModified", "Last-Modified", "last_modified", "updated", "mtime")
    date = next((info[name] for name in names if info.get(name)), None)
    try:
        when = date if isinstance(date, datetime) else parsedate_to_datetime(str(date))
    except ValueError:
        return "" if date is None else str(date)
    age = datetime.now(UTC) - (when if when.tzinfo else when.replace(tzinfo=UTC))
    return str(date) if abs(age.total_seconds()) > RACY_SECONDS else ""


def reason(error: Exception) -> str:
    """Why something cannot be read or written, without a word of the library, which may quote a URL."""
    if is_denied(error):
        return "access is denied"
    if is_missing(error):
        return "there is no such object"
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return "there is no space left, here or there"
    return f"the server does not answer as it should ({type(_origin(error)).__name__})"


def is_missing(error: Exception) -> bool:
    """Whether a server says that there is nothing."""
    error = _origin(error)
    return isinstance(error, FileNotFoundError) or _status(error) in (404, 410)


def is_denied(error: Exception) -> bool:
    """Whether a server says that nobody may have it, or only others."""
    error = _origin(error)
    kind = type(error).__name__
    denied = isinstance(error, PermissionError) or _status(error) in (401, 403)
    return denied or "Credential" in kind or "Auth" in kind


def _origin(error: Exception) -> Exception:
    """What a library calls a missing file for whatever reason: the reason."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and isinstance(cause, Exception) and _status(cause) is not None:
        return cause
    return error


def _status(error: Exception) -> int | None:
    names = ("status", "status_code", "code")
    status = next((code for name in names if (code := getattr(error, name, None)) is not None), None)
    return int(str(status)) if str(status).isdigit() else None
