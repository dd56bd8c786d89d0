"""Whole runs over real media: what must come out, what must be said, and what must not happen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import frictionless
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer_batch
from fer_batch import Options, detectors, films
from fer_batch.errors import ModelError, NothingUsable, OutputError, OutputRefused, UsageError
from fer_batch.types import Detection
from tests import media

NASTY = ["$HOME", "<script>alert(1)<", "=cmd()|'x'", "-rf", "two words", "línea\nnueva", 'quo"te', "a%2Fb"]
"""Names that a shell, a browser, a spreadsheet or a CSV reader might trip over."""


@pytest.fixture(scope="module")
def face(astronaut: Path) -> np.ndarray:
    """(240, 320, 3) uint8: the astronaut's head and shoulders."""
    return cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (320, 240))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, face: np.ndarray) -> Path:
    """What people hand in: photographs and films, well and broken."""
    folder = tmp_path_factory.mktemp("inputs") / "study"
    (folder / "sub").mkdir(parents=True)
    media.write_photograph(folder / "face.png", face)
    media.write_photograph(folder / "nobody.png", np.full((240, 320, 3), 127, np.uint8))
    media.write_photograph(folder / "sub" / "face.jpg", face)
    constant = list(range(0, 480, 40))
    media.write_film(folder / "constant.mp4", constant, [face] * 12)
    media.write_film(folder / "variable.mkv", [0, 33, 66, 500, 533, 1500], [face] * 6)
    media.write_film(folder / "rotated.mp4", constant, [np.rot90(face, -1)] * 12, display=(90, False, False))
    moving = [np.roll(face, at, axis=0) for at in range(60)]
    media.damage(media.write_film(folder / "breaks.ts", range(0, 2400, 40), moving), at=0.6, count=3000)
    media.write_film(folder / "sub" / "nobody.mp4", constant)
    (folder / "empty.mp4").touch()
    (folder / "garbage.jpg").write_bytes(b"no picture" * 50)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    media.truncate(media.write_photograph(folder / "cut.jpg", noise), 0.4)
    media.write_sound(folder / "sound.mp4")
    (folder / "notes.txt").write_text("Not a photograph.")
    (folder / ".hidden.png").write_bytes((folder / "face.png").read_bytes())
    return folder


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> fer_batch.Run:
    return fer_batch.analyze([inputs], out=tmp_path_factory.mktemp("results") / "out")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_readable_frame_is_in_a_timeline(run: fer_batch.Run) -> None:
    counts = {outcome.source.name: outcome.frames for outcome in run.outcomes}
    assert counts.pop("breaks.ts") > 30
    assert counts == {
        "constant.mp4": 12,
        "rotated.mp4": 12,
        "study": 2,
        "sub": 1,
        "sub/nobody.mp4": 12,
        "variable.mkv": 6,
    }
    for name, path in run.timelines.items():
        timeline = fer_batch.read_timeline(path)
        assert timeline["frame"].nunique() == next(one.frames for one in run.outcomes if one.source.name == name)


def test_everything_unreadable_is_in_errors_csv_with_its_reason(run: fer_batch.Run) -> None:
    errors = pd.read_csv(run.folder / "errors.csv")
    reasons = dict(zip(errors["file"], errors["reason"], strict=True))
    assert set(reasons) == {"breaks.ts", "empty.mp4", "sound.mp4", "study/cut.jpg", "study/garbage.jpg"}
    assert "empty" in reasons["empty.mp4"]
    assert "only sound" in reasons["sound.mp4"]
    assert "truncated" in reasons["study/cut.jpg"]
    assert "Not a photograph" in reasons["study/garbage.jpg"]
    kept = dict(zip(errors["file"], errors["rows_kept"], strict=True))
    assert kept["breaks.ts"] == 1
    assert kept["empty.mp4"] == 0
    assert run.ignored == ("notes.txt",)


def test_the_face_is_found_wherever_it_is(run: fer_batch.Run) -> None:
    for name in ("constant.mp4", "rotated.mp4", "variable.mkv"):
        timeline = fer_batch.read_timeline(run.timelines[name])
        assert timeline["success"].all(), name
        assert (timeline["face_id"] == 0).all()
        assert (timeline["emotion"] == "happiness").mean() > 0.9
    upright = fer_batch.read_timeline(run.timelines["constant.mp4"])[["x", "y", "width", "height"]].mean()
    turned = fer_batch.read_timeline(run.timelines["rotated.mp4"])[["x", "y", "width", "height"]].mean()
    assert (upright - turned).abs().max() < 3


