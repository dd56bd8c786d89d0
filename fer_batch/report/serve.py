"""A server for one report, for browsers that play no local videos from pages opened as files. Nobody else can reach it.

It answers on the loopback address only, and only requests for that address: a page from elsewhere that leads its own
name to it gets nothing. It gives out files of the output folder, and the videos and photos that its pages show.
"""

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from fer_batch.errors import UsageError, why
from fer_batch.output.csv import read_timeline
from fer_batch.output.media_links import read_media
from fer_batch.report.pages.base import INDEX, SHOWN

LOOPBACK = "127.0.0.1"

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def make_server(folder: Path, port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """A server that has not begun, and the address of the report; ``port`` 0: any that is free.

    Raises:
        UsageError: there is no report in the folder, or the port is taken.
    """
    if not all((folder / name).is_file() for name in (INDEX, SHOWN, "run.json")):
        raise UsageError(f"{folder} holds no report. Run `fer-batch analyze` or `fer-batch report` first.")
    folder = folder.resolve()
    media = {path.resolve() for path in _shown(folder)}
    # Pages name videos and photos relative to themselves, so addresses must go as far up as these do.
    root = Path(os.path.commonpath([folder, *(path.parent for path in media)]))
    handler = partial(_Handler, directory=str(root), folder=folder, media=frozenset(media))
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError as error:
        raise UsageError(f"Port {port} cannot be used ({why(error)}). Give another --port.") from error
    place = (folder / INDEX).relative_to(root).as_posix()
    return server, f"http://{LOOPBACK}:{server.server_port}/{quote(place)}"


def _shown(folder: Path) -> Iterator[Path]:
    """The videos that pages play, and the photos that they show large."""
    media, shown = read_media(folder), _json(folder / SHOWN)["shown"]
    for source in _json(folder / "run.json")["sources"]:
        place = media.get(source["name"])
        if place is None or source["name"] not in shown:
            continue
        if place.is_file():
            yield place
        else:
            yield from (place / file for file in read_timeline(folder / source["timeline"])["file"].unique())


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class _Handler(SimpleHTTPRequestHandler):
    """Files of the folder, and videos and photos, whole or the part that is asked for."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, folder: Path, media: frozenset[Path], **more: Any) -> None:
        self._folder, self._media = folder, media
        self._left: int | None = None
        super().__init__(*arguments, **more)

    def send_head(self) -> Any:
        """Answer with the headers; returns the open file, None after an error."""
        self._left = None
        path = Path(self.translate_path(self.path)).resolve()
        here = {f"{name}:{cast(ThreadingHTTPServer, self.server).server_port}" for name in (LOOPBACK, "localhost")}
        if self.headers.get("Host") not in here:
            self.send_error(HTTPStatus.FORBIDDEN)
            return None
        if self.path == "/favicon.ico":  # asked for by browsers; the pages have none
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
            return None
        if not path.is_file() or not (path.is_relative_to(self._folder) or path in self._media):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        return self._send_part(path, *asked.groups()) if asked and any(asked.groups()) else super().send_head()

    def _send_part(self, path: Path, first: str, last: str) -> BinaryIO | None:
        size = path.stat().st_size
        start = int(first) if first else max(0, size - int(last))
        stop = min(int(last) + 1, size) if first and last else size
        if start >= stop:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        file = path.open("rb")
        file.seek(start)
        self._left = stop - start
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Length", str(self._left))
        self.end_headers()
        return file

    def end_headers(self) -> None:
        """Say that parts can be asked for."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send the file, or as much as was asked for; browsers often hang up before the end."""
        try:
            if self._left is None:
                super().copyfile(source, outputfile)
                return
            while self._left > 0 and (block := source.read(min(self._left, 2**16))):
                outputfile.write(block)
                self._left -= len(block)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the standard library
        """Print nothing."""
