"""Videos and photos by URL: the numbers of the same files on disk, and no word of what is secret."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.errors import ExitCode, MediaError, NothingUsable, UsageError
from fer_batch.media import remote, sources
from fer_batch.pipeline import staging
from fer_batch.pipeline.forecast import forecast
from tests.helpers import media
from tests.helpers.buckets import SECRET, bucket_with_study, deny, folder_of_copies, small_study, tables  # noqa: F401
from tests.helpers.quick import quick  # noqa: F401

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.filterwarnings("ignore")]  # of the libraries' own

HERE = Options(workers=0)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files without ranges; what is called denied is denied."""

    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "denied" in self.path and not self.path.endswith("/"):
            self.send_error(403)
        else:
            super().do_GET()


class WithRanges(Handler):
    """Serves parts of files, too."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file() or "denied" in self.path:
            super().do_GET() if self.command == "GET" else super().do_HEAD()
            return
        content = path.read_bytes()
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(part[1]) if part else 0
        stop = min(int(part[2]) + 1 if part and part[2] else len(content), len(content))
        self.send_response(206 if part else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        self.send_header("Content-Length", str(stop - start))
        if part:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[start:stop])


@pytest.fixture(params=[Handler, WithRanges])
def server(study: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    handler = functools.partial(request.param, directory=str(study.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def s3() -> Any:
    """The file system of buckets, which reads its credentials anew."""
    import s3fs

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


def every_word(out: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in out.rglob("*") if path.is_file())


def test_media_in_a_bucket_give_the_tables_of_the_same_files_on_disk(study: Path, bucket: Any, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "local")
    run = fer_batch.analyze(["s3://lab/study"], HERE, out=tmp_path / "out")
    assert run.ignored == ("notes.txt",)
    assert tables(tmp_path / "out") == tables(tmp_path / "local")
    assert SECRET not in every_word(tmp_path / "out")
    again = fer_batch.analyze(["s3://lab/study/"], HERE, out=tmp_path / "out")
    assert len(again.unchanged) == len(again.outcomes) == 3
    assert again.moved == {}
    # One that is changed is analysed again, and no other.
    media.write_video(study / "p0" / "a film.mp4", range(0, 320, 40), [np.full((48, 64, 3), 99, np.uint8)] * 8)
    bucket.upload_file(str(study / "p0" / "a film.mp4"), "lab", "study/p0/a film.mp4")
    third = fer_batch.analyze(["s3://lab/study"], HERE, out=tmp_path / "out")
    assert set(third.unchanged) == {"holiday", "p1/a film.mp4"}


def test_what_has_been_fetched_is_not_fetched_again_where_a_bucket_says_it_is_the_same(
    study: Path, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fer_batch.analyze(["s3://lab/study"], HERE, out=tmp_path / "out")
    monkeypatch.setattr(staging, "fetch", lambda *_: pytest.fail("fetched again"))
    fer_batch.analyze(["s3://lab/study"], HERE, out=tmp_path / "out")


def test_a_missing_object_is_a_line_and_the_others_are_analysed(bucket: Any, tmp_path: Path) -> None:
    run = fer_batch.analyze(["s3://lab/gone.mp4", "s3://lab/study/p0"], HERE, out=tmp_path / "out")
    assert [outcome.source.name for outcome in run.outcomes] == ["a film.mp4"]
    ((_, line),) = pd.read_csv(tmp_path / "out" / "errors.csv").iterrows()
    assert (line["file"], line["severity"]) == ("gone.mp4", "lost")
    assert line["reason"] == "Cannot be read: there is no such object."


def test_denied_objects_are_a_line_each_and_the_others_are_analysed(bucket: Any) -> None:
    deny(bucket, "study/p1/a film.mp4", "study/holiday/5.png")
    run = fer_batch.analyze(["s3://lab/study"], HERE, out="s3://lab/results")
    assert [(outcome.source.name, outcome.frames) for outcome in run.outcomes] == [
        ("holiday", 17),
        ("p0/a film.mp4", 8),
    ]
    with s3().open("lab/results/errors.csv", "rb") as file:
        errors = pd.read_csv(file)
    assert errors["file"].tolist() == ["holiday/5.png", "p1/a film.mp4"]
    assert errors["reason"].tolist() == ["Cannot be read: access is denied."] * 2


def test_a_server_of_files_gives_the_tables_of_the_same_files_on_disk(study: Path, server: str, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "local")
    fer_batch.analyze([f"{server}/study/"], HERE, out=tmp_path / "out")
    assert tables(tmp_path / "out") == tables(tmp_path / "local")


def test_links_of_a_page_to_what_is_not_below_it_are_not_followed(study: Path, server: str) -> None:
    links = "../p0/ ../../ /study/p0/ ./ ?C=N;O=D https://elsewhere.org/film.mp4 #top mailto:a@b.mp4".split()
    own = ("a film.mp4", "./a%20film.mp4", "/study/p1/a film.mp4", f"{server}/study/p1/a%20film.mp4")
    (study / "p1" / "index.html").write_text("".join(f'<a href="{link}">link</a>' for link in (*links, *own)))
    (study / "p0" / "index.html").write_text('<a href="../p1/">link</a>')
    for url in (f"{server}/study/p1/", f"{server}/study/p1/".replace("//", "//me:word@", 1)):
        found = sources.walk([remote.parse(url)])
        assert [source.name for source in found.sources] == ["a film.mp4"]
        assert not found.skipped


def test_a_whole_server_is_a_folder_too(study: Path, server: str) -> None:
    for roots in ([f"{server}/"], [f"{server}/", f"{server}/study/p1/a%20film.mp4"]):
        found = sources.walk([remote.parse(url) for url in roots])
        assert [source.name for source in found.sources] == [
            "study/holiday",
            "study/p0/a film.mp4",
            "study/p1/a film.mp4",
        ]


def test_what_is_denied_is_a_line_each_and_no_secret_is_told(study: Path, server: str, tmp_path: Path) -> None:
    (study / "holiday" / "5.png").rename(study / "holiday" / "denied.png")
    (study / "p1" / "a film.mp4").rename(study / "p1" / "denied.mp4")
    url = server.replace("http://", f"http://somebody:{SECRET}@")
    log = tmp_path / "log"
    arguments = ["analyze", f"{url}/study/", f"{url}/study/p0/a%20film.mp4?signature={SECRET}", "--workers", "0"]
    told = CliRunner().invoke(cli.app, [*arguments, "--out", str(tmp_path / "out"), "--log", str(log)])
    assert told.exit_code == ExitCode.SOME_LEFT_OUT, told.output
    errors = pd.read_csv(tmp_path / "out" / "errors.csv")
    assert errors["file"].tolist() == ["holiday/denied.png", "p1/denied.mp4"]
    assert errors["reason"].tolist() == ["Cannot be read: access is denied."] * 2
    timelines = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("timelines/**/*.csv"))
    assert list(map(str, timelines)) == ["timelines/holiday.csv", "timelines/p0/a film.mp4.csv"]
    for text in (told.output, log.read_text(), every_word(tmp_path / "out")):
        assert SECRET not in text


def test_a_folder_with_nothing_but_denied_ones_says_so(study: Path, server: str, tmp_path: Path) -> None:
    (study / "p1" / "a film.mp4").rename(study / "p1" / "denied.mp4")
    with pytest.raises(NothingUsable, match="access is denied"):
        fer_batch.analyze([f"{server}/study/p1/"], HERE, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("url", "parts", "address"),
    [
        (
            "https://me:word@h.org:8/a%20b/c.mp4?sig=x#y",
            ("https:", "h.org:8", "a b", "c.mp4"),
            "https://h.org:8/a%20b/c.mp4",
        ),
        ("s3://lab/a b?/c#.jpg", ("s3:", "lab", "a b?", "c#.jpg"), "s3://lab/a b?/c#.jpg"),
        ("sftp://me:w@rd@h/x/", ("sftp:", "h", "x"), "sftp://h/x"),
    ],
)
def test_a_url_is_told_without_what_is_secret(url: str, parts: tuple[str, ...], address: str) -> None:
    file = remote.parse(url)
    assert (file.parts, str(file), file.name) == (parts, address, parts[-1])
    assert address in repr(file)
    assert "me:" not in repr(file)


def test_a_file_by_url_is_a_path_and_what_is_no_url_is_refused() -> None:
    assert remote.parse("file:///a%20b/c.mp4") == Path("/a b/c.mp4")
    assert remote.parse("a/b.mp4") == Path("a/b.mp4")
    with pytest.raises(UsageError, match="is no URL"):
        remote.parse("s3://")
    with pytest.raises(UsageError, match="It is no protocol of fsspec"):
        list(remote.walk(remote.parse("nothing://host/file")))
    with pytest.raises(UsageError, match="--dry-run tries media on this machine only"):
        forecast(["s3://lab/study"], HERE)


def fetched(stage: staging.Staging, *files: remote.RemoteFile) -> list[Any]:
    fetching = stage.fetching(files)
    while True:
        try:
            next(fetching)
        except StopIteration as end:
            return [end.value[file].path for file in files]


def test_a_protocol_that_needs_more_than_the_url_says_is_not_called_missing() -> None:
    with pytest.raises(MediaError, match="Are the URL and the credentials right"):
        remote.file_system(remote.parse("github://lab"))  # without a repository


def test_workers_share_copies_and_the_last_one_removes_them(study: Path, server: str, copies: Path) -> None:
    one, other = (next(remote.walk(remote.parse(f"{server}/study/p{n}/"))) for n in range(2))
    first, second = staging.Staging("run"), staging.Staging("run")
    Handler.asked.clear()
    (path,) = fetched(first, one)
    assert path.read_bytes() == (study / "p0" / "a film.mp4").read_bytes()
    assert path.suffix == ".mp4"
    asked = len(Handler.asked)
    assert fetched(second, one) == [path]
    assert len(Handler.asked) == asked
    (next_path,) = fetched(first, other)
    assert path.exists()  # the second worker holds it
    assert fetched(second, other) == [next_path]
    assert not path.exists()
    staging.remove("run")
    assert next_path.exists()  # they are alive
    first.close()
    assert next_path.exists()
    second.close()
    assert not list(copies.iterdir())


def test_what_a_killed_worker_left_the_next_run_removes(server: str, copies: Path) -> None:
    killed = staging.Staging("run")
    (path,) = fetched(killed, next(remote.walk(remote.parse(f"{server}/study/p0/"))))
    _, _, (_, alive, held), _ = killed.close.detach()
    alive.close()
    held.popitem()[1].close()
    assert path.exists()
    staging.Staging("another run").close()
    assert not list(copies.iterdir())


def test_a_file_that_comes_cut_short_is_an_error(study: Path, server: str, tmp_path: Path) -> None:
    file = remote.RemoteFile(f"{server}/study/notes.txt", f"{server}/study/notes.txt", size=7)
    with pytest.raises(MediaError, match="Cannot be fetched whole"):
        remote.fetch(file, remote.file_system(file), tmp_path / "copy")
    assert unquote(urlsplit(file.address).path) == "/study/notes.txt"


def test_a_full_disk_is_not_taken_for_a_fault_of_the_server() -> None:
    assert remote.reason(OSError(28, f"s3://{SECRET}")) == "there is no space left, here or there"
    assert "server" in remote.reason(OSError(5, f"s3://{SECRET}"))


@pytest.mark.parametrize(
    ("seconds", "facts", "is_known"),
    [
        (1, {"ETag": '"a"', "LastModified": True}, True),
        (1, {"mtime": True}, False),
        (3600, {"mtime": True}, True),
        (1, {"Last-Modified": "text"}, False),
        (3600, {"Last-Modified": "text"}, True),
        (0, {}, False),
    ],
)
def test_a_date_of_just_now_tells_of_no_version(seconds: float, facts: dict[str, Any], is_known: bool) -> None:
    when = datetime.now(UTC) - timedelta(seconds=seconds)
    dates = {True: when, "text": format_datetime(when, usegmt=True)}

    class Server:
        """Lists one file."""

        def info(self, _: str) -> dict[str, Any]:
            return {"type": "file", "size": 1} | {name: dates.get(value, value) for name, value in facts.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "file_system", lambda _: (Server(), "a.jpg"))
        (file,) = remote.walk(remote.parse("sftp://host/a.jpg"))
    assert remote.has_version(file) is is_known
