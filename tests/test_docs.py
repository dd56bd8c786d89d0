"""The README and the docs hold what they promise: commands work as printed, links lead somewhere, tests are there."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fer_batch import cli, demo
from fer_batch.output import schema
from fer_batch.output.csv import write_table
from fer_batch.pipeline import executors
from fer_batch.pipeline.executors.in_process import InProcess

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "training" / "README.md"]
}
"""Every page of Markdown that a user or a contributor reads."""

ANNOTATIONS = ("people.csv", "events.csv")
"""Names of the README's examples of CSV files, in their order."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


COMMANDS = list(
    dict.fromkeys(line for text in PAGES.values() for block in blocks(text, "sh") for line in block.splitlines())
)


def commands(program: str) -> list[str]:
    return [command for command in COMMANDS if command.startswith(f"{program} ")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the commands name."""
    folder = tmp_path_factory.mktemp("desk")
    demo.make_sample(folder)
    (folder / "holiday").mkdir()
    (folder / demo.PHOTO).rename(folder / "holiday" / demo.PHOTO)
    (folder / demo.VIDEO).rename(folder / "interview.mp4")
    for name, content in zip(ANNOTATIONS, blocks(README, "csv"), strict=True):
        (folder / name).write_text(content, encoding="utf-8")
    model = folder / "runs" / "mine" / "fer2013.keras"
    model.parent.mkdir(parents=True)
    model.write_bytes((ROOT / "fer_batch" / "models" / "fer2013.keras").read_bytes())
    return folder


def test_readme_fits() -> None:
    assert len(README.splitlines()) <= 180


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    tested = {"make", "fer-batch", "python", "pip", "pipx", "uv"}
    assert {shlex.split(command, comments=True)[0] for command in COMMANDS} == tested


@pytest.mark.parametrize("command", commands("fer-batch"))
def test_fer_batch_commands_work(command: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setattr(executors, "make", lambda work, workers, *_: InProcess(work))  # the words count here
    result = CliRunner().invoke(cli.app, shlex.split(command, comments=True)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", commands("make"))
def test_make_knows_its_targets(command: str) -> None:
    subprocess.run([*shlex.split(command, comments=True), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("command", [*commands("pip"), *commands("pipx"), *commands("uv")])
def test_what_is_installed_is_this_checkout_or_its_wheel(command: str) -> None:
    """The wheel itself is built and installed by .ci/run; pipx and uv install the checkout as pip does."""
    *_, target = shlex.split(command, comments=True)
    version = re.search(r'__version__ = "(.+)"', (ROOT / "fer_batch" / "_version.py").read_text())[1]
    assert target in {".", "-e", ".[dev]", f"dist/fer_batch-{version}-py3-none-any.whl"}


@pytest.mark.parametrize("command", commands("python"))
def test_python_commands_have_the_options_they_are_given(command: str) -> None:
    _, dash_m, module, *arguments = shlex.split(command, comments=True)
    assert dash_m == "-m"
    options = [argument for argument in arguments if argument.startswith("--")]
    if module == "training":
        from training.__main__ import app

        printed = CliRunner().invoke(app, [arguments[0], "--help"], env={"COLUMNS": "200"}).output
    else:
        assert module in {"benchmarks", "benchmarks.recall", "pytest", "tests.fuzzing"}, command
        printed = " ".join(path.read_text() for path in (ROOT / module.split(".")[0]).glob("*.py"))
    assert all(option in printed for option in options), command


def test_the_notebook_example_runs(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    (example,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["timeline"]) == 30


def test_the_example_of_a_mixed_model_finds_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen persons, before and after, of whom five come once; the true difference is .1."""
    rng = np.random.default_rng(0)
    lines = [
        {"person": f"p{person}", "group": group, "kind": "video", "file": f"{group}.mp4"}
        | {"emotion": "happiness", "value": 0.3 + level + 0.1 * (group == "before") + rng.normal(0, 0.02)}
        for person, level in enumerate(rng.normal(0, 0.1, 15))
        for group in ("after", "before")
        if group == "after" or person < 10
    ]
    (tmp_path / "results").mkdir()
    write_table(tmp_path / "results" / "summary_long.csv", schema.LONG, lines)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(PAGES["docs/statistics.md"], "python")
    names: dict[str, Any] = {}
    exec(compile(example, "statistics.md", "exec"), names)
    low, high = names["model"].conf_int().loc["group[T.before]"]
    assert low < 10 < high
    assert high - low < 6


@pytest.mark.parametrize(
    "table",
    [
        "WIDEST",
        "SUMMARY",
        "BY_PERSON",
        "BY_EVENT",
        "BY_GROUP",
        "DIFFERENCES",
        "LONG",
        "CHANGES",
        "BY_EVENT_TIME",
        "EPISODES",
        "ERRORS",
    ],
)
def test_the_data_dictionary_has_every_column(table: str) -> None:
    dictionary = PAGES["docs/data-dictionary.md"]
    listed = {name for names in re.findall(r"(?<!`)`([^`]+)`(?!`)", dictionary) for name in re.split(r",\s*", names)}
    middle = "disgust|fear|happiness|sadness|surprise"  # of "`anger` … `neutral`"
    for column in getattr(schema, table):
        first = re.sub(middle, "anger", column.name)
        assert column.name in listed or first in listed, column.name


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for path, _, anchor in (link.partition("#") for link in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", PAGES[page])):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{path}#{anchor}"


TESTS_NAMED = re.findall(r"`(test_\w+\.py)::(\w+)`", "".join(PAGES.values()))


@pytest.mark.parametrize(("file", "name"), TESTS_NAMED)
def test_every_test_that_is_named_is_there(file: str, name: str) -> None:
    (path,) = (ROOT / "tests").rglob(file)
    assert re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_line_of_the_table_of_formats_names_a_test() -> None:
    page = PAGES["docs/formats.md"]
    table = page[page.index("| format or feature |") :].split("\n\n")[0]
    rows = table.splitlines()[2:]
    assert all(re.search(r"`test_\w+\.py::\w+` \|$", row) for row in rows)
    assert len(rows) > 40
