"""Exports of real videos: their times are ffprobe's; and what a run, its report and datapackage.json say of them."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pysubs2
import pytest
from pympi import Elan
from typer.testing import CliRunner, Result

from fer_batch.cli import app
from fer_batch.errors import ExitCode
from fer_batch.exports.export import export
from tests.helpers import media
from tests.helpers.quick import quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick")

ANGRY, NEUTRAL = 70, 76
"""Greys that the classifier takes for anger and neutral."""

NEUTRAL_UNTIL = 7
"""Frames before the episode."""


def film(path: Path, timestamps: list[int]) -> Path:
    """A lossless video in which a neutral face becomes angry."""
    images = [np.full((48, 64, 3), NEUTRAL if at < NEUTRAL_UNTIL else ANGRY, np.uint8) for at in range(len(timestamps))]
    return media.write_video(path, timestamps, images, codec="ffv1", pixel_format="gray", keyframe_every=1)


def run(*arguments: str | Path, code: ExitCode = ExitCode.DONE) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def analyze(*arguments: str | Path, code: ExitCode = ExitCode.DONE) -> Result:
    return run("analyze", *arguments, "--workers", "0", "--runtime", "openvino", code=code)


def with_sound(video: Path, path: Path, late: float) -> Path:
    """The video with a tone that begins so many seconds before it."""
    tone = ["-f", "lavfi", "-i", "sine=sample_rate=8000:duration=4"]
    streams = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le"]
    command = ["ffmpeg", "-v", "error", "-itsoffset", str(late), "-i", video, *tone, *streams, path]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe (Debian: apt-get install ffmpeg)")
@pytest.mark.filterwarnings("ignore:Parsing unknown version")
@pytest.mark.parametrize("late", [0, 1.503])
@pytest.mark.parametrize(
    "timestamps",
    [[40 * at for at in range(30)], [33 * at + 11 * (at % 3) + (200 if at > 15 else 0) for at in range(30)]],
    ids=["constant", "variable"],
)
def test_an_episode_begins_when_ffprobe_says_its_frame_does(timestamps: list[int], late: float, tmp_path: Path) -> None:
    path = with_sound(film(tmp_path / "silent.mkv", timestamps), tmp_path / "a.mkv", late)
    analyze(path, "--out", tmp_path / "out", "--export", "srt,elan", "--detect-every", "1")
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time:format=start_time"]
    told = json.loads(subprocess.run([*command, "-of", "json", path], capture_output=True, check=True).stdout)
    begins = float(told["frames"][NEUTRAL_UNTIL]["pts_time"]) - float(told["format"]["start_time"])
    (line,) = pysubs2.load(str(tmp_path / "out" / "exports" / "srt" / "a.mkv.srt"))
    assert (line.start, line.text.partition(": ")[2]) == (round(1000 * begins), "anger")
    document = Elan.Eaf(str(tmp_path / "out" / "exports" / "elan" / "a.mkv.eaf"))
    found = [part for tier in document.get_tier_names() for part in document.get_annotation_data_for_tier(tier)]
    assert found == [(line.start, line.end, "anger")]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An output folder with exports that a run has made."""
    film(tmp_path / "a.mkv", [40 * at for at in range(30)])
    analyze(tmp_path / "a.mkv", "--out", tmp_path / "out", "--export", "srt,elan")
    return tmp_path / "out"


def named(study: Path) -> list[str]:
    package = json.loads((study / "datapackage.json").read_text())
    return [made["path"] for made in package.get("exports", ())]


def test_report_and_datapackage_name_the_exports(study: Path) -> None:
    assert named(study) == ["exports/elan", "exports/srt"]
    assert all((study / path).is_dir() for path in named(study))
    page = (study / "index.html").read_text()
    assert 'href="exports/elan"' in page
    assert 'href="exports/srt"' in page
    export(study, ["xlsx"], out=study / "exports")
    assert named(study) == ["exports/elan", "exports/srt", "exports/xlsx"]


def test_a_later_run_with_the_same_tables_keeps_the_exports(study: Path) -> None:
    result = analyze(study.parent / "a.mkv", "--out", study)
    assert "earlier tables" not in result.stderr
    assert named(study) == ["exports/elan", "exports/srt"]


def test_exports_of_earlier_tables_are_told_and_no_longer_named(study: Path) -> None:
    result = analyze(study.parent / "a.mkv", "--out", study, "--smooth", "0.2", "--export", "srt")
    assert f"fer-batch export {study} --to elan" in result.stderr
    assert named(study) == ["exports/srt"]
    assert (study / "exports" / "elan" / "a.mkv.eaf").exists()
    assert "exports/elan" not in (study / "index.html").read_text()


def test_what_keeps_an_export_back_does_not_end_the_run(study: Path) -> None:
    (study / "exports" / "elan" / "a.mkv.eaf").write_text("mine")
    source = study.parent / "a.mkv"
    result = analyze(source, "--out", study, "--export", "elan,srt", code=ExitCode.SOME_LEFT_OUT)
    assert "a.mkv.eaf was changed since fer-batch wrote it" in result.stderr
    assert (study / "exports" / "elan" / "a.mkv.eaf").read_text() == "mine"
    assert (study / "index.html").exists()
    assert json.loads(analyze(source, "--out", study, "--export", "srt", "--json").stdout)["exports"] == [
        str(study / "exports" / "srt")
    ]


def test_a_format_that_does_not_exist_is_told_before_anything_is_done(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv", [0, 40])
    result = analyze(tmp_path / "a.mkv", "--out", tmp_path / "out", "--export", "elam", code=ExitCode.USAGE)
    assert "There is no format elam" in result.stderr
    assert not (tmp_path / "out").exists()
