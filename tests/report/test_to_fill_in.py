"""Templates of people.csv and events.csv: they say which face is which, and work as soon as they are filled in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage import data
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli, detection
from fer_batch.errors import ExitCode, OutputRefused
from fer_batch.options import ReportOptions
from fer_batch.report.to_fill_in import write_events, write_people
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")

HERE = Options(workers=0)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    (folder / "holiday").mkdir(parents=True)
    dark, light = (np.full((48, 64, 3), grey, np.uint8) for grey in (0, 120))
    # A face of 0.4 s, darkness for 4 s, another face of 0.8 s behind a cut.
    media.write_video(folder / "film.mp4", range(0, 5200, 40), [light] * 10 + [dark] * 100 + [light // 2] * 20)
    for name in ("a.png", "b.png"):
        media.write_photo(folder / "holiday" / name, light)
    return folder


def test_a_row_for_each_face_says_which_one_it_is(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    path = write_people(tmp_path / "out", tmp_path / "people.csv", ReportOptions(thumbnails=True))
    table = pd.read_csv(path)
    assert table.columns[:5].tolist() == ["file", "face_id", "person", "role", "group"]
    tracks = table[table["file"] == "film.mp4"]
    timeline = fer_batch.read_timeline(tmp_path / "out" / "timelines" / "film.mp4.csv")
    seen = timeline[timeline["success"]]
    for _, row in tracks.iterrows():
        own = seen[seen["face_id"] == row["face_id"]]
        assert row["first_seen"] == own["timestamp"].min()
        assert row["seconds"] == pytest.approx(own["duration"].sum())
        (anchor,) = own[own["timestamp"] == row["time"]].to_dict("records")
        assert [anchor[name] for name in ("x", "y", "width", "height")] == row[["x", "y", "width", "height"]].tolist()
    assert len(tracks) == seen["face_id"].nunique() >= 1
    assert table[table["file"] != "film.mp4"]["file"].tolist() == ["holiday/a.png", "holiday/b.png"]
    for name in table["thumbnail"]:
        assert (tmp_path / name).read_bytes()[:2] == b"\xff\xd8"


def test_who_comes_back_after_a_cut_is_suggested_and_joined_only_by_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "DEFAULT", "tests.helpers.odd_detectors:Sure")
    one, other = (np.repeat(image[:240, :320, np.newaxis], 3, axis=2) for image in (data.brick(), data.camera()))
    shots = [one] * 30 + [other] * 30 + [one] * 30 + [other] * 30
    media.write_video(tmp_path / "film.mp4", range(0, 4800, 40), shots)
    fer_batch.analyze([tmp_path / "film.mp4"], HERE, out=tmp_path / "out")
    table = pd.read_csv(write_people(tmp_path / "out", tmp_path / "people.csv"), dtype={"perhaps": "Int64"})
    assert table["face_id"].tolist() == [0, 1, 2, 3]
    assert table["perhaps"].fillna(-1).tolist() == [-1, -1, 0, 1]
    options = Options(workers=0, people=tmp_path / "people.csv")
    run = fer_batch.analyze([tmp_path / "film.mp4"], options, out=tmp_path / "out")
    assert set(fer_batch.read_timeline(run.timelines["film.mp4"])["face_id"]) == {0, 1, 2, 3}


def test_the_file_can_be_used_as_it_is_and_as_excel_leaves_it(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    path = write_people(tmp_path / "out", tmp_path / "people.csv")
    options = Options(workers=0, people=path, events=write_events(tmp_path / "out", tmp_path / "events.csv"))
    assert fer_batch.analyze([study], options, out=tmp_path / "out").skipped == ()
    table = pd.read_csv(path, dtype={"person": "str", "group": "str"})
    table.loc[0, ["person", "group"]] = ["Änne", "A"]
    table.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")
    fer_batch.analyze([study], options, out=tmp_path / "out")
    persons = pd.read_csv(tmp_path / "out" / "summary_by_person.csv")
    assert persons["person"].tolist() == ["Änne"]


def test_events_have_a_row_for_each_video(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    table = pd.read_csv(write_events(tmp_path / "out", tmp_path / "events.csv"))
    assert table.columns.tolist() == ["file", "label", "start", "stop", "offset", "seconds"]
    assert table["file"].tolist() == ["film.mp4"]
    assert table["seconds"].tolist() == [5.2]


def test_what_may_be_filled_in_already_is_not_replaced(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    (tmp_path / "people.csv").write_text("mine")
    for write in (write_people, write_events):
        with pytest.raises(OutputRefused, match="is there already"):
            write(tmp_path / "out", tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_text() == "mine"


def test_a_folder_with_names_gives_them_back_for_every_track(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines = ["film.mp4,0,Anna,guest,A", "film.mp4,1,Anna,guest,A", "holiday/a.png,0,Anna,,B", "b.png,0,Bo,,"]
    (tmp_path / "people.csv").write_text("\n".join(["file,face_id,person,role,group", *lines]))
    fer_batch.analyze([study], HERE, out=out)
    plain = pd.read_csv(write_people(out, tmp_path / "plain.csv"))
    from_file = pd.read_csv(write_people(out, tmp_path / "from file.csv", names=tmp_path / "people.csv"))
    fer_batch.analyze([study], Options(workers=0, people=tmp_path / "people.csv"), out=out)
    names = pd.read_csv(write_people(out, tmp_path / "new.csv"))
    pd.testing.assert_frame_equal(names, from_file)
    named = ["person", "role", "group"]
    pd.testing.assert_frame_equal(names.drop(columns=named), plain.drop(columns=named))
    assert names[["file", "face_id", *named]].fillna("").values.tolist() == [
        ["film.mp4", 0, "Anna", "guest", "A"],
        ["film.mp4", 1, "Anna", "guest", "A"],
        ["holiday/a.png", 0, "Anna", "", "B"],
        ["holiday/b.png", 0, "Bo", "", ""],
    ]
    tables = {path: path.read_bytes() for path in out.rglob("*.csv") if path.parent.name != "inputs"}
    run = fer_batch.analyze([study], Options(workers=0, people=tmp_path / "new.csv", parquet=True), out=out)
    assert run.skipped == ()
    assert sorted(run.unchanged) == ["film.mp4", "holiday"]  # no media were opened
    for path, content in tables.items():
        assert path.name == "errors.csv" or path.read_bytes() == content


def test_names_that_do_not_fit_are_told(study: Path, tmp_path: Path) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    (tmp_path / "people.csv").write_text("file,face_id,person\nfilm.mp4,7,Anna\n")
    told: list[str] = []
    write_people(tmp_path / "out", tmp_path / "new.csv", names=tmp_path / "people.csv", note=told.append)
    assert "there is no face 7 in film.mp4" in told[0]


def test_the_commands_write_into_the_working_directory(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fer_batch.analyze([study], HERE, out=tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    for name in ("people", "events"):
        said = CliRunner().invoke(cli.app, [name, "out"])
        assert said.exit_code == ExitCode.DONE, said.output
        assert said.stdout == f"{name}.csv\n"
        assert Path(f"{name}.csv").is_file()
        assert CliRunner().invoke(cli.app, [name, "out"]).exit_code == ExitCode.USAGE
