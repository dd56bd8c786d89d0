"""No file, however damaged, hangs or crashes the reader or goes by without a word. ``make fuzz`` goes on for longer."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import fuzzing


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origins")
    fuzzing.write_origins(folder)
    return folder


@pytest.fixture(scope="module")
def child() -> Iterator[fuzzing.Child]:
    with fuzzing.Child() as child:
        yield child


@pytest.mark.parametrize("name", fuzzing.ORIGINS)
def test_undamaged_every_format_is_read_and_nothing_is_written(origins: Path, child: fuzzing.Child, name: str) -> None:
    path = origins / name
    before, beside = (path.read_bytes(), path.stat().st_mtime_ns), sorted(origins.iterdir())
    told = child.look(path)
    assert ((path.read_bytes(), path.stat().st_mtime_ns), sorted(origins.iterdir())) == (before, beside)
    assert "fault" not in told, told["fault"]
    assert told["frames"] == (16 if fuzzing.ORIGINS[name].__qualname__.startswith("_film") else 1)
    quiet = not name.startswith(("moving", "pages")) and name not in ("a.h264", "a.hevc")
    assert bool(told["lines"]) != quiet


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(fuzzing.ORIGINS)), seed=st.integers(0, 2**32))
def test_damaged_every_format_is_read_or_reported(
    tmp_path: Path, origins: Path, child: fuzzing.Child, name: str, seed: int
) -> None:
    path = tmp_path / f"spoilt.{name.rpartition('.')[2]}"
    contents = {one: (origins / one).read_bytes() for one in fuzzing.ORIGINS}
    path.write_bytes(fuzzing.spoil(contents[name], random.Random(seed), list(contents.values())))
    told = child.look(path)
    assert "fault" not in told, told["fault"]


def test_a_hang_a_crash_and_a_fault_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = tmp_path / "a.jpg"
    fuzzing.ORIGINS["baseline.jpg"](photograph)
    with fuzzing.Child() as child:
        assert "no file or folder" in child.look(tmp_path / "missing.jpg")["fault"]
        assert child.look(photograph)["frames"] == 1
        os.kill(child.process, signal.SIGSTOP)
        monkeypatch.setattr(fuzzing, "PATIENCE", 1)
        assert "hangs" in child.look(photograph)["fault"]
        monkeypatch.undo()
        assert child.look(photograph)["frames"] == 1
        os.kill(child.process, signal.SIGKILL)
        assert "died" in child.look(photograph)["fault"]