def test_times_are_those_of_the_film(run: fer_batch.Run) -> None:
    timeline = fer_batch.read_timeline(run.timelines["variable.mkv"])
    assert timeline["timestamp"].tolist() == [0, 0.033, 0.066, 0.5, 0.533, 1.5]
    assert timeline["duration"].tolist()[:-1] == [0.033, 0.033, 0.434, 0.033, 0.967]


def test_a_frame_without_a_face_is_a_row(run: fer_batch.Run) -> None:
    for name, rows in (("sub/nobody.mp4", 12), ("study", 1)):
        timeline = fer_batch.read_timeline(run.timelines[name])
        nobody = timeline[~timeline["success"]]
        assert len(nobody) == rows
        assert nobody[["face_id", "x", "anger", "neutral"]].isna().all(axis=None)
        assert (nobody["emotion"] == "").all()


def test_the_summary_sums_up_every_face(run: fer_batch.Run) -> None:
    summary = pd.read_csv(run.folder / "summary.csv").set_index("file")
    assert summary.loc["constant.mp4", "seconds_visible"] == pytest.approx(0.48)
    assert summary.loc["variable.mkv", "faces"] == 6
    assert summary.loc["sub", "kind"] == "photos"
    assert "sub/nobody.mp4" not in summary.index


def test_run_json_accounts_for_everything(run: fer_batch.Run, inputs: Path) -> None:
    text = (run.folder / "run.json").read_text()
    facts = json.loads(text)
    assert facts["counts"]["left_out"] == 4
    assert facts["counts"]["frames"] == sum(one.frames for one in run.outcomes)
    assert facts["counts"]["photographs"] == 3
    assert len(facts["model"]["sha256"]) == 64
    assert str(inputs.parent) not in text


