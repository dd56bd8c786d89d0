"""What several runs did is joined to what one run gives; what does not fit together is refused."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.errors import ExitCode, OutputRefused, UsageError
from fer_batch.exports.export import export
from fer_batch.output import folder as outfolder
from fer_batch.pipeline.merge import merge
from fer_batch.report.render import render
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")  # contents() has it rendered

HERE = Options(workers=0)

PEOPLE = """file,face_id,person,role,group
p0/video.mp4,0,Anna,guest,A
p1/video.mp4,0,Bo,guest,B
p2/video.mp4,0,Cleo,guest,B
"""


def film(path: Path, number: int, frames: int = 6) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [np.full((48, 64, 3), 60 + 5 * number + step, np.uint8) for step in range(frames)]
    return media.write_video(path, range(0, 40 * frames, 40), images)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for number in range(4):
        film(folder / f"p{number}" / "video.mp4", number, frames=4 + 3 * number)
    (folder / "holiday").mkdir()
    media.write_photo(folder / "holiday" / "a.png", np.full((48, 64, 3), 90, np.uint8))
    (folder / "empty.mp4").write_bytes(b"\0" * 100)
    (folder / "notes.txt").touch()
    locked = folder / "holiday" / "gone.jpg"
    locked.symlink_to(folder / "nowhere.jpg")
    return folder


@pytest.fixture
def annotated(tmp_path: Path) -> Options:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "events.csv").write_text("file,label,start,stop\n,question,0.1,0.2\n")
    return replace(HERE, people=tmp_path / "people.csv", events=tmp_path / "events.csv", baseline=(0, 0.1), smooth=0.1)


WHEN = {"started": "2026-01-02T03:04:05+00:00", "finished": "2026-01-02T03:04:06+00:00", "seconds": {"total": 1.0}}
"""Stands for when a run was made, and how long it took."""


def contents(out: Path) -> dict[str, bytes]:
    """Every file but run.json, as if all runs had been made at the same time."""
    run = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps(run | WHEN))
    render(out)
    found = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    del found["run.json"]
    found["datapackage.json"] = found["datapackage.json"].replace(run["finished"].encode(), b"")
    return found


def analyze_shards(study: Path, options: Options, folder: Path, of: int) -> list[Path]:
    outs = [folder / f"shard-{number}" for number in range(1, of + 1)]
    for number, out in enumerate(outs, start=1):
        fer_batch.analyze([study], replace(options, shard=(number, of)), out=out)
    return outs


@pytest.mark.parametrize("with_annotations", [False, True])
def test_shards_that_are_merged_give_the_bytes_of_one_run(
    study: Path, tmp_path: Path, annotated: Options, with_annotations: bool
) -> None:
    options = annotated if with_annotations else HERE
    fer_batch.analyze([study], options, out=tmp_path / "whole" / "study")
    outs = analyze_shards(study, options, tmp_path / "shards", 4)
    merged = merge(outs, tmp_path / "merged" / "study")
    assert contents(tmp_path / "merged" / "study") == contents(tmp_path / "whole" / "study")
    assert {line.file for line in merged.skipped} >= {"empty.mp4", "holiday/gone.jpg"}
    run, one = (json.loads((tmp_path / name / "study" / "run.json").read_text()) for name in ("merged", "whole"))
    assert run == one
    # A later run goes on from there: nothing is scanned again.
    again = fer_batch.analyze([study], options, out=tmp_path / "merged" / "study")
    assert len(again.unchanged) == len(again.outcomes) == 5


def test_exports_that_are_there_are_named_if_they_are_of_these_tables(study: Path, tmp_path: Path) -> None:
    outs, out = analyze_shards(study, HERE, tmp_path, 2), tmp_path / "merged"
    package, record = out / "datapackage.json", out / "exports" / "exports.json"
    merge(outs, out)
    export(out, ["parquet"], out=out / "exports")
    named = json.loads(package.read_text())["exports"]
    assert [made["format"] for made in named] == ["parquet"]
    assert merge(outs, out).export_notes == ()
    assert json.loads(package.read_text())["exports"] == named
    made = json.loads(record.read_text())
    record.write_text(json.dumps({"parquet": made["parquet"] | {"tables": "others"}}))
    (note,) = merge(outs, out).export_notes
    assert "these are of earlier tables: parquet. To make them anew: fer-batch export " in note
    assert "exports" not in json.loads(package.read_text())


def test_a_folder_elsewhere_knows_where_the_media_are(study: Path, tmp_path: Path) -> None:
    (study / "empty.mp4").unlink()  # where a file is that cannot be read is written down nowhere
    outs = analyze_shards(study, HERE, tmp_path, 2)
    deep = tmp_path / "a" / "merged" / "study"
    merge(outs, deep)
    fer_batch.analyze([study], HERE, out=tmp_path / "a" / "whole" / "study")
    assert contents(deep) == contents(tmp_path / "a" / "whole" / "study")


def test_more_shards_than_sources_leave_some_empty(tmp_path: Path) -> None:
    film(tmp_path / "study" / "a.mp4", 1)
    outs = analyze_shards(tmp_path / "study", HERE, tmp_path / "shards", 3)
    merge(outs, tmp_path / "merged" / "out")
    fer_batch.analyze([tmp_path / "study"], HERE, out=tmp_path / "whole" / "out")
    assert contents(tmp_path / "merged" / "out") == contents(tmp_path / "whole" / "out")


def test_a_shard_that_is_missing_is_told(study: Path, tmp_path: Path) -> None:
    one, two, three = analyze_shards(study, HERE, tmp_path, 3)
    arguments = ["merge", str(one), str(three), "--out", str(tmp_path / "merged")]
    told = CliRunner().invoke(cli.app, arguments)
    assert told.exit_code == ExitCode.SOME_LEFT_OUT
    assert "left out: shard 2/3: Its folder is not among those that were merged." in told.output
    assert "shard 2/3" in (tmp_path / "merged" / "errors.csv").read_text()
    merge([one, two, three], tmp_path / "merged")
    assert "shard 2/3" not in (tmp_path / "merged" / "errors.csv").read_text()


def test_shards_of_different_inputs_are_told(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], replace(HERE, shard=(1, 2)), out=tmp_path / "one")
    film(study / "p9" / "video.mp4", 9)
    fer_batch.analyze([study], replace(HERE, shard=(2, 2)), out=tmp_path / "two")
    merged = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "merged")
    assert not merged.complete
    assert any("shards of different inputs" in line.reason for line in merged.skipped)


def test_studies_that_are_no_shards_are_merged_too(study: Path, tmp_path: Path) -> None:
    for name in ("p0", "p1"):
        (study / name / "video.mp4").rename(study / name / f"{name}.mp4")
        fer_batch.analyze([study / name], HERE, out=tmp_path / name)
    merged = merge([tmp_path / "p0", tmp_path / "p1", tmp_path / "p0"], tmp_path / "both" / "out")
    assert merged.complete
    fer_batch.analyze([study / "p0", study / "p1"], HERE, out=tmp_path / "at once" / "out")
    assert contents(tmp_path / "both" / "out") == contents(tmp_path / "at once" / "out")


def test_the_same_source_in_two_folders_counts_once(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study / "p0"], HERE, out=tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    merge([tmp_path / "one", tmp_path / "two"], tmp_path / "merged")
    merged, one = contents(tmp_path / "merged"), contents(tmp_path / "one")
    del merged["index.html"], one["index.html"]  # it counts what both runs scanned
    assert merged == one


def test_two_videos_of_one_name_are_refused_with_both_folders(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study / "p0"], HERE, out=tmp_path / "one")
    fer_batch.analyze([study / "p1"], HERE, out=tmp_path / "two")
    with pytest.raises(OutputRefused) as refusal:
        merge([tmp_path / "one", tmp_path / "two"], tmp_path / "merged")
    assert f"video.mp4 is in {tmp_path / 'one'} and in {tmp_path / 'two'}, with other contents" in str(refusal.value)
    assert not (tmp_path / "merged").exists()


def test_unlike_options_are_refused_with_both_folders(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study / "p0"], HERE, out=tmp_path / "one")
    fer_batch.analyze([study / "p0"], replace(HERE, fps=5.0), out=tmp_path / "two")
    with pytest.raises(OutputRefused) as refusal:
        merge([tmp_path / "one", tmp_path / "two"], tmp_path / "merged")
    assert (
        f"video.mp4 in {tmp_path / 'one'} was analysed with no --fps, video.mp4 in {tmp_path / 'two'} with --fps 5"
        in str(refusal.value)
    )


def test_what_is_no_output_folder_or_not_finished_is_refused_and_left_alone(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"study holds no run\.json"):
        merge([study], tmp_path / "merged")
    assert not (study / ".lock").exists()


def test_an_output_folder_with_other_sources_is_refused(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study / "p0"], HERE, out=tmp_path / "one")
    fer_batch.analyze([study / "holiday"], HERE, out=tmp_path / "holiday")
    with pytest.raises(OutputRefused, match="holds holiday, which none of the folders has"):
        merge([tmp_path / "one"], tmp_path / "holiday")
    with pytest.raises(UsageError, match="is one of the folders to merge"):
        merge([tmp_path / "one"], tmp_path / "one")


def test_other_views_are_refused(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study / "p0"], HERE, out=tmp_path / "one")
    fer_batch.analyze([study / "p1"], replace(HERE, view="ferplus"), out=tmp_path / "two")
    with pytest.raises(OutputRefused, match=r"was analysed with --view combined, .* with --view ferplus"):
        merge([tmp_path / "one", tmp_path / "two"], tmp_path / "merged")


def test_shards_of_other_numbers_that_overlap_count_once_and_are_told(study: Path, tmp_path: Path) -> None:
    two, three = analyze_shards(study, HERE, tmp_path / "two", 2), analyze_shards(study, HERE, tmp_path / "three", 3)
    merged = merge([*two, *three], tmp_path / "merged")
    assert any("shards of different inputs" in line.reason for line in merged.skipped)
    fer_batch.analyze([study], HERE, out=tmp_path / "whole")
    whole, both = ((tmp_path / name / "timelines").rglob("*.csv") for name in ("whole", "merged"))
    assert {path.name for path in whole} == {path.name for path in both}
    assert (tmp_path / "merged" / "summary.csv").read_bytes() == (tmp_path / "whole" / "summary.csv").read_bytes()


def test_paths_may_be_relative(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outs = analyze_shards(Path("study"), HERE, Path("shards"), 2)
    merge(outs, Path("merged"))
    fer_batch.analyze([study], HERE, out=tmp_path / "whole")
    (tmp_path / "there").mkdir()
    (tmp_path / "whole").rename(tmp_path / "there" / "merged")
    (tmp_path / "merged").rename(tmp_path / "there" / "relative")
    one, other = tmp_path / "there" / "merged", tmp_path / "there" / "relative"
    assert (one / "media.json").read_bytes() == (other / "media.json").read_bytes()
    assert (one / "summary.csv").read_bytes() == (other / "summary.csv").read_bytes()


def test_what_was_made_with_other_versions_says_so(study: Path, tmp_path: Path) -> None:
    one, two = analyze_shards(study, HERE, tmp_path, 2)
    for path in (two / "run.json", *(two / "sources").rglob("*.json")):
        run = json.loads(path.read_text())
        software = run if path.name == "run.json" else run["software"]
        software["versions"]["openvino"], software["platform"] = "9.8.7", "Elsewhere"
        path.write_text(json.dumps(run))
    merged = merge([one, two], tmp_path / "merged")
    made = json.loads((tmp_path / "merged" / "run.json").read_text())
    before = json.loads((one / "run.json").read_text())
    assert made["versions"] == before["versions"] | {"openvino": f"{before['versions']['openvino']} and 9.8.7"}
    assert made["platform"] == f"{before['platform']} and Elsewhere"
    (line,) = (line for line in merged.skipped if line.file == "versions")
    assert line.is_note
    assert "9.8.7" in line.reason


def test_a_folder_that_lacks_a_file_is_refused_by_its_name(study: Path, tmp_path: Path) -> None:
    one, two = analyze_shards(study, HERE, tmp_path, 2)
    lost = next((two / "timelines").rglob("*.csv"))
    lost.unlink()
    with pytest.raises(UsageError, match=r"\.csv is missing\. Run `fer-batch analyze` there again") as refusal:
        merge([one, two], tmp_path / "merged")
    assert str(lost) in str(refusal.value)
    with pytest.raises(UsageError, match="is a URL"):
        merge(["s3://lab/one"], tmp_path / "merged")


def test_folders_that_can_only_be_read_are_merged(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outs = analyze_shards(study, HERE, tmp_path / "shards", 2)
    locked = outfolder.locked

    def locked_if_mine(folder: Path) -> Any:
        assert folder not in outs
        return locked(folder)

    monkeypatch.setattr(os, "access", lambda path, _: path not in outs)
    monkeypatch.setattr(outfolder, "locked", locked_if_mine)
    merge(outs, tmp_path / "merged")
    assert contents(tmp_path / "merged")
