"""serve: the report over the loopback address, with its videos and photos, and nothing else."""

import http.client
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from fer_batch import cli
from fer_batch.errors import UsageError
from fer_batch.options import ReportOptions
from fer_batch.output import media_links
from fer_batch.report import render, serve
from tests.report.test_report import a_folder, a_video, write_output


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report beside its video and its photos, and files that are not to be seen."""
    study = tmp_path_factory.mktemp("study")
    folder = write_output(
        study / "out", [a_video("a film.mp4", {0: range(5)}, 5), a_folder("photos", {"in/a b.jpg": 1})]
    )
    (study / "photos" / "in").mkdir(parents=True)
    (study / "photos" / "in" / "a b.jpg").write_bytes(b"a photo")
    (study / "photos" / "in" / "private.jpg").write_bytes(b"no")
    (study / "videos").mkdir()
    (study / "videos" / "a film.mp4").write_bytes(bytes(range(256)) * 1000)
    (study / "videos" / "secret.txt").write_text("no")
    (folder / media_links.MEDIA).write_text('{"a film.mp4": "../videos/a film.mp4", "photos": "../photos"}')
    render.render(folder)
    return folder


@contextmanager
def served(folder):
    server, address = serve.make_server(folder)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield urlsplit(address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(address, path, **headers):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_pages_and_their_videos_are_served(report):
    with served(report) as address:
        assert address.hostname == "127.0.0.1"
        answer, body = ask(address, address.path)
        assert (answer.status, body) == (200, (report / "index.html").read_bytes())
        assert ask(address, "/out/pages/a%20film.mp4.html")[0].status == 200
        assert ask(address, "/favicon.ico")[0].status == 204
        answer, body = ask(address, "/videos/a%20film.mp4")
        assert (answer.status, len(body), answer.headers["Accept-Ranges"]) == (200, 256_000, "bytes")


def test_photos_are_served_unless_they_were_not_to_be_seen(report):
    with served(report) as address:
        assert ask(address, "/photos/in/a%20b.jpg")[1] == b"a photo"
        assert ask(address, "/photos/in/private.jpg")[0].status == 404
    render.render(report, ReportOptions(thumbnails=True, anonymize=True))
    with served(report) as address:
        assert ask(address, "/photos/in/a%20b.jpg")[0].status == 404
    render.render(report)


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-", 0, 256_000),
        ("bytes=100-199", 100, 200),
        ("bytes=-10", 255_990, 256_000),
        ("bytes=9-999999", 9, 256_000),
    ],
)
def test_a_part_of_a_video_is_that_part(report, asked, first, stop):
    whole = (report.parent / "videos" / "a film.mp4").read_bytes()
    with served(report) as address:
        answer, body = ask(address, "/videos/a%20film.mp4", Range=asked)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{stop - 1}/256000"
    assert body == whole[first:stop]


def test_a_part_beyond_the_end_is_refused(report):
    with served(report) as address:
        answer, _ = ask(address, "/videos/a%20film.mp4", Range="bytes=256000-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */256000")


@pytest.mark.parametrize(
    "path",
    ["/videos/secret.txt", "/videos/", "/out/", "/", "/out/../videos/secret.txt", "/out/%2e%2e/videos/secret.txt"],
)
def test_nothing_else_is_served(report, path):
    with served(report) as address:
        assert ask(address, path)[0].status == 404


def test_a_page_from_elsewhere_gets_nothing(report):
    with served(report) as address:
        assert ask(address, address.path, Host="evil.example")[0].status == 403
        assert ask(address, address.path, Host=f"localhost:{address.port}")[0].status == 200


def test_a_folder_without_a_report_and_a_taken_port_are_refused(report, tmp_path):
    with pytest.raises(UsageError, match="holds no report"):
        serve.make_server(tmp_path)
    with served(report) as address, pytest.raises(UsageError, match="Give another --port"):
        serve.make_server(report, address.port)


def test_the_command_says_where_and_ends_quietly(report, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(
        "http.server.ThreadingHTTPServer.serve_forever", lambda self: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    result = CliRunner().invoke(cli.app, ["serve", str(report), "--open"])
    assert result.exit_code == 0
    assert result.output.startswith("http://127.0.0.1:")
    assert opened == [result.output.split()[0]]
    result = CliRunner().invoke(cli.app, ["report", str(report), "--open"])
    assert result.exit_code == 0
    assert opened[1] == (report / "index.html").resolve().as_uri()
