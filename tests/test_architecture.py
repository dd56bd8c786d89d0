"""The shape of the code: who may import whom, who may speak, and how soon the command line answers."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fer_batch"

LAYERS: tuple[str, ...] = (
    "errors words openvino_import filmstamps",
    "strings",
    "emotions",
    "types sheets",
    "options region filmmoments progress looking faces quality sources traces executors.protocol",
    "sampling shots motion",
    "episodes smoothing timeline tracking persons places",
    "baseline events people groups",
    "study",
    "measuring",
    "courses svg",
    "charts",
    "live card",
    "methods",
    "classifiers.model_file classifiers.batching executors.in_process executors.processes",
    "executors",
    "tables outfolder workfolder frames filmindex filmpicture photofile detectors.centerface",
    "classifiers.keras_cnn classifiers.openvino_cnn media",
    "detectors classifiers films photographs runfile results demo",
    "decoding filmheader pages",
    "grouping multiples",
    "sight indexpage filmpage photospage thumbnails layout",
    "singlefile",
    "report",
    "tasks",
    "seeing forecast",
    "batch",
    "cli",
    "__main__",
)
"""Every module, from the bottom up: one may import only what stands in a line above its own."""

SPEAKERS = {"cli", "__main__"}

HEAVY = {"tensorflow", "keras", "pandas", "matplotlib", "cv2", "av", "openvino"}


def module_name(path: Path) -> str:
    """``detectors.centerface`` for fer_batch/detectors/centerface.py, ``detectors`` for its package's ``__init__``."""
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


def imported_modules(name: str) -> set[str]:
    """The modules of the package that one of them imports."""
    found = set()
    for full in imported(TREES[name]):
        package, _, inner = full.partition(".")
        if package == "fer_batch":
            found.add(next(known for known in (inner, inner.rpartition(".")[0]) if known in TREES))
    return found


def called(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that a module calls or raises."""
    for node in ast.walk(tree):
        target = node.func if isinstance(node, ast.Call) else node.exc if isinstance(node, ast.Raise) else None
        if target is not None:
            yield ast.unparse(target)


def test_every_module_has_a_layer_and_every_layer_its_modules() -> None:
    ranked = " ".join(LAYERS).split()
    assert sorted(ranked) == sorted(TREES.keys() - {""})


@pytest.mark.parametrize("name", sorted(TREES.keys() - {""}))
def test_imports_point_down_only(name: str) -> None:
    rank = {module: height for height, layer in enumerate(LAYERS) for module in layer.split()}
    rank[""] = -1  # the package itself: its version, and names that it imports when they are first used
    assert {other for other in imported_modules(name) if rank[other] >= rank[name]} == set()


def test_the_package_itself_imports_no_module_before_it_is_asked_to() -> None:
    seen = loaded_by("-c", "import fer_batch")
    assert {name for name in seen if name.startswith("fer_batch")} == {"fer_batch"}


@pytest.mark.parametrize("name", sorted(TREES))
def test_no_module_imports_the_training_or_the_tests(name: str) -> None:
    assert {full.partition(".")[0] for full in imported(TREES[name])}.isdisjoint({"training", "tests"})


def test_openvino_comes_in_by_one_door_only() -> None:
    trees = {**TREES, **{path.stem: ast.parse(path.read_text()) for path in (ROOT / "training").glob("*.py")}}
    packages = {name: {full.partition(".")[0] for full in imported(tree)} for name, tree in trees.items()}
    assert {name for name, found in packages.items() if "openvino" in found} == {"openvino_import"}


def test_only_one_module_imports_tensorflow() -> None:
    packages = {name: {full.partition(".")[0] for full in imported(tree)} for name, tree in TREES.items()}
    assert {name for name, found in packages.items() if found & {"tensorflow", "keras"}} == {"classifiers.keras_cnn"}


@pytest.mark.parametrize("name", sorted(TREES.keys() - SPEAKERS))
def test_only_the_command_line_prints_and_exits(name: str) -> None:
    calls = set(called(TREES[name]))
    assert calls.isdisjoint({"print", "input", "exit", "quit", "sys.exit", "os._exit", "SystemExit"})
    assert not [call for call in calls if call.startswith(("typer.", "sys.stdout.write", "sys.stderr.write"))]
    assert "typer" not in {full.partition(".")[0] for full in imported(TREES[name])}


def test_the_command_line_does_print() -> None:
    assert "typer.echo" in set(called(TREES["cli"]))


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
