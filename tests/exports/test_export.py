"""Exports as a whole: whole or not at all, nothing of anybody's lost, and sentences where something is wrong."""

import gc
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fer_batch import exports
from fer_batch.cli import app
from fer_batch.errors import ExitCode, OutputError, UsageError
from fer_batch.exports import REGISTRY, Format, parse_formats
from fer_batch.exports.export import export
from fer_batch.output.exported import read_exported
from tests.helpers.limits import no_file_above
from tests.helpers.studies import frames, make_study


def invoke(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An output folder of one video with one episode, which a test may change."""
    return make_study(tmp_path / "out", {"a.mp4": frames([0, 0.5, 1], ["fear"] * 3)})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An output folder without a video."""
    return make_study(tmp_path / "out", {}, {"holiday": ["fear"]})


def test_the_list_says_what_each_format_is_for() -> None:
    result = invoke("--list")
    assert result.exit_code == ExitCode.DONE
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(REGISTRY)
    assert all(made.purpose in result.stdout for made in REGISTRY.values())


@pytest.mark.parametrize("name", REGISTRY)
def test_every_format_writes_the_same_bytes_again(name: str, study: Path, tmp_path: Path) -> None:
    for out in ("first", "second"):
        (made,) = export(study, [name], out=tmp_path / out)
        assert made == tmp_path / out / name
    assert files(tmp_path / "first") == files(tmp_path / "second")
    assert read_exported(tmp_path / "first").keys() == {name}
    assert [path.name for path in (tmp_path / "first").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", REGISTRY)
def test_no_video_is_no_file_of_times_and_a_sentence(name: str, photos: Path) -> None:
    result = invoke(photos, "--to", name)
    if REGISTRY[name].of_times:
        assert result.exit_code == ExitCode.NOTHING_USABLE
        assert f"{name}: there is nothing to write." in result.stderr
        assert not (photos / "exports").exists()
    else:
        assert result.exit_code == ExitCode.DONE
        assert Path(result.stdout.strip()) == photos / "exports" / name


def test_a_format_with_nothing_to_write_beside_one_with_something_ends_with_one(photos: Path) -> None:
    result = invoke(photos, "--to", "srt,excel-csv")
    assert result.exit_code == ExitCode.SOME_LEFT_OUT
    assert "srt: there is nothing to write." in result.stderr


def test_a_video_without_times_is_told(study: Path, tmp_path: Path) -> None:
    result = invoke(study, "--to", "srt", "--out", tmp_path)
    assert result.exit_code == ExitCode.DONE
    assert "raw.h264: its times are not known" in result.stderr
    assert not list((tmp_path / "srt").rglob("raw.h264*"))


FILES = {"boris": 2, "xlsx": 1, "elan": 900}
"""How many files formats write of 300 videos, if it is not one for each."""


@pytest.mark.slow
def test_many_videos_have_all_their_files(tmp_path: Path) -> None:
    videos = {f"{number}.mp4": frames([0, 0.5], ["anger", "anger"]) for number in range(300)}
    folder = make_study(tmp_path / "out", videos)
    for made in export(folder, tuple(REGISTRY), out=tmp_path / "made"):
        count = sum(path.is_file() for path in made.rglob("*"))
        assert count == FILES[made.name] if made.name in FILES else 300 <= count <= 310, made


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "srt,no-such"], "There is no format no-such; there is elan, "),
        (["--to", ","], "No format is named; there is elan, "),
        ([], "Name an output folder and a format"),
        (["--to", "excel-csv", "--locale", "xx"], "--locale must be a language, such as de, en or fr"),
        (["--to", "srt", "--locale", "de"], "--locale says how excel-csv writes numbers"),
    ],
)
def test_a_wrong_command_is_told(arguments: list[str], sentence: str, small: Path) -> None:
    result = invoke(small, *arguments)
    assert result.exit_code == ExitCode.USAGE
    assert sentence in result.stderr


def test_a_folder_without_tables_is_told(tmp_path: Path) -> None:
    result = invoke(tmp_path, "--to", "srt")
    assert result.exit_code == ExitCode.USAGE
    assert "holds no run.json" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_table_is_told(small: Path) -> None:
    (small / "episodes.csv").write_bytes(b"\xff\xfe")
    result = invoke(small, "--to", "srt")
    assert result.exit_code == ExitCode.USAGE
    assert "episodes.csv is damaged" in result.stderr


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(exports.REGISTRY, "rare", Format("Nothing", "rare:write", needs=("no_such_library",)))
    with pytest.raises(UsageError, match="pip install no-such-library"):
        parse_formats("rare")


@pytest.mark.parametrize("name", REGISTRY)
def test_no_space_is_told_in_one_sentence_and_leaves_the_earlier_export(
    name: str, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: said.append(found.exc_value))
    out = tmp_path / "made"
    export(study, [name], out=out)
    before = files(out)
    largest = max(map(len, before.values()))
    for most in (0, largest // 2, largest - 1):
        with (
            pytest.raises(OutputError, match=rf"^Cannot write {out}/[^:]*: File too large\. Free some space, [^:]*$"),
            no_file_above(most),
        ):
            export(study, [name], out=out)
        gc.collect()
        assert files(out) == before
    assert [error for error in said if not isinstance(error, ResourceWarning)] == []  # these only tests show


def test_what_somebody_has_worked_on_is_not_overwritten(small: Path) -> None:
    (path,) = invoke(small, "--to", "elan").stdout.splitlines()
    document = Path(path) / "a.mp4.eaf"
    document.write_text(document.read_text() + "<!-- mine -->")
    result = invoke(small, "--to", "elan")
    assert result.exit_code == ExitCode.USAGE
    assert "was changed since fer-batch wrote it" in result.stderr
    assert "mine" in document.read_text()
    assert invoke(small, "--to", "elan", "--overwrite").exit_code == ExitCode.DONE
    assert "mine" not in document.read_text()


def test_a_file_that_fer_batch_did_not_write_is_not_overwritten(small: Path) -> None:
    (small / "exports" / "srt").mkdir(parents=True)
    (small / "exports" / "srt" / "a.mp4.srt").write_text("mine")
    assert invoke(small, "--to", "srt").exit_code == ExitCode.USAGE
    assert (small / "exports" / "srt" / "a.mp4.srt").read_text() == "mine"


def test_files_of_sources_that_are_gone_are_removed_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "made"
    two = make_study(tmp_path / "two", {name: frames([0, 1], ["fear"] * 2) for name in ("sub/a.mp4", "b.mp4")})
    one = make_study(tmp_path / "one", {"b.mp4": frames([0, 2], ["fear"] * 2)})
    export(two, ["srt"], out=out)
    (out / "srt" / "notes.txt").write_text("mine")
    export(one, ["srt"], out=out)
    assert sorted(files(out)) == ["exports.json", "srt/b.mp4.srt", "srt/notes.txt"]
