"""What a run scans again and what not: only content and options count, and a changed file is a changed file."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import skimage.data

import fer_batch
from fer_batch import Options, detection
from fer_batch.errors import NothingUsable
from fer_batch.pipeline import contents, worker
from fer_batch.types import Detection
from tests.helpers import media
from tests.helpers.quick import Middle, no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("no_report")

HERE = Options(workers=0)


def photo(path: Path, number: int) -> Path:
    """A small photo, of which each number gives another."""
    grey = np.full((48, 64, 3), 60 + number % 150, np.uint8)
    grey[0, 0] = [number % 256, number // 256 % 256, 0]
    return media.write_photo(path, grey)


def run_on(folder: Path, out: Path, options: Options = HERE) -> dict[str, int]:
    """Analyse a folder; the counts of run.json."""
    fer_batch.analyze([folder], options, out=out)
    counts: dict[str, int] = json.loads((out / "run.json").read_text())["counts"]
    return counts


def tables(out: Path) -> dict[str, bytes]:
    paths = [*sorted((out / "timelines").rglob("*.csv")), out / "summary.csv", out / "errors.csv"]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("photos", [160, pytest.param(3000, marks=pytest.mark.slow)])
def test_of_a_folder_of_photos_only_new_ones_are_scanned(tmp_path: Path, photos: int) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    changes = photos // 100 or 1
    names = [f"{number:05}.bmp" for number in range(photos)]
    for number, name in enumerate(names):
        photo(folder / name, number)
    assert run_on(folder, out)["frames_scanned"] == photos
    drawn = random.Random(1).sample(names, 2 * changes)
    for name in drawn[:changes]:
        (folder / name).unlink()
    for name in drawn[changes:]:
        (folder / name).rename(folder / f"a{name}")
    assert run_on(folder, out)["frames_scanned"] == 0
    for number in range(changes):
        photo(folder / f"{number}-new.bmp", photos + number)
    counts = run_on(folder, out)
    assert (counts["frames_scanned"], counts["photos"]) == (changes, photos)
    run_on(folder, tmp_path / "fresh")
    assert tables(out) == tables(tmp_path / "fresh")
    timeline = pd.read_csv(out / "timelines" / "in.csv")
    assert timeline["frame"].tolist() == list(range(photos))
    assert set(timeline["file"]) == {path.name for path in folder.iterdir()}


@pytest.mark.usefixtures("quick")
def test_photos_in_which_something_is_wrong_are_told_of_under_their_new_names(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(3):
        photo(folder / f"{number}.bmp", number)
    shutil.copy(folder / "0.bmp", folder / "copy of 0.bmp")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    assert run_on(folder, out)["frames_scanned"] == 3
    (folder / "broken.jpg").rename(folder / "0 broken.jpg")
    assert run_on(folder, out)["frames_scanned"] == 0
    assert pd.read_csv(out / "errors.csv")["file"].tolist() == ["in/0 broken.jpg"]
    assert pd.read_csv(out / "timelines" / "in.csv")["file"].tolist() == ["0.bmp", "1.bmp", "2.bmp", "copy of 0.bmp"]


@pytest.mark.usefixtures("quick")
def test_a_video_that_is_moved_renamed_or_named_at_more_length_is_not_scanned_again(tmp_path: Path) -> None:
    study, out = tmp_path / "study", tmp_path / "out"
    (study / "p1").mkdir(parents=True)
    first = media.write_video(study / "p1" / "film.mp4")
    fer_batch.analyze([first], HERE, out=out)
    (study / "p2").mkdir()
    second = media.write_video(study / "p2" / "film.mp4", range(0, 1000, 50))
    run = fer_batch.analyze([first, second], HERE, out=out)  # now the first one is called p1/film.mp4
    assert list(run.timelines) == ["p1/film.mp4", "p2/film.mp4"]
    counts = json.loads((out / "run.json").read_text())["counts"]
    assert (counts["chunks_reused"], counts["frames_scanned"]) == (1, 20)
    moved = Path(shutil.move(first, study / "renamed.mp4"))
    run = fer_batch.analyze([moved, second], HERE, out=out)
    assert json.loads((out / "run.json").read_text())["counts"]["frames_scanned"] == 0
    assert set(fer_batch.read_timeline(run.timelines["renamed.mp4"])["file"]) == {"renamed.mp4"}


@pytest.mark.usefixtures("quick")
def test_what_is_wrong_with_a_video_is_told_under_its_new_name(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "old.ts", range(0, 2400, 40))
    media.damage(path, at=0.6, count=1000)
    before = fer_batch.analyze([path], HERE, out=tmp_path / "out")
    path.rename(tmp_path / "new.ts")
    after = fer_batch.analyze([tmp_path / "new.ts"], HERE, out=tmp_path / "out")
    assert [line.reason for line in after.skipped] == [line.reason for line in before.skipped] != []
    assert {line.file for line in after.skipped} == {"new.ts"}
    assert json.loads((tmp_path / "out" / "run.json").read_text())["counts"]["frames_scanned"] == 0


@pytest.mark.usefixtures("quick")
def test_renamed_frames_of_a_video_are_not_scanned_again(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(4):
        photo(folder / f"{number}.bmp", number)
    (folder / "4.jpg").write_bytes(b"\xff\xd8\xff broken")
    options = Options(workers=0, as_video=10)
    assert run_on(folder, out, options)["frames_scanned"] == 4
    for path in list(folder.iterdir()):
        path.rename(folder / f"frame {path.name}")
    assert run_on(folder, out, options)["frames_scanned"] == 0
    assert pd.read_csv(out / "errors.csv")["file"].tolist() == ["in/frame 4.jpg"]
    names = [f"frame {number}.bmp" for number in range(4)]
    assert pd.read_csv(out / "timelines" / "in.csv")["file"].tolist() == names


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("workers", [0, 2])
def test_media_that_are_there_twice_are_scanned_once_and_reported_twice(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers:
        monkeypatch.setattr(detection, "DEFAULT", "tests.helpers.odd_detectors:Blind")
    for folder in ("in/a", "in/b"):
        (tmp_path / folder).mkdir(parents=True)
        media.write_video(tmp_path / folder / "film.mp4")
        for number in range(20):
            photo(tmp_path / folder / f"{number}.bmp", number)
    options = Options(workers=workers)
    assert run_on(tmp_path / "in", tmp_path / "out", options)["frames_scanned"] == 25 + 20
    out = tmp_path / "out" / "timelines"
    for name in ("film.mp4.csv", ".csv"):
        first, second = ((out / f"{folder}{name}") for folder in (("a", "b") if name == ".csv" else ("a/", "b/")))
        assert len(pd.read_csv(first)) == len(pd.read_csv(second)) == (20 if name == ".csv" else 25)


def repaint(path: Path) -> None:
    """Another picture in the middle of a bitmap, of the same size."""
    image = skimage.data.astronaut().copy()
    image[50:200, 150:300] = 128
    cv2.imwrite(str(path), image[..., ::-1])


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_photo_that_was_painted_over_is_looked_at_again(tmp_path: Path, keep_times: bool) -> None:
    path = tmp_path / "portrait.bmp"
    cv2.imwrite(str(path), skimage.data.astronaut()[..., ::-1])
    run = fer_batch.analyze([path], HERE, out=tmp_path / "out")
    assert run.outcomes[0].faces == 1
    before = path.stat()
    repaint(path)
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert fer_batch.analyze([path], HERE, out=tmp_path / "out").outcomes[0].faces == 0


@pytest.mark.usefixtures("quick")
def test_a_damaged_video_that_is_replaced_by_a_whole_one_is_looked_at_again(tmp_path: Path) -> None:
    images = [np.random.default_rng(at).integers(0, 255, (96, 128, 3), np.uint8) for at in range(50)]
    good = media.write_video(
        tmp_path / "good.mp4", range(0, 2000, 40), images, container_options={"movflags": "+faststart"}
    )
    film = tmp_path / "film.mp4"
    whole = good.read_bytes()
    middle = len(whole) // 2
    film.write_bytes(whole[: middle - 20_000] + bytes(40_000) + whole[middle + 20_000 :])
    stamp = film.stat()
    damaged = fer_batch.analyze([film], HERE, out=tmp_path / "out")
    assert damaged.skipped
    film.write_bytes(whole)
    os.utime(film, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    run = fer_batch.analyze([film], HERE, out=tmp_path / "out")
    assert run.skipped == ()
    assert run.outcomes[0].frames == 50


@pytest.mark.usefixtures("quick")
def test_unchanged_files_are_read_only_once_unless_something_is_wrong_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    photo(folder / "whole.bmp", 1)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    media.write_video(folder / "film.mp4")
    media.damage(media.write_video(folder / "damaged.ts", range(0, 2400, 40)), at=0.6, count=1000)
    read: list[str] = []

    def reading(path: Path):
        read.append(path.name)
        return contents.reading_content(path)

    monkeypatch.setattr(worker, "reading_content", reading)
    run_on(folder, out)
    assert sorted(read) == ["broken.jpg", "damaged.ts", "film.mp4", "whole.bmp"]
    read.clear()
    assert run_on(folder, out)["frames_scanned"] == 0
    assert sorted(read) == ["broken.jpg", "damaged.ts"]
    read.clear()
    run_on(folder, out, Options(workers=0, restart=True))
    assert len(read) == 4


class Writing(Middle):
    """A detector under which a file changes."""

    change: Callable[[], object]

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        type(self).change()
        return super().detect(image, min_confidence)


@pytest.mark.usefixtures("quick")
def test_a_file_that_changes_while_it_is_read_is_told_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path / "a.bmp", 1)
    with monkeypatch.context() as patch:
        patch.setattr(Writing, "change", lambda: photo(path, 2), raising=False)
        patch.setitem(detection.REGISTRY, detection.DEFAULT, Writing)
        with pytest.raises(NothingUsable):
            fer_batch.analyze([path], HERE, out=tmp_path / "out")
    assert "changed while it was read" in (tmp_path / "out" / "errors.csv").read_text()
    assert not list((tmp_path / "out" / "work").glob("chunk-*"))
    assert fer_batch.analyze([path], HERE, out=tmp_path / "out").skipped == ()
