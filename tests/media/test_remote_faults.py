"""Servers that break off, lie, redirect, compress and are slow; and names that are awkward in URLs."""

import gzip
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote, unquote

import aiohttp
import numpy as np
import pandas as pd
import pytest

import fer_batch
from fer_batch import Options
from fer_batch.errors import MediaError, NothingUsable
from fer_batch.media import remote, sources
from fer_batch.pipeline import staging
from tests.helpers import media
from tests.helpers.buckets import bucket_with_study, folder_of_copies, small_study  # noqa: F401
from tests.helpers.quick import quick  # noqa: F401

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.filterwarnings("ignore")]  # of the libraries' own

HERE = Options(workers=0)


class Faulty(http.server.BaseHTTPRequestHandler):
    """Serves the server's ``files``; each way in which it is at fault is the first part of the path."""

    protocol_version = "HTTP/1.1"
    asked: Counter[str]
    files: dict[str, bytes]
    busy: set[int]
    most_at_once: int

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        cls = type(self)
        way, _, name = self.path.partition("?")[0].removeprefix("/").partition("/")
        cls.asked[self.path] += 1
        cls.busy.add(id(self))
        cls.most_at_once = max(cls.most_at_once, len(cls.busy))
        try:
            getattr(self, way)(name)
        finally:
            cls.busy.discard(id(self))

    def answer(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for header, value in ({"Content_Length": str(len(content))} | headers).items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def plain(self, name: str) -> None:
        if name:
            content = self.files.get(unquote(name))
            self.answer(content or b"", 200 if content is not None else 404)
            return
        page = "".join(f'<a class=file href="{escape(quote(file, safe=AS_THEY_ARE))}">x</a>' for file in self.files)
        self.answer(page.encode(), Content_Type="text/html")

    def late(self, name: str) -> None:
        sleep(0.05)
        self.plain(name)

    def moved(self, name: str) -> None:
        self.answer(b"", 302, Location=f"/plain/{name}")

    def compressed(self, name: str) -> None:
        self.answer(gzip.compress(self.files[unquote(name)]), Content_Encoding="gzip")

    def cut_once(self, name: str) -> None:
        self.close_connection = True
        content = self.files[unquote(name)]
        again = self.asked[f"GET {name}"]
        self.asked[f"GET {name}"] += self.command == "GET"
        self.answer(content if again else content[: len(content) // 2], Content_Length=str(len(content)))

    def cut(self, name: str) -> None:
        self.asked[f"GET {name}"] = 0
        self.cut_once(name)

    def lies_in_head(self, name: str) -> None:
        content = self.files[unquote(name)]
        self.answer(content, Content_Length=str(len(content) if self.command == "GET" else len(content) // 2))

    def without_length(self, name: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.files[unquote(name)])

    def no_heads(self, name: str) -> None:
        self.plain(name) if self.command == "GET" else self.answer(b"", 403)

    def denied(self, name: str) -> None:
        self.answer(b"", 403)

    def broken(self, name: str) -> None:
        self.answer(b"", 500)

    def trickles(self, name: str) -> None:
        content = self.files[unquote(name)]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for at in range(0, len(content) if self.command == "GET" else 0, len(content) // 5):
            sleep(0.15)
            self.wfile.write(content[at : at + len(content) // 5])


AS_THEY_ARE = "&'()+,;=@!~*"
"""Characters that servers leave as they are in links."""


@pytest.fixture(name="server")
def faulty_server(study: Path) -> Iterator[str]:
    content = (study / "p0" / "a film.mp4").read_bytes()
    Faulty.asked, Faulty.files, Faulty.busy, Faulty.most_at_once = Counter(), {"a film.mp4": content}, set(), 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def copy_of(url: str, to: Path) -> bytes:
    """What is fetched of a URL, as a run would."""
    (file,) = remote.walk(remote.parse(url))
    remote.fetch(file, remote.file_system(file), to)
    return to.read_bytes()


@pytest.mark.parametrize("way", ["plain", "moved", "compressed", "cut_once", "without_length", "no_heads", "trickles"])
def test_a_file_comes_whole_from_every_server(server: str, way: str, tmp_path: Path) -> None:
    assert copy_of(f"{server}/{way}/a%20film.mp4", tmp_path / "copy") == Faulty.files["a film.mp4"]


def test_half_a_file_is_never_taken_for_a_whole_one(server: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"Cannot be read: the server does not answer as it should \(ClientPayload"):
        copy_of(f"{server}/cut/a%20film.mp4", tmp_path / "copy")
    with pytest.raises(MediaError, match="Cannot be fetched whole"):
        copy_of(f"{server}/lies_in_head/a%20film.mp4", tmp_path / "copy")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_no_fault_of_the_server(server: str, tmp_path: Path) -> None:
    (tmp_path / "copy").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        copy_of(f"{server}/plain/a%20film.mp4", tmp_path / "copy")


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("plain/gone.mp4", "there is no such object"),
        ("denied/a%20film.mp4", "access is denied"),
        ("broken/a%20film.mp4", r"the server does not answer as it should \(ClientResponseError\)"),
    ],
)
def test_why_a_url_cannot_be_read_is_told_as_it_is(server: str, way: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(NothingUsable, match=why):
        fer_batch.analyze([f"{server}/{way}"], HERE, out=tmp_path / "out")


def test_a_file_may_take_any_time_as_long_as_something_comes(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp.client, "DEFAULT_TIMEOUT", aiohttp.ClientTimeout(total=0.3))  # instead of 5 minutes
    monkeypatch.setattr(remote, "SILENT_SECONDS", 0.5)
    remote.file_system(remote.parse(server))[0].clear_instance_cache()
    began = monotonic()
    assert copy_of(f"{server}/trickles/a%20film.mp4", tmp_path / "copy") == Faulty.files["a film.mp4"]
    assert monotonic() - began > 0.5


AWKWARD = [
    *("a%20b.jpg", "a b.jpg", "a+b.jpg", "a#b.jpg", "a?b.jpg", "a*b.jpg", "[ab].jpg", "a&b.jpg", "a&amp;b.jpg"),
    *("it's.jpg", 'a"b.jpg', "é.jpg", "e\u0301.jpg", "A.jpg", "a.jpg", "a%b.jpg", "{a}.jpg", "😀.jpg", "a;b=c@d.jpg"),
    *(" a.jpg", "a:b.jpg", "back\\slash.jpg", "a|b.jpg", f"{'x' * 400}.jpg"),
]


def awkward_photos(folder: Path) -> dict[str, bytes]:
    pictures = (np.full((48, 64, 3), 50 + 5 * number, np.uint8) for number in range(len(AWKWARD)))
    paths = (media.write_photo(folder / f"{number}.png", image) for number, image in enumerate(pictures))
    return {name: path.read_bytes() for name, path in zip(AWKWARD, paths, strict=True)}


def test_awkward_names_on_a_web_server_are_read_and_told_as_they_are(server: str, tmp_path: Path) -> None:
    Faulty.files = awkward_photos(tmp_path / "photos")
    run = fer_batch.analyze([f"{server}/plain/"], HERE, out=tmp_path / "out")
    assert run.skipped == ()
    assert set(pd.read_csv(tmp_path / "out" / "files.csv")["file"]) == set(AWKWARD)


def test_awkward_names_in_a_bucket_are_read_and_told_as_they_are(bucket: Any, tmp_path: Path) -> None:
    for name, content in awkward_photos(tmp_path / "photos").items():
        bucket.put_object(Bucket="lab", Key=f"odd/{name}", Body=content)
    bucket.put_object(Bucket="lab", Key="odd/", Body=b"")
    bucket.put_object(Bucket="lab", Key="odd/empty.jpg", Body=b"")
    bucket.put_object(Bucket="lab", Key="odd//hidden.jpg", Body=b"1")
    run = fer_batch.analyze(["s3://lab/odd"], HERE, out=tmp_path / "out")
    assert {line.file: line.reason for line in run.skipped} == {
        "odd": "What is in it under names that begin with a slash cannot be read. Rename it.",
        "odd/empty.jpg": "The file is empty.",
    }
    files = pd.read_csv(tmp_path / "out" / "files.csv")
    assert set(files["file"]) == {*AWKWARD, "empty.jpg"}
    assert len(pd.read_csv(tmp_path / "out" / "timelines" / "odd.csv")) == len(AWKWARD)


def test_names_that_are_equal_in_two_buckets_or_but_for_case_are_told_apart(bucket: Any, tmp_path: Path) -> None:
    bucket.create_bucket(Bucket="other")
    film = {"Bucket": "lab", "Key": "study/p0/a film.mp4"}
    for key in ("study/p0/a film.mp4", "study/p0/A Film.mp4"):
        bucket.copy_object(Bucket="other", Key=key, CopySource=film)
    run = fer_batch.analyze(["s3://lab/study/p0", "s3://other/study/p0"], HERE, out=tmp_path / "out")
    assert sorted(outcome.source.name for outcome in run.outcomes) == [
        "lab/study/p0/a film.mp4",
        "other/study/p0/A Film.mp4",
        "other/study/p0/a film.mp4~2",
    ]


def test_two_urls_that_differ_by_their_query_alone_are_told(server: str) -> None:
    given = [f"{server}/plain/a%20film.mp4{query}" for query in ("?id=1", "?id=2", "", "?id=1")]
    found = sources.walk(list(map(remote.parse, given)))
    assert [source.name for source in found.sources] == ["a film.mp4"]
    assert [(line.file, line.reason) for line in found.skipped] == [("a film.mp4", remote.OTHER_QUERY)]


def test_inputs_that_lie_within_each_other_count_once(server: str, bucket: Any) -> None:
    given = [f"{server}/plain/", f"{server}/plain/a%20film.mp4?signed", "s3://lab/study/p0", "s3://lab/study"]
    found = sources.walk(list(map(remote.parse, given)))
    assert [source.name for source in found.sources] == ["a film.mp4", "holiday", "p0/a film.mp4", "p1/a film.mp4"]


def test_some_files_are_fetched_at_the_same_time_and_within_a_bound(
    server: str, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "FILES_AT_ONCE", 5)
    Faulty.files = {f"{number}.jpg": b"%d" % number for number in range(23)}
    files = list(remote.walk(remote.parse(f"{server}/late/")))
    stage = staging.Staging("run")
    fetching = stage.fetching(files)
    found: dict[Any, Any] = {}
    while True:
        try:
            next(fetching)
        except StopIteration as end:
            found = end.value
            break
    assert {file.name: copy.path.read_bytes() for file, copy in found.items()} == Faulty.files
    assert 2 <= Faulty.most_at_once <= 5
    list(stage.fetching([]))
    assert not list(copies.rglob("*.jpg"))
    stage.close()


def test_remote_files_are_those_that_were_given(server: str) -> None:
    Faulty.files = {f"photo {number}.jpg": b"1" for number in range(3)}
    given = list(remote.walk(remote.parse(server.replace("//", "//me:word@") + "/plain/")))
    files = remote.RemoteFiles(given)
    assert (list(files), len(files), files[-1], files[1:]) == (given, 3, given[-1], tuple(given[1:]))
    assert [file.url for file in files] == [file.url for file in given]
    assert [file.stat() for file in files] == [file.stat() for file in given]
    assert files == remote.RemoteFiles(given) != remote.RemoteFiles(given[1:])
