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
from fer_batch import Options, detection
from fer_batch.classifiers.model_file import SHIPPED, ModelFile
from fer_batch.emotions import EMOTIONS
from fer_batch.errors import ModelError, NothingUsable, OutputError, OutputRefused, UsageError
from fer_batch.media.video import reader
from fer_batch.openvino_net import F32, INT8, Precision
from fer_batch.options import OPENVINO, TENSORFLOW
from fer_batch.pipeline import executors
from fer_batch.pipeline.executors.processes import Processes
from fer_batch.types import Detection, Outcome, Source
from tests.helpers import media, odd_detectors
from tests.helpers.quick import no_report  # noqa: F401

pytestmark = pytest.mark.usefixtures("no_report")

NASTY = ["$HOME", "<script>alert(1)<", "=cmd()|'x'", "-rf", "two words", "línea\nnueva", 'quo"te', "a%2Fb"]
"""Names that a shell, a browser, a spreadsheet or a CSV reader might trip over."""

HERE = Options(workers=0)
"""For tests that processes have nothing to do with."""


@pytest.fixture(scope="module")
def face(astronaut: Path) -> np.ndarray:
    """(240, 320, 3) uint8: the astronaut's head and shoulders."""
    return cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:300, 60:460], (320, 240))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, face: np.ndarray) -> Path:
    """What people hand in: photos and videos, well and broken."""
    folder = tmp_path_factory.mktemp("inputs") / "study"
    (folder / "sub").mkdir(parents=True)
    media.write_photo(folder / "face.png", face)
    media.write_photo(folder / "nobody.png", np.full((240, 320, 3), 127, np.uint8))
    media.write_photo(folder / "sub" / "face.jpg", face)
    constant = list(range(0, 480, 40))
    media.write_video(folder / "constant.mp4", constant, [face] * 12)
    media.write_video(folder / "variable.mkv", [0, 33, 66, 500, 533, 1500], [face] * 6)
    media.write_video(folder / "rotated.mp4", constant, [np.rot90(face, -1)] * 12, display=(90, False, False))
    moving = [np.roll(face, at, axis=0) for at in range(60)]
    media.damage(media.write_video(folder / "breaks.ts", range(0, 2400, 40), moving), at=0.6, count=3000)
    media.write_video(folder / "sub" / "nobody.mp4", constant)
    (folder / "empty.mp4").touch()
    (folder / "garbage.jpg").write_bytes(b"no picture" * 50)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    media.truncate(media.write_photo(folder / "cut.jpg", noise), 0.4)
    media.write_sound(folder / "sound.mp4")
    (folder / "notes.txt").write_text("Not a photograph.")
    (folder / ".hidden.png").write_bytes((folder / "face.png").read_bytes())
    return folder


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> fer_batch.Run:
    return fer_batch.analyze([inputs], Options(workers=2), out=tmp_path_factory.mktemp("results") / "out")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_readable_frame_is_in_a_timeline(run: fer_batch.Run) -> None:
    counts = {outcome.source.name: outcome.frames for outcome in run.outcomes}
    assert counts.pop("breaks.ts") > 30
    assert counts == {
        "constant.mp4": 12,
        "rotated.mp4": 12,
        "study": 3,
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
    assert reasons["study/cut.jpg"] == "Cut off: a part of the photo is missing."
    assert "Not a photo," in reasons["study/garbage.jpg"]
    kept = dict(zip(errors["file"], errors["rows_kept"], strict=True))
    assert kept["breaks.ts"] == kept["study/cut.jpg"] == 1
    damaged = fer_batch.read_timeline(run.timelines["study"]).set_index("file")["damaged"]
    assert damaged["cut.jpg"]
    assert not damaged.drop("cut.jpg").any()
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


def test_times_are_those_of_the_video(run: fer_batch.Run) -> None:
    timeline = fer_batch.read_timeline(run.timelines["variable.mkv"])
    assert timeline["timestamp"].tolist() == [0, 0.033, 0.066, 0.5, 0.533, 1.5]
    assert timeline["duration"].tolist()[:-1] == [0.033, 0.033, 0.434, 0.033, 0.967]


class ByLight:
    """A classifier that takes a little more light for happiness and a little less for sadness."""

    runtime = "by light"

    def predict(self, faces: np.ndarray) -> np.ndarray:
        happy = faces.mean(axis=(1, 2)) > 138
        names = np.where(happy, EMOTIONS.index("happiness"), EMOTIONS.index("sadness"))
        return np.repeat(np.eye(7, dtype=np.float32)[names][:, np.newaxis], 2, axis=1)


def test_a_happy_second_at_30_frames_and_nine_sad_ones_at_1_frame_are_10_and_90_percent(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelFile, "load", lambda *_: ByLight())
    dim = face.copy()
    dim[40:150, 80:190] = (face[40:150, 80:190] * 0.94).astype(np.uint8)  # the face alone: no cut
    timestamps = [*range(30), *range(30, 300, 30)]
    images = [face] * 30 + [dim] * 9
    video = media.write_video(
        tmp_path / "moods.mkv", [round(at * 1000 / 30) for at in timestamps] + [10_000], [*images, face]
    )
    run = fer_batch.analyze([video], Options(workers=0, end=10), out=tmp_path / "out")
    timeline = fer_batch.read_timeline(run.timelines["moods.mkv"])
    assert (len(timeline), timeline["success"].all(), (timeline["emotion"] == "happiness").sum()) == (39, True, 30)
    summary = pd.read_csv(run.folder / "summary.csv").iloc[0]
    shares = summary[["mean_happiness", "mean_sadness", "strongest_happiness", "strongest_sadness"]].tolist()
    assert shares == [0.1, 0.9, 0.1, 0.9]
    episodes = pd.read_csv(run.folder / "episodes.csv")
    assert episodes[["emotion", "start", "stop"]].to_numpy().tolist() == [["happiness", 0, 1], ["sadness", 1, 10]]
    assert summary["episodes_per_minute"] == 12


def test_a_frame_without_a_face_is_a_row(run: fer_batch.Run) -> None:
    for name, rows in (("sub/nobody.mp4", 12), ("study", 2)):
        timeline = fer_batch.read_timeline(run.timelines[name])
        nobody = timeline[~timeline["success"]]
        assert len(nobody) == rows
        assert nobody[["face_id", "person", "x", "anger", "neutral", "emotion"]].isna().all(axis=None)


def test_the_summary_sums_up_every_face(run: fer_batch.Run) -> None:
    summary = pd.read_csv(run.folder / "summary.csv").set_index("file")
    assert summary.loc["constant.mp4", "seconds_visible"] == pytest.approx(0.48)
    assert summary.loc["variable.mkv", "faces"] == 6
    assert summary.loc["sub", "kind"] == "photos"
    assert "sub/nobody.mp4" not in summary.index


def test_a_face_that_smiles_throughout_has_one_episode(run: fer_batch.Run) -> None:
    episodes = pd.read_csv(run.folder / "episodes.csv", keep_default_na=False).set_index("file")
    assert set(episodes.index) >= {"constant.mp4", "variable.mkv"}
    one = episodes.loc["variable.mkv"]
    assert (one["face_id"], one["person"], one["emotion"], one["start"]) == (0, "", "happiness", 0)
    assert one["stop"] == one["duration"] > 1.5
    timeline = fer_batch.read_timeline(run.timelines["variable.mkv"])
    assert one["peak"] == timeline["happiness"].max()
    summary = pd.read_csv(run.folder / "summary.csv").set_index("file").loc["variable.mkv"]
    assert summary["episodes_per_minute"] == pytest.approx(60 / one["duration"], abs=1e-3)
    assert summary["mean_happiness"] == pytest.approx(one["mean"], abs=1e-4)


def test_run_json_accounts_for_everything(run: fer_batch.Run, inputs: Path) -> None:
    text = (run.folder / "run.json").read_text()
    facts = json.loads(text)
    assert (facts["counts"]["left_out"], facts["counts"]["degraded"]) == (3, 2)
    assert facts["counts"]["frames"] == sum(one.frames for one in run.outcomes)
    assert facts["counts"]["photos"] == 4
    assert len(facts["model"]["sha256"]) == 64
    assert str(inputs.parent) not in text


def test_the_tables_are_what_their_description_says(run: fer_batch.Run) -> None:
    report = frictionless.validate(str(run.folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    assert report.stats["tasks"] == len(["summary", "episodes", "errors", "files"]) + len(run.outcomes)


def test_the_report_is_there_and_names_what_was_left_out(run: fer_batch.Run) -> None:
    page = run.report.read_text()
    assert "garbage.jpg" in page
    assert "constant.mp4" in page


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes(run: fer_batch.Run, inputs: Path, tmp_path: Path) -> None:
    again = fer_batch.analyze([inputs], Options(workers=2), out=tmp_path / "out")
    assert contents(again.folder / "timelines") == contents(run.folder / "timelines")


TABLES = ("timelines", "summary.csv", "episodes.csv", "errors.csv")


def tables(folder: Path) -> dict[str, bytes]:
    """What must not depend on how the work was shared."""
    return {name: content for name, content in contents(folder).items() if name.startswith(TABLES)}


@pytest.mark.parametrize("workers", [0, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 4))])
def test_any_number_of_processes_gives_the_same_bytes(
    run: fer_batch.Run, inputs: Path, tmp_path: Path, workers: int
) -> None:
    other = fer_batch.analyze([inputs], Options(workers=workers), out=tmp_path / "out")
    assert len(tables(run.folder)) == len(run.outcomes) + 3
    assert tables(other.folder) == tables(run.folder)


class Listener:
    """A Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.promised = self.looked_at = 0
        self.ended: list[str] = []

    def begin(self, source: Source, frames: int) -> None:
        self.promised += frames

    def advance(self, frames: int) -> None:
        self.looked_at += frames

    def end(self, source: Source, outcome: Outcome | None) -> None:
        self.ended.append(source.name)

    def rendered(self, pages: int, of: int) -> None:
        pass

    def waiting(self, reason: str) -> None:
        raise AssertionError(reason)


@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_progress_is_told_of_every_frame_once(inputs: Path, tmp_path: Path, workers: int) -> None:
    progress = Listener()
    paths = [inputs / "face.png", inputs / "constant.mp4", inputs / "variable.mkv"]
    for _ in range(2):  # the second time there is nothing left to look at
        fer_batch.analyze(paths, Options(workers=workers), out=tmp_path / "out", progress=progress)
        assert progress.promised == progress.looked_at == 1 + 12 + 6
    assert sorted(progress.ended) == sorted(["study", "constant.mp4", "variable.mkv"] * 2)


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
    changed = fer_batch.analyze([readable], Options(view="ferplus", min_confidence=0.9, workers=0), out=out)
    assert opened == []
    assert fer_batch.read_timeline(changed.timelines["constant.mp4"])["success"].mean() <= 1
    assert contents(out / "timelines") != contents(run.folder / "timelines")
    fer_batch.analyze([readable], Options(view="ferplus", min_confidence=0.9, restart=True, workers=0), out=out)
    assert len(opened) > 5


@pytest.fixture
def finished(run: fer_batch.Run, inputs: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Inputs and their results, to work on; without what is opened by every run because it cannot be read."""
    readable, out = tmp_path / "study", tmp_path / "out"
    shutil.copytree(inputs, readable, ignore=shutil.ignore_patterns("empty.mp4", "sound.mp4"))
    shutil.copytree(run.folder, out)
    return readable, out


def test_people_are_named_joined_and_summed_up_without_opening_media(
    finished: tuple[Path, Path], tmp_path: Path, opened: list[str]
) -> None:
    readable, out = finished
    people = tmp_path / "people.csv"
    lines = ["constant.mp4,0,Anna,guest,A", "variable.mkv,0,Anna,guest,A", "rotated.mp4,0,=Bo,host,B"]
    lines += ["study/face.png,0,Anna,guest,A", "rotated.mp4,9,=Bo,host,B"]
    people.write_text("\n".join(["file,face_id,person,role,group", *lines]), encoding="utf-8-sig")
    named = fer_batch.analyze([readable], Options(people=people, workers=0), out=out)
    assert opened == []
    assert [one.reason[:38] for one in named.skipped if one.file == "rotated.mp4"] == [
        "people.csv line 6: there is no face 9 i"[:38]
    ]
    assert set(fer_batch.read_timeline(named.timelines["constant.mp4"])["person"]) == {"Anna"}
    photos = fer_batch.read_timeline(named.timelines["study"]).set_index("file")["person"].fillna("")
    assert photos.to_dict() == {"cut.jpg": "", "face.png": "Anna", "nobody.png": ""}
    summary = pd.read_csv(out / "summary.csv", keep_default_na=False).set_index("file")
    assert summary.loc["rotated.mp4", ["person", "role", "group"]].tolist() == ["=Bo", "host", "B"]
    assert summary.loc["study", "person"] == ""
    by_person = pd.read_csv(out / "summary_by_person.csv").set_index(["person", "kind"])
    assert by_person.index.tolist() == [("=Bo", "video"), ("Anna", "photos"), ("Anna", "video")]
    assert by_person.loc[("Anna", "video"), "files"] == 2
    seconds = [float(summary.loc[name, "seconds_visible"]) for name in ("constant.mp4", "variable.mkv")]
    assert by_person.loc[("Anna", "video"), "seconds_visible"] == pytest.approx(sum(seconds))
    episodes = pd.read_csv(out / "episodes.csv", keep_default_na=False)
    assert set(episodes.loc[episodes["file"] == "rotated.mp4", "person"]) == {"=Bo"}
    facts = json.loads((out / "run.json").read_text())
    assert (facts["statistics_over_people"]["persons"], facts["statistics_over_people"]["groups"]) == (2, 2)
    by_group = pd.read_csv(out / "summary_by_group.csv").set_index(["kind", "group", "measure"])
    anna = by_person.loc[("Anna", "video"), "mean_happiness"]
    assert by_group.loc[("video", "A", "mean_happiness"), ["persons", "mean"]].tolist() == [1, anna]
    differences = pd.read_csv(out / "group_differences.csv").set_index(["kind", "measure"])
    difference = differences.loc[("video", "mean_happiness"), "difference"]
    assert difference == pytest.approx(anna - by_person.loc[("=Bo", "video"), "mean_happiness"], abs=2e-4)
    assert facts["options"]["people"] == "people.csv"
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    fer_batch.analyze([readable], HERE, out=out)
    assert not {path.name for path in out.glob("*.csv")} & {
        "summary_by_person.csv",
        "summary_by_group.csv",
        "group_differences.csv",
    }
    assert json.loads((out / "run.json").read_text())["statistics_over_people"].startswith("none: a face_id is a track")


def test_events_and_a_baseline_are_measured_without_opening_media(
    finished: tuple[Path, Path], tmp_path: Path, opened: list[str]
) -> None:
    readable, out = finished
    events = tmp_path / "events.csv"
    lines = ["variable.mkv,,,,10", ",task,10,10.5,", "constant.mp4,late,99,100,", "constant.mp4,task,0.1,0.3,"]
    events.write_text("\n".join(["file,label,start,stop,offset", *lines]))
    run = fer_batch.analyze([readable], Options(events=events, baseline=(10.0, 10.4), workers=0), out=out)
    assert opened == []
    told = [one.reason for one in run.skipped if one.file == "constant.mp4"]
    assert told[0].startswith("events.csv line 3: 'task' is at 10 to 10.5 s of constant.mp4, of which 0 to 0.48 s")
    assert told[1].startswith("events.csv line 4: 'late'")
    assert told[2].startswith("No face is visible in the baseline, 10 to 10.4 s")
    by_event = pd.read_csv(out / "summary_by_event.csv").set_index(["file", "label", "start"])
    task = by_event.loc[("variable.mkv", "task", 0.0)]
    assert (task["stop"], task["face_id"], task["seconds_visible"], task["seconds_missing"]) == (0.5, 0, 0.5, 0)
    assert by_event.loc[("constant.mp4", "task", 0.1), "seconds_visible"] == pytest.approx(0.2)
    nobody = by_event.loc[("sub/nobody.mp4", "task", 10.0)]
    assert (nobody["faces"], nobody["seconds_missing"], nobody["seconds_outside"]) == (0, 0, 0.5)
    assert np.isnan(nobody["mean_anger"])
    kept = pd.read_csv(out / "events.csv")
    assert kept[kept["file"] == "variable.mkv"][["label", "start", "stop"]].to_numpy().tolist() == [["task", 0, 0.5]]
    timeline = fer_batch.read_timeline(run.timelines["variable.mkv"])
    change = timeline["change_happiness"] + np.average(
        timeline["happiness"][:3],
        weights=np.minimum(timeline["timestamp"] + timeline["duration"], 0.4)[:3] - timeline["timestamp"][:3],
    )
    assert change.to_numpy() == pytest.approx(timeline["happiness"].to_numpy(), abs=2e-4)
    summary = pd.read_csv(out / "summary.csv").set_index("file")
    assert summary.loc["constant.mp4", "change_anger":].isna().all()
    assert summary.loc["variable.mkv", "change_anger":].notna().all()
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    fer_batch.analyze([readable], HERE, out=out)
    assert not (out / "summary_by_event.csv").exists()
    assert not (out / "events.csv").exists()
    assert "change_anger" not in pd.read_csv(out / "summary.csv")


def test_a_mistake_in_people_csv_ends_the_run_before_media_are_opened(
    inputs: Path, tmp_path: Path, opened: list[str]
) -> None:
    (tmp_path / "people.csv").write_text("file,face_id,person\nvariable.mk,0,Anna\n")
    with pytest.raises(UsageError, match=r"people\.csv line 2: there is no video .* Did you mean 'variable.mkv'\?"):
        fer_batch.analyze([inputs], Options(people=tmp_path / "people.csv", workers=0), out=tmp_path / "out")
    assert opened == []
    assert not (tmp_path / "out").exists()


def test_smoothing_and_other_episodes_open_no_media_and_leave_the_raw_columns(
    run: fer_batch.Run, finished: tuple[Path, Path], opened: list[str]
) -> None:
    readable, out = finished
    options = Options(workers=0, smooth=0.5, episode_enter=0.2, episode_leave=0.1, episode_shortest=0.2)
    smoothed = fer_batch.analyze([readable], options, out=out)
    assert opened == []
    for name, path in smoothed.timelines.items():
        before, after = fer_batch.read_timeline(run.timelines[name]), fer_batch.read_timeline(path)
        pd.testing.assert_frame_equal(after[before.columns], before)
        assert ("smooth_anger" in after) == (not name.startswith(("study", "sub")) or name.endswith("mp4"))
    calm = fer_batch.read_timeline(smoothed.timelines["constant.mp4"])
    assert calm["smooth_happiness"].std() < calm["happiness"].std()
    assert (calm["smooth_emotion"] == "happiness").all()
    assert len((out / "episodes.csv").read_text()) >= len((run.folder / "episodes.csv").read_text())
    assert json.loads((out / "run.json").read_text())["options"]["smooth"] == 0.5
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    fer_batch.analyze([readable], HERE, out=out)
    assert contents(out / "timelines") == contents(run.folder / "timelines")


def test_a_changed_file_is_seen_again_and_no_other(inputs: Path, run: fer_batch.Run, tmp_path: Path, opened) -> None:
    changed, out = tmp_path / "study", tmp_path / "out"
    shutil.copytree(inputs, changed, ignore=shutil.ignore_patterns("empty.mp4", "sound.mp4"))
    shutil.copytree(run.folder, out)
    shutil.copyfile(changed / "constant.mp4", changed / "variable.mkv")
    fer_batch.analyze([changed], HERE, out=out)
    assert {Path(name).name for name in opened} == {"variable.mkv"}


def test_timelines_of_an_earlier_run_do_not_stay(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([inputs / "face.png", inputs / "constant.mp4"], Options(fps=5, workers=0), out=out)
    fer_batch.analyze([inputs / "face.png"], Options(keep=False, replace=True, workers=0), out=out)
    assert [path.name for path in (out / "timelines").rglob("*.csv")] == ["study.csv"]
    assert not list((out / "work").glob("*"))


def test_nasty_names_stay_what_they_are_and_stay_inside(tmp_path: Path, face: np.ndarray) -> None:
    folder = tmp_path / "in"
    for name in NASTY:
        (folder / name).mkdir(parents=True)
        media.write_photo(folder / name / f"{name}.png", face)
    run = fer_batch.analyze([folder], HERE, out=tmp_path / "out")
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


@pytest.mark.parametrize("runtime", [OPENVINO, pytest.param(TENSORFLOW, marks=pytest.mark.slow)])
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
        fer_batch.analyze([inputs], HERE, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_output_folder_that_cannot_be_made_is_told(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write into"):
        fer_batch.analyze([inputs], HERE, out=tmp_path / "file" / "out")


def test_the_output_folder_is_not_walked(tmp_path: Path, face: np.ndarray) -> None:
    media.write_photo(tmp_path / "face.png", face)
    for _ in range(2):
        run = fer_batch.analyze([tmp_path], HERE, out=tmp_path / "out")
        assert [outcome.source.name for outcome in run.outcomes] == [tmp_path.name]


def test_nothing_to_analyse_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(NothingUsable, match="no photo and no video"):
        fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out")
    with pytest.raises(UsageError, match="There is no file or folder"):
        fer_batch.analyze([tmp_path / "nowhere"], HERE, out=tmp_path / "out")
    with pytest.raises(UsageError, match="--fps"):
        Options(fps=0)
    assert not (tmp_path / "out").exists()


def test_nothing_readable_is_told_with_its_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # with a report
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").touch()
    with pytest.raises(NothingUsable, match="Nothing could be read"):
        fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out")
    assert "empty" in (tmp_path / "out" / "errors.csv").read_text()
    assert "a.mp4" in (tmp_path / "out" / "index.html").read_text()


def test_a_model_that_is_none_ends_the_run_before_it_begins(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"not a \.keras"):
        fer_batch.analyze([inputs], Options(model=tmp_path / "model.keras"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_that_a_worker_cannot_load_ends_the_run(inputs: Path, tmp_path: Path) -> None:
    alone = tmp_path / "mine.keras"  # without its .xml
    alone.write_bytes(SHIPPED.read_bytes())
    options = Options(model=alone, runtime=OPENVINO, workers=1)
    with pytest.raises(ModelError, match="cannot be loaded as an OpenVINO model"):
        fer_batch.analyze([inputs / "face.png"], options, out=tmp_path / "out")


def test_another_precision_opens_the_media_again_and_is_told(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    media.write_photo(tmp_path / "in" / "face.png", face)
    for name, scanned in ((F32, 1), (F32, 0), (INT8, 1), (F32, 0)):
        monkeypatch.setattr(ModelFile, "precision", lambda *_, name=name: Precision(name, "a test wants it"))
        fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out")
        facts = json.loads((tmp_path / "out" / "run.json").read_text())
        assert facts["counts"]["chunks_scanned"] == scanned
        assert (facts["model"]["precision"], facts["model"]["precision_why"]) == (name, "a test wants it")


def test_a_stretch_without_frames_is_told(inputs: Path, tmp_path: Path) -> None:
    two = [inputs / "constant.mp4", inputs / "variable.mkv"]
    run = fer_batch.analyze(two, Options(start=1, workers=0), out=tmp_path / "out")
    assert [outcome.source.name for outcome in run.outcomes] == ["variable.mkv"]
    assert [one.reason for one in run.skipped] == ["No frame lies between --start and --end."]


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path, face: np.ndarray) -> None:
    media.write_photo(tmp_path / "in.png", face).chmod(0)
    with pytest.raises(NothingUsable):
        fer_batch.analyze([tmp_path], HERE, out=tmp_path / "out")
    assert "Permission denied" in (tmp_path / "out" / "errors.csv").read_text()


def test_the_public_names_are_there_and_no_others() -> None:
    names = "Options Run __version__ analyze read_timeline read_timelines scan_timelines summarize"
    assert set(fer_batch.__all__) == set(names.split())
    with pytest.raises(AttributeError, match="nonsense"):
        _ = fer_batch.nonsense


def test_renamed_photos_have_their_new_names(tmp_path: Path, face: np.ndarray) -> None:
    (tmp_path / "in").mkdir()
    media.write_photo(tmp_path / "in" / "a.png", face)
    fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out")
    (tmp_path / "in" / "a.png").rename(tmp_path / "in" / "b.png")
    run = fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out")
    assert fer_batch.read_timeline(run.timelines["in"])["file"].tolist() == ["b.png"]


@pytest.mark.parametrize("whole", [pytest.param(0.5, marks=pytest.mark.slow), 0.99])
def test_a_chunk_file_that_was_cut_off_is_made_again(inputs: Path, tmp_path: Path, whole: float) -> None:
    for _ in range(2):
        run = fer_batch.analyze([inputs / "constant.mp4"], HERE, out=tmp_path / "out")
        assert run.skipped == ()
        assert len(fer_batch.read_timeline(run.timelines["constant.mp4"])) == 12
        for path in (tmp_path / "out" / "work").glob("*.parquet"):
            media.truncate(path, whole)


def test_a_chunk_file_that_was_damaged_is_told_and_then_made_again(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([inputs / "constant.mp4"], HERE, out=out)
    (chunk,) = (out / "work").glob("*.parquet")
    media.damage(chunk, at=0.1, count=300)
    with pytest.raises(NothingUsable):
        fer_batch.analyze([inputs / "constant.mp4"], HERE, out=out)
    assert "damaged and is removed" in (out / "errors.csv").read_text()
    assert fer_batch.analyze([inputs / "constant.mp4"], HERE, out=out).skipped == ()


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
    monkeypatch.setitem(detection.REGISTRY, detection.DEFAULT, Careless)
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    grey, green = (np.full((48, 64, 3), colour, np.uint8) for colour in ((90, 90, 90), (20, 200, 20)))
    images = [grey] * 25 + [green] * 25 + [grey] * 25
    folder = tmp_path / "in"
    folder.mkdir()
    media.write_video(folder / "a.mp4", range(0, 3000, 40), images, keyframe_every=25)
    media.write_video(folder / "b.mp4", range(0, 1000, 40), [grey] * 25)
    for _ in range(2):
        run = fer_batch.analyze([folder], HERE, out=tmp_path / "out")
        assert [one.frames for one in run.outcomes] == [50, 25]
        (left_out,) = run.skipped
        assert left_out.rows_kept
        assert left_out.reason.startswith("1.000 s to 1.960 s could not be scanned. Unexpected ZeroDivisionError")
    counts = json.loads((tmp_path / "out" / "run.json").read_text())["counts"]
    assert (counts["chunks_scanned"], counts["chunks_reused"]) == (0, 3)


def odd_video(path: Path, *levels: int) -> Path:
    """A video of a second for each of the numbers whose grey it has, and a chunk for each second."""
    images = [media.pixels(number) for number in levels for _ in range(25)]
    return media.write_video(path, range(0, len(images) * 40, 40), images, keyframe_every=25)


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Videos whose chunks are of one second, of which one has a second that upsets odd detectors."""
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    folder = tmp_path / "in"
    folder.mkdir()
    odd_video(folder / "a.mp4", 3, odd_detectors.GRIEF, 5, 7)
    odd_video(folder / "b.mp4", 3, 5)
    return folder


def detect_with(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "DEFAULT", f"tests.helpers.odd_detectors:{name}")


GRIEFS = [
    ("Aborting", 1, "SIGABRT"),
    pytest.param("Aborting", 3, "SIGABRT", marks=pytest.mark.slow),
    ("Raising", 0, "Unexpected ZeroDivisionError: of one grey"),
    pytest.param("Raising", 2, "Unexpected ZeroDivisionError: of one grey", marks=pytest.mark.slow),
    pytest.param("Hanging", 2, "did not respond for 4 s", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("detector", "workers", "cause"), GRIEFS)
def test_what_befalls_one_stretch_costs_that_stretch_and_is_made_good_by_a_later_run(
    odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, detector: str, workers: int, cause: str
) -> None:
    detect_with("Blind", monkeypatch)
    whole = fer_batch.analyze([odd], HERE, out=tmp_path / "whole")
    assert whole.skipped == ()
    detect_with(detector, monkeypatch)
    out = tmp_path / "out"
    with monkeypatch.context() as impatient:
        if workers:
            impatient.setattr(executors, "make", lambda work, workers, *_: Processes(work, workers, hang_seconds=4))
        run = fer_batch.analyze([odd], Options(workers=workers), out=out)
    assert [(one.source.name, one.frames) for one in run.outcomes] == [("a.mp4", 75), ("b.mp4", 50)]
    ((_, line),) = pd.read_csv(out / "errors.csv").iterrows()
    assert line["file"] == "a.mp4"
    assert line["rows_kept"] == 1
    assert line["reason"].startswith("1.000 s to 1.960 s could not be scanned. ")
    assert cause in line["reason"]
    seconds = fer_batch.read_timeline(run.timelines["a.mp4"])["timestamp"]
    assert seconds.tolist() == pytest.approx([at / 25 for at in range(100) if not 25 <= at < 50])
    detect_with("Blind", monkeypatch)
    again = fer_batch.analyze([odd], HERE, out=out)
    assert again.skipped == ()
    counts = json.loads((out / "run.json").read_text())["counts"]
    assert (counts["chunks_scanned"], counts["chunks_reused"]) == (1, 5)
    assert tables(out) == tables(whole.folder)


@pytest.mark.parametrize("runtime", [OPENVINO, pytest.param(TENSORFLOW, marks=pytest.mark.slow)])
def test_a_crash_that_does_not_come_again_leaves_no_trace(
    odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    detect_with("SureAbortingOnce", monkeypatch)
    images = [media.pixels(number) for number in (4, 8, 12, odd_detectors.GRIEF, 24) for _ in range(20)]
    video = media.write_video(odd / "c.mp4", range(0, 4000, 40), images, keyframe_every=100)  # one chunk
    options = Options(workers=2, batch_size=4, detect_every=5, runtime=runtime)
    runs = []
    for mark in ("crashed", "calm"):
        monkeypatch.setenv(odd_detectors.MARK, str(tmp_path / mark))
        if mark == "calm":
            (tmp_path / mark).touch()
        runs.append(fer_batch.analyze([odd / "b.mp4", video], options, out=tmp_path / f"{mark} run"))
        assert (tmp_path / mark).exists()
    crashed, calm = runs
    assert crashed.skipped == ()
    assert [one.faces for one in crashed.outcomes] == [50, 100]
    if runtime == OPENVINO:
        assert tables(crashed.folder) == tables(calm.folder)
    for name, path in crashed.timelines.items():
        one, other = (fer_batch.read_timeline(path) for path in (path, calm.timelines[name]))
        pd.testing.assert_frame_equal(one, other, atol=2e-4)  # which faces share a batch is a matter of chance


@pytest.mark.slow
def test_progress_is_told_of_no_frame_twice_where_a_process_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect_with("SlowAbortingOnce", monkeypatch)
    monkeypatch.setenv(odd_detectors.MARK, str(tmp_path / "crashed"))
    images = [media.pixels(number) for number in (4, 8, 12, odd_detectors.GRIEF, 24) for _ in range(20)]
    video = media.write_video(tmp_path / "a.mp4", range(0, 4000, 40), images, keyframe_every=100)  # one chunk
    progress = Listener()
    fer_batch.analyze([video], Options(workers=1, detect_every=5), out=tmp_path / "out", progress=progress)
    assert (tmp_path / "crashed").exists()
    assert progress.promised == progress.looked_at == 100


@pytest.mark.parametrize("workers", [0, 2])
def test_progress_comes_to_an_end_where_stretches_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    detect_with("Raising", monkeypatch)
    video = odd_video(tmp_path / "a.mp4", 5, odd_detectors.GRIEF, 6)
    progress = Listener()
    fer_batch.analyze([video], Options(workers=workers), out=tmp_path / "out", progress=progress)
    assert progress.promised == progress.looked_at == 75


def test_several_lost_stretches_are_told_in_their_order_whichever_was_lost_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    detect_with("Raising", monkeypatch)
    video = odd_video(tmp_path / "a.mp4", odd_detectors.SLOW_GRIEF, odd_detectors.GRIEF, 5)
    told = []
    for workers in (0, 2):
        run = fer_batch.analyze([video], Options(workers=workers), out=tmp_path / f"out{workers}")
        told.append([one.reason[:7] for one in run.skipped])
    assert told == [["0.000 s", "1.000 s"]] * 2


def test_a_video_of_which_every_stretch_is_lost_is_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    detect_with("Raising", monkeypatch)
    odd_video(tmp_path / "a.mp4", odd_detectors.GRIEF, odd_detectors.GRIEF)
    odd_video(tmp_path / "b.mp4", 5)
    run = fer_batch.analyze([tmp_path / "a.mp4", tmp_path / "b.mp4"], Options(workers=2), out=tmp_path / "out")
    assert [one.source.name for one in run.outcomes] == ["b.mp4"]
    ((file, reason, rows_kept),) = ((one.file, one.reason, one.rows_kept) for one in run.skipped)
    assert (file, rows_kept) == ("a.mp4", False)
    assert "of one grey" in reason


def test_whole_looks_at_every_frame_find_what_looks_now_and_then_find(
    inputs: Path, tmp_path: Path, run: fer_batch.Run
) -> None:
    options = Options(workers=0, detect_every=1)
    thorough = fer_batch.analyze([inputs / "constant.mp4"], options, out=tmp_path / "out")
    places = ["x", "y", "width", "height"]
    one, other = (fer_batch.read_timeline(one.timelines["constant.mp4"]) for one in (run, thorough))
    assert (one["face_id"] == other["face_id"]).all()
    assert (one[places] - other[places]).abs().max(axis=None) < 8


def test_a_video_whose_chunks_lack_frames_is_read_straight_through(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1))
    noise = np.random.default_rng(1)
    images = [np.clip(face + noise.integers(-20, 20, face.shape), 0, 255).astype(np.uint8) for _ in range(100)]
    video = media.write_video(tmp_path / "a.ts", range(0, 4000, 40), images, keyframe_every=25)
    whole = fer_batch.analyze([video], HERE, out=tmp_path / "whole")
    assert whole.outcomes[0].facts["read_by"] == "chunks"
    assert whole.outcomes[0].frames == 100
    damaged = media.damage(video, at=0.5, count=5000)
    run = fer_batch.analyze([damaged], HERE, out=tmp_path / "damaged")
    assert run.outcomes[0].facts["read_by"] == "timestamps"
    assert 60 < run.outcomes[0].frames < 100
    assert run.skipped
    assert all(one.rows_kept for one in run.skipped)
    marked = fer_batch.read_timeline(run.timelines["a.ts"]).groupby("frame")["damaged"].any()
    told = [int(one.reason.split()[0]) for one in run.skipped if "marked in the timeline" in one.reason]
    assert sum(told) == marked.sum()


def test_whether_rows_are_kept_agrees_with_the_tables(tmp_path: Path) -> None:
    def emptied(at: int, packet: av.Packet) -> av.Packet:
        empty = av.Packet(bytes(packet.size))
        empty.pts, empty.dts, empty.time_base, empty.is_keyframe = (
            packet.pts,
            packet.dts,
            packet.time_base,
            packet.is_keyframe,
        )
        return empty

    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), np.uint8)
    (tmp_path / "a").mkdir()
    whole = media.write_video(tmp_path / "a" / "whole.mp4", range(0, 4000, 40), list(noise))
    media.remux(whole, tmp_path / "a" / "empty.mkv", emptied)
    media.truncate(media.write_video(tmp_path / "a" / "cut.mkv", range(0, 4000, 40), list(noise)), 0.6)
    for sampling, kept in ((Options(workers=0), {"cut.mkv"}), (Options(start=3.5, workers=0), set())):
        run = fer_batch.analyze([tmp_path / "a"], sampling, out=tmp_path / "out")
        errors = pd.read_csv(run.folder / "errors.csv")
        assert set(errors["file"]) == {"cut.mkv", "empty.mkv"}
        assert set(errors["file"][errors["rows_kept"] == 1]) == kept
        assert set(run.timelines) == kept | {"whole.mp4"}
        assert ((errors["severity"] == "lost") == (errors["rows_kept"] == 0)).all()
        reason = " ".join(errors["reason"][errors["file"] == "empty.mkv"])
        assert "None of its" in reason
        assert "in the timeline" not in reason
