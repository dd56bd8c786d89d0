"""The output folder is the study: results add up, and nothing is taken away unasked."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.errors import ExitCode, NothingUsable, OutputRefused, UsageError
from fer_batch.options import ReportOptions
from fer_batch.pipeline.run import default_folder
from tests.helpers import media
from tests.helpers.quick import quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick")

HERE = Options(workers=0)


def film(path: Path, number: int) -> Path:
    """A video of some frames, of which each number gives others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [np.full((48, 64, 3), 60 + 5 * number + step, np.uint8) for step in range(8)]
    return media.write_video(path, range(0, 320, 40), images)


def contents(out: Path) -> dict[str, bytes]:
    """Timelines, tables and pages, but for what says when they were made."""
    changing = {"run.json", "datapackage.json", "index.html"}
    paths = [path for path in out.rglob("*") if path.is_file() and not path.is_relative_to(out / "work")]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths if path.name not in changing}


def names(out: Path) -> list[str]:
    return [source["name"] for source in json.loads((out / "run.json").read_text())["sources"]]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for number in range(3):
        film(folder / f"p{number}" / "video.mp4", number)
    (folder / "holiday").mkdir()
    media.write_photo(folder / "holiday" / "a.png", np.full((48, 64, 3), 90, np.uint8))
    media.write_photo(folder / "holiday" / "b.png", np.full((48, 64, 3), 150, np.uint8))
    (folder / "empty.mp4").touch()
    return folder


PEOPLE = """file,face_id,person,role,group
p0/video.mp4,0,Anna,guest,A
p1/video.mp4,0,Bo,guest,B
p2/video.mp4,0,Cleo,guest,B
holiday/a.png,0,Anna,guest,A
"""


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "events.csv").write_text("file,label,start,stop\n,question,0.1,0.2\n")
    return Options(
        workers=0, people=tmp_path / "people.csv", events=tmp_path / "events.csv", baseline=(0, 0.1), smooth=0.1
    )


def test_one_source_analysed_again_leaves_every_byte_of_the_study(
    study: Path, tmp_path: Path, options: Options
) -> None:
    out = tmp_path / "out"
    whole = fer_batch.analyze([study], options, out=out)
    before = contents(out)
    assert any("summary_by_person" in name for name in before)
    for again in ("p1/video.mp4", "p0", "holiday", "holiday/b.png", "empty.mp4"):
        if again == "empty.mp4":
            with pytest.raises(NothingUsable):
                fer_batch.analyze([study / again], options, out=out)
        else:
            run = fer_batch.analyze([study / again], options, out=out)
            assert len(run.kept) == len(whole.outcomes) - 1
            assert len(run.outcomes) == 1
        assert contents(out) == before, again
        assert names(out) == ["holiday", "p0/video.mp4", "p1/video.mp4", "p2/video.mp4"]


def test_participants_in_a_loop_give_what_all_at_once_give(study: Path, tmp_path: Path) -> None:
    for number in range(3):
        run = fer_batch.analyze([study / f"p{number}" / "video.mp4"], HERE, out=tmp_path / "out")
        assert len(run.kept) == number
    assert names(tmp_path / "out") == ["p1/video.mp4", "p2/video.mp4", "video.mp4"]
    fer_batch.analyze([study], HERE, out=tmp_path / "at once")
    tables = (pd.read_csv(tmp_path / out / "summary.csv", dtype=str).fillna("") for out in ("out", "at once"))
    loop, at_once = (sorted(map(tuple, table[table["kind"] == "video"].values[:, 2:].tolist())) for table in tables)
    assert loop == at_once
    assert len(loop) == 3
    # Given all together, they are called as in a new folder.
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    assert names(tmp_path / "out") == names(tmp_path / "at once")
    assert contents(tmp_path / "out") == contents(tmp_path / "at once")


