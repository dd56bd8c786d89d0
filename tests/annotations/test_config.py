"""A file of options: found, read with every mistake told, written; and the command line wins over it."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from fer_batch import cli
from fer_batch.annotations import config
from fer_batch.annotations.config import Setting
from fer_batch.errors import ExitCode, OutputError, OutputRefused, UsageError
from fer_batch.options import Options
from tests.helpers import media
from tests.helpers.limits import no_file_above
from tests.helpers.quick import quick  # noqa: F401

KINDS = {"fps": float, "min-face": int, "view": str, "cropped": bool, "people": Path}
KNOWN = [Setting(name, kind, None, "Help.") for name, kind in KINDS.items()]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    media.write_photo(tmp_path / "study" / "a.png")
    return tmp_path / "study"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_options_have_the_names_of_the_command_line(tmp_path: Path) -> None:
    path = write(tmp_path / "lab.toml", 'fps = 10\nmin_face = 40\n"view" = "ferplus"\ncropped = true\n')
    assert config.read(path, KNOWN) == {"fps": 10.0, "min-face": 40, "view": "ferplus", "cropped": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min-fase = 40", "there is no option 'min-fase' for such a file. Did you mean 'min-face'?"),
        ("[faces]\nmin-face = 40", "there is no option 'faces'"),
        ("fps = [1, 2]", "'fps' must be a number, as on the command line"),
        ("fps: 10", "is no TOML: "),
        ("fps = 1\nfps = 2", "is no TOML: "),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "lab.toml", text)
    with pytest.raises(UsageError, match=re.escape(message)) as error:
        config.read(path, KNOWN)
    assert "lab.toml" in str(error.value)


def test_the_file_is_in_an_input_folder_or_beside_an_input(tmp_path: Path, study: Path) -> None:
    assert config.find([study, study / "a.png"]) is None
    beside = write(tmp_path / config.NAME, "")
    assert config.find([study]) == beside
    assert config.find([study / "a.png"]) is None
    within = write(study / config.NAME, "")
    assert config.find([study / "a.png"]) == within
    with pytest.raises(UsageError, match="There are 2 files"):
        config.find([study])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), min_size=1)


@given(texts, st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, flag: bool, number: float, whole: int
) -> None:
    path = tmp_path_factory.mktemp("config") / "lab.toml"
    values = {"text": text, "flag": flag, "number": number, "whole": whole}
    written = {Setting(name, type(value), None, "Help."): value for name, value in values.items()}
    config.write(path, written)
    assert config.read(path, written) == values
    config.write(path, written)
    with pytest.raises(OutputRefused, match="with other options"):
        config.write(path, {})


def test_no_space_for_options_is_told_and_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    with (
        pytest.raises(OutputError, match=r"Cannot write .*new\.toml: File too large\. Choose"),
        no_file_above(9),
    ):
        config.write(path, {Setting("fps", float, None, "Frames."): 5.0})
    assert list(tmp_path.iterdir()) == []


def test_defaults_are_comments_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    people = tmp_path / "sub" / "people.csv"
    config.write(path, {Setting("people", Path, None, "Who."): people, Setting("fps", float, 5.0, "Frames."): 5.0})
    assert path.read_text().splitlines()[2:] == ["# Who.", 'people = "sub/people.csv"', "", "# Frames.", "# fps = 5.0"]


def run(study: Path, *more: str | Path) -> Result:
    out = study.parent / "out"
    given = ["analyze", str(study), "--out", str(out), "--workers", "0", *map(str, more)]
    return CliRunner().invoke(cli.app, given, env={"COLUMNS": "300"})


def options(study: Path) -> tuple[dict[str, object], dict[str, str]]:
    written = json.loads((study.parent / "out" / "run.json").read_text())
    return written["options"], written["options_from"]


@pytest.mark.usefixtures("quick")
def test_the_command_line_wins_and_run_json_says_where_options_are_from(study: Path) -> None:
    (study.parent / "people.csv").write_text("file,face_id,person\na.png,0,Anna\n")
    text = 'fps = 10\nmin-face = 40\nregion = "1,2,30,40"\npeople = "people.csv"\nthumbnails = true\nbaseline = "0-1"\n'
    write(study.parent / config.NAME, text)
    said = run(study, "--min-face", "30", "--no-thumbnails")
    assert said.exit_code == ExitCode.SOME_LEFT_OUT, said.output  # Anna is not there
    assert f"options from {study.parent / config.NAME}: fps, region, people, baseline." in said.stderr
    chosen, origins = options(study)
    assert (chosen["fps"], chosen["min_face"], chosen["region"]) == (10, 30, [1, 2, 30, 40])
    assert (chosen["people"], chosen["baseline"]) == ("people.csv", [0, 1])
    of_file = dict.fromkeys(("fps", "region", "people", "baseline"), config.NAME)
    assert origins == dict.fromkeys(("min_face", "thumbnails", "workers"), "command line") | of_file


@pytest.mark.usefixtures("quick")
def test_saved_options_give_the_same_run(study: Path) -> None:
    lab = study.parent / "lab.toml"
    given = "--fps 5 --region 1,2,30,40 --no-recursive --view ferplus --export xlsx --anonymize --thumbnails".split()
    assert run(study, *given, "--save-config", lab).exit_code == ExitCode.DONE
    first, _ = options(study)
    assert "# Frames per second to analyse" in lab.read_text()
    said = run(study, "--config", lab)
    assert said.exit_code == ExitCode.DONE, said.output
    second, origins = options(study)
    assert second == first
    assert {name for name, place in origins.items() if place == "lab.toml"} == {
        *("fps", "region", "recursive", "view", "export_formats", "anonymize", "thumbnails")
    }
    assert run(study, "--fps", "6", "--save-config", lab).exit_code == ExitCode.USAGE
    assert lab.read_text().count("fps = 5.0") == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('fps = "fast"', "lab.toml: 'fps' must be a number, as on the command line; got \"fast\"."),
        ("fps = true", "lab.toml: 'fps' must be a number"),
        ("min-face = 40.5", "lab.toml: 'min-face' must be a whole number"),
        ("cropped = 1", "lab.toml: 'cropped' must be true or false"),
        ("view = 2", "lab.toml: 'view' must be a text"),
        ('people = "nobody.csv"', "lab.toml: 'people': there is no file"),
        ("restart = true", "lab.toml: there is no option 'restart'"),
        ("out = 'x'", "lab.toml: there is no option 'out'"),
        ("baseline = '9'", "--baseline must be two times in seconds"),
        ("min-quality = 3", "--min-quality must be at least 0 and at most 1"),
    ],
)
def test_wrong_values_end_the_run_before_it_begins(study: Path, text: str, message: str) -> None:
    said = run(study, "--config", write(study.parent / "lab.toml", text))
    assert said.exit_code == ExitCode.USAGE
    assert message in said.stderr
    assert not (study.parent / "out").exists()


def test_every_option_is_in_one_group() -> None:
    from fer_batch.options import GROUPS, ReportOptions

    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted([*Options.__dataclass_fields__, *ReportOptions.__dataclass_fields__])


@pytest.mark.parametrize(
    "command", ["", "analyze", "report", "serve", "annotate", "export", "people", "events", "info", "demo"]
)
def test_help_is_not_cut_on_a_narrow_terminal_and_has_an_example(command: str) -> None:
    said = CliRunner().invoke(cli.app, [*command.split(), "--help"], env={"COLUMNS": "80"})
    assert said.exit_code == ExitCode.DONE
    assert "…" not in said.output
    assert not command or f"Example: fer-batch {command}" in said.output
