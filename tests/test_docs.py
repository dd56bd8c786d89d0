"""Every command in the README works as it is printed."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fer_batch import cli, demo
from fer_batch.output import schema

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


SHEETS = ("people.csv", "events.csv")
"""Names of the README's examples of CSV files, in their order."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the README's commands name."""
    folder = tmp_path_factory.mktemp("desk")
    demo.make_sample(folder)
    (folder / "holiday").mkdir()
    (folder / demo.PHOTO).rename(folder / "holiday" / demo.PHOTO)
    (folder / demo.VIDEO).rename(folder / "interview.mp4")
    for number, sheet in enumerate(blocks("csv")):
        (folder / SHEETS[number]).write_text(sheet, encoding="utf-8")
    model = folder / "runs" / "mine" / "fer2013.keras"
    model.parent.mkdir(parents=True)
    model.write_bytes((ROOT / "fer_batch" / "models" / "fer2013.keras").read_bytes())
    return folder


def test_there_are_commands_to_test() -> None:
    assert {shlex.split(command)[0] for command in COMMANDS} == {"make", "fer-batch", "python"}


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("fer-batch ")])
def test_fer_batch_commands_work(command: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    result = CliRunner().invoke(cli.app, shlex.split(command, comments=True)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("make ")])
def test_make_knows_its_targets(command: str) -> None:
    subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_training_commands_have_the_options_they_are_given() -> None:
    from training.__main__ import app

    for command in COMMANDS:
        if command.startswith("python -m training "):
            name, *arguments = shlex.split(command)[3:]
            said = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
            assert all(one in said for one in arguments if one.startswith("--")), command


def test_the_notebook_example_runs(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    (example,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["timeline"]) == 30


@pytest.mark.parametrize(
    "table", ["WIDEST", "SUMMARY", "BY_PERSON", "BY_EVENT", "BY_GROUP", "DIFFERENCES", "CHANGES", "EPISODES", "ERRORS"]
)
def test_the_data_dictionary_has_every_column(table: str) -> None:
    listed = {name for names in re.findall(r"(?<!`)`([^`]+)`(?!`)", README) for name in re.split(r",\s*", names)}
    middle = "disgust|fear|happiness|sadness|surprise"  # of "`anger` … `neutral`"
    for column in getattr(schema, table):
        first = re.sub(middle, "anger", column.name)
        assert column.name in listed or first in listed, column.name


def test_links_into_the_repository_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


TESTS_NAMED = re.findall(r"`(test_\w+\.py)::(\w+)` \|$", README, re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), TESTS_NAMED)
def test_every_test_that_the_table_of_formats_names_is_there(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_line_of_the_table_of_formats_names_a_test() -> None:
    table = README[README.index("| format or feature |") :].split("\n\n")[0]
    assert len(table.splitlines()) - 2 == len(TESTS_NAMED) > 40
