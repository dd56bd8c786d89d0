"""media.json says where videos and photos are only where that helps, and names no user."""

import json
from pathlib import Path

import pytest

from fer_batch.output import media_links
from fer_batch.types import Kind, Source


def a_source(path, kind=Kind.VIDEO, name="a.mp4"):
    return Source(kind, name, (path,), name)


def touched(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_media_beside_the_output_are_found_and_can_move_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/jane"))
    home = tmp_path / "study"
    video, photo = touched(home / "films/a.mp4"), touched(home / "photos/x.jpg")
    (home / "out").mkdir()
    media_links.write_media(home / "out", [a_source(video), a_source(photo, Kind.PHOTOS, "photos")])
    assert json.loads((home / "out" / media_links.MEDIA).read_text()) == {
        "a.mp4": "../films/a.mp4",
        "photos": "../photos",
    }
    moved = home.rename(tmp_path / "elsewhere")
    found = media_links.read_media(moved / "out")
    assert {name: path.resolve() for name, path in found.items()} == {
        "a.mp4": (moved / "films/a.mp4").resolve(),
        "photos": (moved / "photos").resolve(),
    }
    video = moved / "films/a.mp4"
    video.unlink()
    assert set(media_links.read_media(moved / "out")) == {"photos"}


@pytest.mark.parametrize(
    ("video", "out"),
    [
        ("/mnt/data/a.mp4", "/srv/out"),
        ("/home/jane/a.mp4", "/home/bob/out"),
        ("/home/jane/a.mp4", "/tmp/out"),
        ("/Users/jane/a.mp4", "/Users/bob/out"),
        ("/data/jane/a.mp4", "/data/out"),
        ("/data/\udcff/a.mp4", "/data/out"),
    ],
)
def test_media_elsewhere_are_not_told_of(video, out, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/jane"))
    assert media_links.relative_path(Path(video), Path(out)) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"a.mp4": 3}', '{"a.mp4": "/etc/passwd"}', '{"a.mp4": "gone.mp4"}'])
def test_what_is_damaged_absolute_or_gone_is_nowhere(text, tmp_path):
    (tmp_path / media_links.MEDIA).write_text(text)
    assert media_links.read_media(tmp_path) == {}
    assert media_links.read_media(tmp_path / "nothing") == {}


def test_a_source_is_found_in_the_folder_that_a_user_names(tmp_path):
    for name in ("films/sub/a.mp4", "films/b.mp4", "holiday/a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    videos = tmp_path / "films"
    assert media_links.find(videos, "sub/a.mp4") == videos / "sub/a.mp4"
    assert media_links.find(videos, "films/b.mp4") == videos / "b.mp4"
    assert media_links.find(videos, "long/ago/b.mp4") == videos / "b.mp4"
    assert (
        media_links.find(tmp_path, "holiday")
        == media_links.find(tmp_path / "holiday", "holiday")
        == tmp_path / "holiday"
    )
    assert media_links.find(videos, "holiday") is None
    assert media_links.find(videos, "c.mp4") is None
