"""Runs that are killed, interrupted, or run out of disk, and go on: nothing is lost, nothing is done twice."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_batch.errors import ExitCode
from tests.helpers.runs import alive, children, chunks, finish, make_inputs, start, tables, wait_for_chunks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> Path:
    return make_inputs(tmp_path_factory.mktemp("inputs") / "study", astronaut)


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    finish(inputs, out)
    return out


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    inputs: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    delays = np.random.default_rng(0).uniform(0, 4, int(os.environ.get("KILLS", "5")))
    for delay in delays:
        before = chunks(out)
        with start(inputs, out) as run:
            try:
                run.wait(timeout=delay)
            except subprocess.TimeoutExpired:
                run.kill()
        after = chunks(out)
        assert before == {name: after[name] for name in before}  # none was written again
    before = chunks(out)
    finish(inputs, out)
    assert tables(out) == tables(undisturbed)
    after = chunks(out)
    assert before == {name: after[name] for name in before}
    assert after.keys() == chunks(undisturbed).keys()
    assert not list(out.rglob("*.part"))


def test_workers_that_are_killed_cost_nothing(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(inputs, out) as run:
        wait_for_chunks(run, out, 2)
        for pid in children(run.pid):
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        assert run.wait() == ExitCode.DONE
    assert tables(out) == tables(undisturbed)


def test_workers_end_with_a_run_that_is_killed(inputs: Path, tmp_path: Path) -> None:
    with start(inputs, tmp_path / "out") as run:
        wait_for_chunks(run, tmp_path / "out", 1)
        workers = children(run.pid)
        assert len(workers) >= 2
        run.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(map(alive, workers)):
        time.sleep(0.05)
    assert not [pid for pid in workers if alive(pid)]


def test_an_interrupt_ends_a_run_soon_and_the_next_one_goes_on(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(inputs, out) as run:
        wait_for_chunks(run, out, 2)
        before = time.monotonic()
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
        assert time.monotonic() - before < 10  # usually one; more on a busy machine
        assert run.returncode == ExitCode.INTERRUPTED
    assert "run the same command again" in said
    assert "Traceback" not in said
    done = chunks(out)
    assert len(done) < len(chunks(undisturbed)) - 2  # nothing more was begun
    finish(inputs, out)
    assert tables(out) == tables(undisturbed)
    assert done == {name: chunks(out)[name] for name in done}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little space."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_a_run_and_one_with_space_goes_on(inputs: Path, undisturbed: Path, small_disk: Path) -> None:
    out = small_disk / "out"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    with start(inputs, out) as run:
        _, said = run.communicate()
    assert run.returncode == ExitCode.OUTPUT, said
    assert "Free some space" in said
    done = chunks(out)
    assert done
    assert not list(out.rglob("*.part"))
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    finish(inputs, out)
    assert tables(out) == tables(undisturbed)
    assert done == {name: chunks(out)[name] for name in done}