def test_another_film_that_takes_the_place_of_one_takes_its_name(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    film(study / "p1" / "video.mp4", 7)
    fer_batch.analyze([study / "p1"], HERE, out=tmp_path / "out")
    fer_batch.analyze([study], HERE, out=tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_film_that_was_moved_is_the_same(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([study], HERE, out=out)
    moved = Path(shutil.move(study / "p1" / "video.mp4", study / "moved.mp4"))
    run = fer_batch.analyze([moved], HERE, out=out)
    assert run.moved == {"p1/video.mp4": moved}
    assert names(out) == ["holiday", "p0/video.mp4", "p1/video.mp4", "p2/video.mp4"]


def test_a_study_that_is_moved_whole_is_known_again(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=study / "out")
    before = names(study / "out")
    moved = Path(shutil.move(study, tmp_path / "elsewhere"))
    run = fer_batch.analyze([moved / "p2"], HERE, out=moved / "out")
    assert names(moved / "out") == before
    assert run.moved == {}


def test_replace_removes_what_is_not_among_the_inputs(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([study], HERE, out=out)
    run = fer_batch.analyze([study / "p1"], Options(workers=0, replace=True), out=out)
    assert run.removed == ("empty.mp4", "holiday", "p0/video.mp4", "p2/video.mp4")
    assert names(out) == ["video.mp4"]
    fer_batch.analyze([study / "p1"], HERE, out=tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({}, {"fps": 5.0}, "with no --fps; this run has --fps 5"),
        ({"smooth": 0.2}, {}, "with --smooth 0.2; this run has no --smooth"),
        ({"cropped": True}, {}, "with --cropped; this run has no --cropped"),
    ],
)
def test_results_of_other_options_are_not_left_beside_new_ones(
    study: Path, tmp_path: Path, then: dict[str, object], now: dict[str, object], told: str
) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([study], Options(workers=0, **then), out=out)
    before = contents(out)
    with pytest.raises(OutputRefused, match=told) as error:
        fer_batch.analyze([study / "p1"], Options(workers=0, **now), out=out)
    assert "--replace" in str(error.value)
    assert contents(out) == before
    fer_batch.analyze([study], Options(workers=0, **now), out=out)
    fer_batch.analyze([study], Options(workers=0, **now), out=tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_another_people_csv_of_the_same_name_is_another_option(study: Path, tmp_path: Path, options: Options) -> None:
    fer_batch.analyze([study], options, out=tmp_path / "out")
    (tmp_path / "people.csv").write_text(PEOPLE.replace("Bo", "Bob"))
    with pytest.raises(OutputRefused, match=r"--people people\.csv \(.*--people people\.csv \("):
        fer_batch.analyze([study / "p0"], options, out=tmp_path / "out")
    # How the work is done decides no numbers.
    (tmp_path / "people.csv").write_text(PEOPLE)
    assert len(fer_batch.analyze([study / "p0"], options, out=tmp_path / "out").kept) == 3


def test_numbers_of_faces_that_other_options_gave_are_refused(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("file,face_id,person\np0/video.mp4,0,Anna\nholiday/b.png,0,Anna\n")
    run = ["analyze", "study", "--out", "out", "--workers", "0"]
    CliRunner().invoke(cli.app, run)
    said = CliRunner().invoke(cli.app, [*run, "--people", "people.csv"])
    assert said.exit_code == ExitCode.SOME_LEFT_OUT  # of an empty video
    assert "note: people.csv: It names 2 faces by number" in said.stderr
    before = contents(tmp_path / "out")
    said = CliRunner().invoke(cli.app, [*run, "--people", "people.csv", "--fps", "10"])
    assert said.exit_code == ExitCode.USAGE
    assert "line 2: face 0 of p0/video.mp4 is named by a number that was given with other options" in said.stderr
    assert "(default; this run: fps=10)" in said.stderr
    assert contents(tmp_path / "out") == before
    # What it says to do.
    assert "fer-batch people out --people people.csv --out NEW, and give --people NEW." in said.stderr
    assert CliRunner().invoke(cli.app, "people out --people people.csv --out NEW".split()).exit_code == ExitCode.DONE
    said = CliRunner().invoke(cli.app, [*run, "--people", "NEW", "--fps", "10"])
    assert said.exit_code == ExitCode.SOME_LEFT_OUT, said.stderr
    assert pd.read_csv("out/summary_by_person.csv")["person"].tolist() == ["Anna", "Anna"]  # in a video, in a photo
    # Or, where the numbers are of these options:
    CliRunner().invoke(cli.app, [*run, "--fps", "10"])
    said = CliRunner().invoke(cli.app, [*run, "--fps", "10", "--people", "people.csv"])
    assert said.exit_code == ExitCode.SOME_LEFT_OUT


def test_a_file_that_says_with_what_it_was_made_needs_no_folder(study: Path, tmp_path: Path) -> None:
    lines = ["file,face_id,person,made_with", "p0/video.mp4,0,Anna,fps=5"]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    with pytest.raises(UsageError, match=r"given with other options \(fps=5; this run: default\)"):
        fer_batch.analyze([study], Options(workers=0, people=tmp_path / "people.csv"), out=tmp_path / "out")
    fer_batch.analyze([study], Options(workers=0, fps=5, people=tmp_path / "people.csv"), out=tmp_path / "out")


def test_results_that_cannot_be_kept_are_not_removed_unasked(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([study], HERE, out=out)
    shutil.rmtree(out / "sources")
    with pytest.raises(OutputRefused, match="holiday and 3 more"):
        fer_batch.analyze([study / "p1"], HERE, out=out)
    assert names(out) == ["holiday", "p0/video.mp4", "p1/video.mp4", "p2/video.mp4"]
    fer_batch.analyze([study], HERE, out=out)
    assert len(fer_batch.analyze([study / "p1"], HERE, out=out).kept) == 3


def test_a_removed_photo_goes_and_one_that_is_not_given_stays(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fer_batch.analyze([study / "holiday"], HERE, out=out)
    (run_of_one,) = fer_batch.analyze([study / "holiday" / "a.png"], HERE, out=out).outcomes
    assert run_of_one.frames == 2
    (study / "holiday" / "b.png").unlink()
    (run_of_one,) = fer_batch.analyze([study / "holiday" / "a.png"], HERE, out=out).outcomes
    assert run_of_one.frames == 1


def test_no_path_is_written_into_the_study(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    for path in (tmp_path / "out" / "sources").rglob("*.json"):
        assert str(tmp_path) not in path.read_text()


def test_inputs_of_one_name_in_two_folders_have_output_folders_of_their_own(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study)
    for name in ("p0", "p1"):
        result = CliRunner().invoke(cli.app, ["analyze", f"{name}/video.mp4", "--workers", "0"])
        assert result.exit_code == ExitCode.DONE, result.output
        assert names(Path(f"{name}-video.mp4-emotions")) == ["video.mp4"]
    assert default_folder([Path("holiday")]) == Path("holiday-emotions")
    assert default_folder([Path()]) == Path("study-emotions")
    assert default_folder([tmp_path / "elsewhere" / "a.mp4"]) == Path("elsewhere-a.mp4-emotions")
    assert default_folder([Path(os.sep)]) == Path("fer-batch-emotions")


def test_what_is_kept_and_removed_is_said(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fixed = ["--out", str(out), "--workers", "0"]
    CliRunner().invoke(cli.app, ["analyze", str(study), *fixed])
    said = CliRunner().invoke(cli.app, ["analyze", str(study / "p0"), *fixed])
    assert said.exit_code == ExitCode.DONE
    assert "kept: holiday, p1/video.mp4, p2/video.mp4 of earlier runs" in said.stderr
    said = CliRunner().invoke(cli.app, ["analyze", str(study / "p0"), *fixed, "--replace"])
    assert "removed, as they are not among the inputs: empty.mp4, holiday, p1/video.mp4 and 1 more" in said.stderr


def test_a_study_keeps_its_title_until_it_is_given_another(tmp_path: Path) -> None:
    media.write_photo(tmp_path / "in/a.png", np.zeros((40, 40), np.uint8))
    titles: list[str | None] = []
    for title in ("Smiles", None, "Frowns", "", None):
        options = None if title is None and not titles[1:] else ReportOptions(title=title)
        run = fer_batch.analyze([tmp_path / "in"], HERE, out=tmp_path / "out", report_options=options)
        titles.append(json.loads((tmp_path / "out/run.json").read_text()).get("title"))
        assert f"<bdi>{titles[-1] or 'out'}</bdi></h1>" in run.report.read_text()
    assert titles == ["Smiles", "Smiles", "Frowns", None, None]
