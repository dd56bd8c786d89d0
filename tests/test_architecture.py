"""The shape of the code: who may import whom, who may print, and how soon the command line answers.

Which package may import which is said by the contracts in pyproject.toml, which import-linter checks.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fer_batch"

SPEAKERS = {"cli", "terminal", "__main__"}
"""The modules that print and exit."""

MAX_MODULES = 12
"""Of them at most stand directly in the package; everything else is in a subpackage."""

HEAVY = {"tensorflow", "keras", "pandas", "matplotlib", "cv2", "av", "openvino"}


def module_name(path: Path) -> str:
    """``detection.centerface`` for fer_batch/detection/centerface.py, ``detection`` for its package's ``__init__``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


TREES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
"""Every module's name in the package, and its code; the package itself has the name ""."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of everything that a module imports, at its top or later; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not told apart here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that a module calls or raises."""
    for node in ast.walk(tree):
        target = node.func if isinstance(node, ast.Call) else node.exc if isinstance(node, ast.Raise) else None
        if target is not None:
            yield ast.unparse(target)


def test_imports_keep_the_contracts() -> None:
    lint = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or pytest.skip("no import-linter")
    run = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_few_modules_stand_directly_in_the_package() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MAX_MODULES


def test_the_package_itself_imports_no_module_before_it_is_asked_to() -> None:
    seen = loaded_by("-c", "import fer_batch")
    assert {name for name in seen if name.startswith("fer_batch")} == {"fer_batch", "fer_batch._version"}


@pytest.mark.parametrize("name", sorted(TREES))
def test_no_module_imports_the_training_or_the_tests(name: str) -> None:
    assert {full.partition(".")[0] for full in imported(TREES[name])}.isdisjoint({"training", "tests"})


def test_openvino_comes_in_by_one_door_only() -> None:
    training = {f"training.{path.stem}": ast.parse(path.read_text()) for path in (ROOT / "training").glob("*.py")}
    packages = {name: {full.partition(".")[0] for full in imported(tree)} for name, tree in (TREES | training).items()}
    assert {name for name, found in packages.items() if "openvino" in found} == {"openvino_net"}


def test_only_one_module_imports_tensorflow() -> None:
    packages = {name: {full.partition(".")[0] for full in imported(tree)} for name, tree in TREES.items()}
    assert {name for name, found in packages.items() if found & {"tensorflow", "keras"}} == {"classifiers.keras"}


@pytest.mark.parametrize("name", sorted(TREES.keys() - SPEAKERS))
def test_only_the_command_line_prints_and_exits(name: str) -> None:
    calls = set(called(TREES[name]))
    assert calls.isdisjoint({"print", "input", "exit", "quit", "sys.exit", "os._exit", "SystemExit"})
    assert not [call for call in calls if call.startswith(("typer.", "sys.stdout.write", "sys.stderr.write"))]
    assert "typer" not in {full.partition(".")[0] for full in imported(TREES[name])}


def test_the_command_line_does_print() -> None:
    assert "typer.echo" in set(called(TREES["terminal"]))


def loaded_by(*arguments: str) -> set[str]:
    """Names of the modules that Python imports when it runs with these arguments."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


AT_ONCE = [
    (["--help"], 0),
    (["--version"], 0),
    (["analyze", "--help"], 0),
    (["export", "--list"], 0),
    (["analyze", "--no-such-option"], 2),
    (["analyze", "no-such-folder"], 2),
]
"""What must be answered before anything heavy is imported, and the exit code."""


@pytest.mark.parametrize("arguments", [arguments for arguments, _ in AT_ONCE])
def test_a_quick_question_loads_nothing_heavy(arguments: Sequence[str]) -> None:
    packages = {name.partition(".")[0] for name in loaded_by("-m", "fer_batch", *arguments)}
    assert "typer" in packages
    assert packages.isdisjoint(HEAVY)


def processor_seconds(arguments: Sequence[str], code: int) -> float:
    """What one answer takes; whatever else this machine is busy with does not count."""
    before = os.times()
    run = subprocess.run(
        [sys.executable, "-m", "fer_batch", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    after = os.times()
    assert run.returncode == code, run.stderr
    return after.children_user + after.children_system - before.children_user - before.children_system


@pytest.mark.parametrize(("arguments", "code"), AT_ONCE)
def test_a_quick_question_is_answered_within_a_second(arguments: Sequence[str], code: int) -> None:
    assert any(processor_seconds(arguments, code) < 1 for _ in range(3))
