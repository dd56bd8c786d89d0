"""Every environment ends with a sentence: odd terminals, closed pipes, no home folder, little of everything."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

import fer_batch
from fer_batch import cli, terminal
from fer_batch.errors import ExitCode
from tests.helpers import media
from tests.helpers.quick import quick  # noqa: F401

PROGRAM = [sys.executable, "-m", "fer_batch"]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for grey, name in enumerate(("1 plain.png", "2 寿司.png", "3\u2028after.png"), start=90):
        (folder / Path(name).stem).mkdir()
        media.write_photo(folder / Path(name).stem / name, np.full((48, 64, 3), grey, np.uint8))
    return folder


def run(*arguments: str | Path, **environment: str | None) -> "subprocess.CompletedProcess[bytes]":
    merged = {name: value for name, value in (os.environ | environment).items() if value is not None}
    return subprocess.run([*PROGRAM, *map(str, arguments)], env=merged, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["cp1252", pytest.param("ascii", marks=pytest.mark.slow)])
def test_a_name_that_stdout_cannot_show_is_escaped(inputs: Path, tmp_path: Path, encoding: str) -> None:
    done = run("analyze", inputs, "--out", tmp_path / "out", "--workers", "0", PYTHONIOENCODING=encoding)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert rb"2 \u5bff\u53f8: 1 photo" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_is_silent_and_the_run_goes_on(inputs: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*PROGRAM, "analyze", str(inputs), "--out", str(tmp_path / "out"), "--workers", "0"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == ExitCode.DONE
    assert done.stderr == b""
    assert (tmp_path / "out" / "index.html").is_file()


in_a_namespace = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode != 0,
    reason="user namespaces are not allowed",
)


def contained(limits: str, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    """Run the program as in a container: a user without a name or a home, nothing writable here, and these limits."""
    command = ["sh", "-c", f'cd /; {limits}; exec "$@"', "sh", *PROGRAM, *map(str, arguments)]
    namespace = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run([*namespace, *command], capture_output=True, check=False, env=environment)


@in_a_namespace
@pytest.mark.parametrize("limits", ["true", pytest.param("ulimit -n 20; ulimit -v 2000000", marks=pytest.mark.slow)])
def test_a_container_without_home_and_with_little_of_everything(inputs: Path, tmp_path: Path, limits: str) -> None:
    out = tmp_path / "out"
    done = contained(limits, "analyze", inputs, "--out", out)
    assert done.returncode == ExitCode.DONE, done.stderr
    assert b"Traceback" not in done.stderr
    assert (out / "index.html").is_file()


@in_a_namespace
@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    ["ulimit -n 20; ulimit -v 2000000", "ulimit -v 1000000", "ulimit -v 3000000", "ulimit -n 10", "ulimit -f 100"],
)
def test_faces_in_a_container_are_found_or_a_sentence_says_why_not(tmp_path: Path, limits: str) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    person = skimage.data.astronaut()[:360, 60:380]
    media.write_photo(folder / "face.png", person)
    media.write_video(folder / "film.mp4", range(0, 2000, 40), [person] * 50)
    done = contained(limits, "analyze", folder, "--out", out)
    assert b"Traceback" not in done.stderr
    if done.returncode == ExitCode.DONE:
        assert len(fer_batch.read_timeline(out / "timelines" / "film.mp4.csv")) == 50
    else:
        assert done.returncode in set(ExitCode)
        assert re.search(rb"fer-batch: (error|left out|not whole): .*\.", done.stderr), done.stderr


@in_a_namespace
def test_a_folder_that_cannot_be_written_to_is_told(inputs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    done = contained(f"cd '{folder}'", "analyze", inputs)
    assert done.returncode == ExitCode.OUTPUT
    assert done.stderr.startswith(b"fer-batch: error: Cannot write into ")
    assert b"Choose another --out." in done.stderr


def test_an_unexpected_error_is_one_line_with_a_log(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of nothing")

    monkeypatch.setattr("fer_batch.pipeline.run.analyze", fail)
    log = tmp_path / "log.txt"
    result = CliRunner().invoke(cli.app, ["analyze", str(inputs), "--out", str(tmp_path / "out"), "--log", str(log)])
    assert result.exit_code == ExitCode.UNEXPECTED
    assert len(result.stderr.splitlines()) == 1
    assert str(log) in result.stderr
    assert "Traceback" in log.read_text()
    result = CliRunner().invoke(cli.app, ["analyze", str(inputs), "--out", str(tmp_path / "out")])
    written = Path(result.stderr.rpartition("with ")[2].strip().rstrip("."))
    assert "ZeroDivisionError: of nothing" in written.read_text()
    written.unlink()


@pytest.mark.usefixtures("quick")
def test_the_log_holds_every_step(inputs: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    fixed = ["analyze", str(inputs), "--out", str(tmp_path / "out"), "--workers", "0"]
    CliRunner().invoke(cli.app, [*fixed, "--log", str(log)])
    assert "1 plain: finished" in log.read_text()
    said = CliRunner().invoke(cli.app, [*fixed, "--verbose"])
    assert "1 plain: finished, unchanged" in said.stderr
    assert "unchanged, and not analysed again" in said.stderr
    said = CliRunner().invoke(cli.app, [*fixed, "--log", str(tmp_path)])
    assert said.exit_code == ExitCode.USAGE


@pytest.mark.usefixtures("quick")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
def test_a_log_on_a_full_disk_is_told_once_and_the_run_goes_on(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("analyze", inputs, "--out", out, "--workers", "0", "--log", "/dev/full")
    assert done.returncode == ExitCode.DONE
    assert done.stderr.count(b"the log /dev/full is not whole: [Errno 28] No space left on device") == 1
    assert b"Traceback" not in done.stderr
    assert (out / "index.html").is_file()


def test_an_empty_input_is_not_the_working_directory(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli.app, ["analyze", "", "--out", str(tmp_path / "out")])
    assert said.exit_code == ExitCode.USAGE
    assert "An input is empty" in said.stderr


@pytest.mark.usefixtures("quick")
def test_without_a_terminal_a_line_tells_how_far_the_run_is(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "LINE_SECONDS", 0.0)
    media.write_video(inputs / "film.mp4")
    fixed = ["--out", str(tmp_path / "out"), "--workers", "0"]
    said = CliRunner().invoke(cli.app, ["analyze", str(inputs), *fixed]).stderr
    assert "of 28 frames, about" in said  # from the first line on
    assert "28 of 28 frames" in said
    assert "report: 4 of 4 pages" in said
    said = CliRunner().invoke(cli.app, ["report", str(tmp_path / "out")]).stderr
    assert "4 of 4 pages" in said


def test_a_single_input_that_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    said = CliRunner().invoke(cli.app, ["analyze", str(tmp_path / "a.mp4"), "--out", str(tmp_path / "out")])
    assert said.exit_code == ExitCode.NOTHING_USABLE
    assert "a.mp4: " in said.stderr
    assert "empty" in said.stderr


def test_an_input_in_the_place_of_a_command_is_told_what_to_write(inputs: Path) -> None:
    said = CliRunner().invoke(cli.app, [str(inputs)], env={"COLUMNS": "500"})
    assert said.exit_code == ExitCode.USAGE
    assert "Write: fer-batch analyze" in said.stderr