def test_the_tables_are_what_their_description_says(run: fer_batch.Run) -> None:
    report = frictionless.validate(str(run.folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    assert report.stats["tasks"] == 2 + len(run.outcomes)


def test_the_report_is_there_and_names_what_was_left_out(run: fer_batch.Run) -> None:
    page = run.report.read_text()
    assert "garbage.jpg" in page
    assert "constant.mp4" in page


def test_a_second_run_gives_the_same_bytes(run: fer_batch.Run, inputs: Path, tmp_path: Path) -> None:
    again = fer_batch.analyze([inputs], out=tmp_path / "out")
    assert contents(again.folder / "timelines") == contents(run.folder / "timelines")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all media that are opened for decoding from now on."""
    names: list[str] = []

    def counting(real: Callable[..., object]) -> Callable[..., object]:
        def count(path: object, *args: object, **options: object) -> object:
            names.append(str(path))
            return real(path, *args, **options)

        return count

    monkeypatch.setattr(av, "open", counting(av.open))
    monkeypatch.setattr(Image, "open", counting(Image.open))
    return names


def test_another_view_opens_no_media(run: fer_batch.Run, inputs: Path, tmp_path: Path, opened: list[str]) -> None:
    readable = tmp_path / "study"
    shutil.copytree(inputs, readable, ignore=shutil.ignore_patterns("empty.mp4", "sound.mp4"))
    out = tmp_path / "out"
    shutil.copytree(run.folder, out)
    changed = fer_batch.analyze([readable], Options(view="ferplus", min_confidence=0.9), out=out)
    assert opened == []
    assert fer_batch.read_timeline(changed.timelines["constant.mp4"])["success"].mean() <= 1
    assert contents(out / "timelines") != contents(run.folder / "timelines")
    fer_batch.analyze([readable], Options(view="ferplus", min_confidence=0.9, restart=True), out=out)
    assert len(opened) > 5


def test_a_changed_file_is_seen_again_and_no_other(inputs: Path, run: fer_batch.Run, tmp_path: Path, opened) -> None:
    changed, out = tmp_path / "study", tmp_path / "out"
    shutil.copytree(inputs, changed, ignore=shutil.ignore_patterns("empty.mp4", "sound.mp4"))
    shutil.copytree(run.folder, out)
    shutil.copyfile(changed / "constant.mp4", changed / "variable.mkv")
    fer_batch.analyze([changed], out=out)
    assert {Path(name).name for name in opened} == {"variable.mkv"}


def test_timelines_of_an_earlier_run_do_not_stay(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([inputs / "face.png", inputs / "constant.mp4"], Options(fps=5), out=out)
    fer_batch.analyze([inputs / "face.png"], Options(keep=False), out=out)
    assert [path.name for path in (out / "timelines").rglob("*.csv")] == ["study.csv"]
    assert not list((out / "work").glob("*"))


def test_nasty_names_stay_what_they_are_and_stay_inside(tmp_path: Path, face: np.ndarray) -> None:
    folder = tmp_path / "in"
    for name in NASTY:
        (folder / name).mkdir(parents=True)
        media.write_photograph(folder / name / f"{name}.png", face)
    run = fer_batch.analyze([folder], out=tmp_path / "out")
    assert {outcome.source.name for outcome in run.outcomes} == set(NASTY)
    for name, path in run.timelines.items():
        assert path.resolve().is_relative_to((tmp_path / "out" / "timelines").resolve())
        assert fer_batch.read_timeline(path)["file"].tolist() == [f"{name}.png"]
    assert "<script>alert" not in "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))
    report = frictionless.validate(str(run.folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])


WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["WATCHED"], "a") as file:
            print(event, arguments, file=file)

sys.addaudithook(watch)
"""
"""A sitecustomize that writes down every step towards another machine, in this process and all its children."""


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_an_analysis_makes_no_network_connection(inputs: Path, tmp_path: Path, runtime: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched.txt"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "WATCHED": str(watched)}
    environment.pop("CI", None)  # some packages keep still there only

    def run(*arguments: str | Path) -> None:
        subprocess.run([sys.executable, *map(str, arguments)], env=environment, check=True, capture_output=True)

    run("-m", "fer_batch", "analyze", inputs / "face.png", "--out", tmp_path / "out", "--runtime", runtime)
    assert not watched.exists(), watched.read_text()
    run("-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))")
    assert "socket.connect" in watched.read_text()  # it would have been seen


def test_an_output_folder_with_other_files_is_refused(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(OutputRefused, match="did not make"):
        fer_batch.analyze([inputs], out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_output_folder_that_cannot_be_made_is_told(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write into"):
        fer_batch.analyze([inputs], out=tmp_path / "file" / "out")


def test_the_output_folder_is_not_walked(tmp_path: Path, face: np.ndarray) -> None:
    media.write_photograph(tmp_path / "face.png", face)
    for _ in range(2):
        run = fer_batch.analyze([tmp_path], out=tmp_path / "out")
        assert [outcome.source.name for outcome in run.outcomes] == [tmp_path.name]


def test_nothing_to_analyse_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(NothingUsable, match="no photograph and no film"):
        fer_batch.analyze([tmp_path / "in"], out=tmp_path / "out")
    with pytest.raises(UsageError, match="There is no file or folder"):
        fer_batch.analyze([tmp_path / "nowhere"], out=tmp_path / "out")
    with pytest.raises(UsageError, match="--fps"):
        Options(fps=0)
    assert not (tmp_path / "out").exists()


def test_nothing_readable_is_told_with_its_reasons(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").touch()
    with pytest.raises(NothingUsable, match="Nothing could be read"):
        fer_batch.analyze([tmp_path / "in"], out=tmp_path / "out")
    assert "empty" in (tmp_path / "out" / "errors.csv").read_text()
    assert "a.mp4" in (tmp_path / "out" / "index.html").read_text()


def test_a_model_that_is_none_ends_the_run_before_it_begins(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"not a \.keras"):
        fer_batch.analyze([inputs], Options(model=tmp_path / "model.keras"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stretch_without_frames_is_told(inputs: Path, tmp_path: Path) -> None:
    run = fer_batch.analyze([inputs / "constant.mp4", inputs / "variable.mkv"], Options(start=1), out=tmp_path / "out")
    assert [outcome.source.name for outcome in run.outcomes] == ["variable.mkv"]
    assert [one.reason for one in run.skipped] == ["No frame lies between --start and --end."]


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path, face: np.ndarray) -> None:
    media.write_photograph(tmp_path / "in.png", face).chmod(0)
    with pytest.raises(NothingUsable):
        fer_batch.analyze([tmp_path], out=tmp_path / "out")
    assert "Permission denied" in (tmp_path / "out" / "errors.csv").read_text()


def test_the_public_names_are_there_and_no_others() -> None:
    assert set(fer_batch.__all__) == {"Options", "Run", "__version__", "analyze", "read_timeline"}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = fer_batch.nonsense


def test_renamed_photographs_have_their_new_names(tmp_path: Path, face: np.ndarray) -> None:
    (tmp_path / "in").mkdir()
    media.write_photograph(tmp_path / "in" / "a.png", face)
    fer_batch.analyze([tmp_path / "in"], out=tmp_path / "out")
    (tmp_path / "in" / "a.png").rename(tmp_path / "in" / "b.png")
    run = fer_batch.analyze([tmp_path / "in"], out=tmp_path / "out")
    assert fer_batch.read_timeline(run.timelines["in"])["file"].tolist() == ["b.png"]


@pytest.mark.parametrize("whole", [0.5, 0.99])
def test_a_chunk_file_that_was_cut_off_is_made_again(inputs: Path, tmp_path: Path, whole: float) -> None:
    for _ in range(2):
        run = fer_batch.analyze([inputs / "constant.mp4"], out=tmp_path / "out")
        assert run.skipped == ()
        assert len(fer_batch.read_timeline(run.timelines["constant.mp4"])) == 12
        for path in (tmp_path / "out" / "work").glob("*.parquet"):
            media.truncate(path, whole)


def test_a_chunk_file_that_was_damaged_is_told_and_then_made_again(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([inputs / "constant.mp4"], out=out)
    (chunk,) = (out / "work").glob("*.parquet")
    media.damage(chunk, at=0.1, count=300)
    with pytest.raises(NothingUsable):
        fer_batch.analyze([inputs / "constant.mp4"], out=out)
    assert "damaged and is removed" in (out / "errors.csv").read_text()
    assert fer_batch.analyze([inputs / "constant.mp4"], out=out).skipped == ()


class Careless:
    """A detector that a green picture upsets."""

    facts = {"name": "careless"}  # noqa: RUF012

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        if image[..., 1].mean() > 1.5 * image[..., 0].mean():
            raise ZeroDivisionError("it is not easy being green")
        return []


def test_an_unforeseen_error_costs_its_chunk_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(detectors.REGISTRY, detectors.DEFAULT, Careless)
    monkeypatch.setattr(films, "CHUNK_SECONDS", Fraction(1))
    grey, green = (np.full((48, 64, 3), colour, np.uint8) for colour in ((90, 90, 90), (20, 200, 20)))
    pictures = [grey] * 25 + [green] * 25 + [grey] * 25
    folder = tmp_path / "in"
    folder.mkdir()
    media.write_film(folder / "a.mp4", range(0, 3000, 40), pictures, keyframe_every=25)
    media.write_film(folder / "b.mp4", range(0, 1000, 40), [grey] * 25)
    for _ in range(2):
        run = fer_batch.analyze([folder], out=tmp_path / "out")
        assert [one.frames for one in run.outcomes] == [50, 25]
        (left_out,) = run.skipped
        assert left_out.rows_kept
        assert left_out.reason.startswith("1.000 s to 1.960 s could not be looked at. Unexpected ZeroDivisionError")
    counts = json.loads((tmp_path / "out" / "run.json").read_text())["counts"]
    assert (counts["chunks_seen"], counts["chunks_reused"]) == (0, 3)


def test_a_film_whose_chunks_lack_frames_is_read_straight_through(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "CHUNK_SECONDS", Fraction(1))
    noise = np.random.default_rng(1)
    pictures = [np.clip(face + noise.integers(-20, 20, face.shape), 0, 255).astype(np.uint8) for _ in range(100)]
    film = media.write_film(tmp_path / "a.ts", range(0, 4000, 40), pictures, keyframe_every=25)
    whole = fer_batch.analyze([film], out=tmp_path / "whole")
    assert whole.outcomes[0].facts["read_by"] == "chunks"
    assert whole.outcomes[0].frames == 100
    damaged = media.damage(film, at=0.5, count=5000)
    run = fer_batch.analyze([damaged], out=tmp_path / "damaged")
    assert run.outcomes[0].facts["read_by"] == "stamps"
    assert 60 < run.outcomes[0].frames < 100
    assert run.skipped
    assert all(one.rows_kept for one in run.skipped)
