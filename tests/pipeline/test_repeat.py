"""A run is repeated from its run.json, and what is not the same is told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import cli
from fer_batch.errors import ExitCode
from fer_batch.options import Options
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a video, a photo and an output folder of them."""
    (tmp_path / "study").mkdir()
    media.write_video(tmp_path / "study" / "film.mp4")
    media.write_photo(tmp_path / "study" / "photos" / "a.png")
    (tmp_path / "mine.csv").write_text("file,label,start,stop\nfilm.mp4,talk,0.2,0.5\n")
    options = Options(events=tmp_path / "mine.csv", baseline=(0, 0.4), smooth=0.2, fps=10, workers=0)
    fer_batch.analyze([tmp_path / "study"], options, out=tmp_path / "then")
    (tmp_path / "mine.csv").unlink()  # the copy is enough
    return tmp_path


def repeat(folder: Path, *more: str) -> tuple[int, str]:
    run_json = str(folder / "then" / "run.json")
    command = ["analyze", str(folder / "study"), "--repeat", run_json, "--workers", "0", "--quiet", *more]
    result = CliRunner().invoke(cli.app, command)
    return result.exit_code, result.output


def test_the_same_files_give_the_same_tables(folder: Path) -> None:
    code, said = repeat(folder, "--out", str(folder / "now"))
    assert code == ExitCode.DONE
    assert "the same files, model and tables" in said
    then, now = (json.loads((folder / name / "run.json").read_text())["options"] for name in ("then", "now"))
    assert now | {"events": "mine.csv"} == then


def test_another_file_and_the_first_value_that_differs_are_told(folder: Path) -> None:
    media.write_video(folder / "study" / "film.mp4", range(0, 1000, 50))
    (folder / "study" / "photos" / "a.png").rename(folder / "study" / "photos" / "b.png")
    code, said = repeat(folder, "--out", str(folder / "now"))
    assert code == ExitCode.SOME_LEFT_OUT
    assert "film.mp4 holds something else now." in said
    assert "a.png is not among the inputs." in said
    assert "b.png was not among the inputs." in said
    assert "timelines/film.mp4.csv differs first in row " in said.replace("study/", "")


def test_it_is_not_written_over_what_it_is_compared_with(folder: Path) -> None:
    code, said = repeat(folder, "--out", str(folder / "then"))
    assert code == ExitCode.USAGE
    assert "Give another --out" in said
