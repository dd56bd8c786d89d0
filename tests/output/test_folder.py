"""The output folder: only fer-batch writes into it, and files of earlier runs are removed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fer_batch
from fer_batch.errors import NothingUsable, OutputError, OutputRefused
from fer_batch.output import folder as outfolder


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_a_missing_folder_is_made_and_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    outfolder.claim(folder)
    touch(folder / "summary.csv")
    outfolder.claim(folder)
    assert (folder / "summary.csv").exists()


@pytest.mark.parametrize("url", ["s3://lab/out", "https://host/out"])
def test_a_url_is_refused(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputRefused, match="is a URL"):
        outfolder.claim(Path(url))
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    outfolder.claim(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / outfolder.MARKER]


@pytest.mark.parametrize("foreign", ["thesis.docx", ".hidden", "sub/thesis.docx"])
def test_a_folder_with_files_of_somebody_else_is_refused_and_left_alone(tmp_path: Path, foreign: str) -> None:
    touch(tmp_path / foreign)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputRefused, match="did not make"):
        outfolder.claim(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_is_no_output_folder(tmp_path: Path) -> None:
    file = touch(tmp_path / "film.mp4")
    with pytest.raises(OutputRefused, match=r"film\.mp4"):
        outfolder.claim(file)


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    file = touch(tmp_path / "film.mp4")
    with pytest.raises(OutputError, match=r"Cannot write into .*out"):
        outfolder.claim(file / "out")


def test_sweep_removes_only_what_is_not_kept_and_the_folders_left_empty(tmp_path: Path) -> None:
    kept = [touch(tmp_path / "timelines" / name) for name in ("a.csv", "deep/er/b.csv", "-c.csv")]
    for name in ("old.csv", "deep/old.csv", "gone/with/it.csv", ".old"):
        touch(tmp_path / "timelines" / name)
    outside = touch(tmp_path / "summary.csv")
    outfolder.sweep(tmp_path / "timelines", keep=kept)
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*kept, outside}
    assert not (tmp_path / "timelines" / "gone").exists()


def test_sweep_knows_a_kept_file_by_its_relative_and_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = touch(tmp_path / "timelines" / "a.csv")
    monkeypatch.chdir(tmp_path)
    outfolder.sweep(tmp_path / "timelines", keep=[Path("timelines/a.csv")])
    outfolder.sweep(Path("timelines"), keep=[kept])
    assert kept.exists()


def test_sweep_of_a_folder_that_is_not_there_does_nothing(tmp_path: Path) -> None:
    outfolder.sweep(tmp_path / "timelines", keep=[])
    assert list(tmp_path.iterdir()) == []


def test_sweep_takes_a_link_away_and_leaves_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "timelines").mkdir()
    (tmp_path / "timelines" / "link").symlink_to(tmp_path / "elsewhere")
    outfolder.sweep(tmp_path / "timelines", keep=[])
    assert (tmp_path / "elsewhere").is_dir()
    assert not list((tmp_path / "timelines").iterdir())


def test_a_second_run_is_refused_until_the_first_has_ended_or_was_killed(tmp_path: Path) -> None:
    outfolder.claim(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from fer_batch.output import folder as outfolder\n"
        "with outfolder.locked(Path(sys.argv[1])): print('locked', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with (
            pytest.raises(OutputRefused, match=r"Another run is writing into .* Wait until it has finished"),
            outfolder.locked(tmp_path),
        ):
            pass
        other.send_signal(signal.SIGKILL)
    with outfolder.locked(tmp_path):
        pass
    with outfolder.locked(tmp_path):
        pass


def test_a_run_keeps_its_folder_locked_and_lets_go_of_it(tmp_path: Path) -> None:
    photo = tmp_path / "in" / "broken.jpg"
    touch(photo).write_bytes(b"\xff\xd8\xff\xe0 no more")
    out = tmp_path / "out"
    outfolder.claim(out)
    with outfolder.locked(out), pytest.raises(OutputRefused, match="Another run"):
        fer_batch.analyze([photo], out=out)
    with pytest.raises(NothingUsable, match="Nothing could be read"):
        fer_batch.analyze([photo], out=out)
    with outfolder.locked(out):
        pass
