"""No file, however damaged, hangs or crashes the reader or goes by without a word. ``make fuzz`` goes on for longer."""

import os
import random
import signal
import subprocess
import sys
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
    assert told["frames"] == (16 if fuzzing.ORIGINS[name].__qualname__.startswith("_video") else 1)
    quiet = not name.startswith(("moving", "pages")) and name not in ("a.h264", "a.hevc")
    assert bool(told["lines"]) != quiet


@pytest.mark.fuzz
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(fuzzing.ORIGINS)), seed=st.integers(0, 2**32))
def test_damaged_every_format_is_read_or_reported(
    tmp_path: Path, origins: Path, child: fuzzing.Child, name: str, seed: int
) -> None:
    path = tmp_path / f"spoilt.{name.rpartition('.')[2]}"
    contents = {origin: (origins / origin).read_bytes() for origin in fuzzing.ORIGINS}
    path.write_bytes(fuzzing.spoil(contents[name], random.Random(seed), list(contents.values())))
    told = child.look(path)
    assert "fault" not in told, told["fault"]


def test_a_hang_a_crash_and_a_fault_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "a.jpg"
    fuzzing.ORIGINS["baseline.jpg"](photo)
    with fuzzing.Child() as child:
        assert "no file or folder" in child.look(tmp_path / "missing.jpg")["fault"]
        assert child.look(photo)["frames"] == 1
        os.kill(child.process, signal.SIGSTOP)
        monkeypatch.setattr(fuzzing, "PATIENCE", 1)
        assert "hangs" in child.look(photo)["fault"]
        monkeypatch.undo()
        assert child.look(photo)["frames"] == 1
        os.kill(child.process, signal.SIGKILL)
        assert "died" in child.look(photo)["fault"]


IMPATIENTLY = """
import sys
from pathlib import Path
from fer_batch.media.video import index
index.READ_TIMEOUT_SECONDS = 1.0
from tests import fuzzing
told = fuzzing._look(Path(sys.argv[1]))
print(*told["lines"], sep="\\n")
"""


def test_a_video_in_which_ffmpeg_goes_in_circles_is_given_up(origins: Path, tmp_path: Path) -> None:
    video = tmp_path / "joined.mp4"
    content = bytearray((origins / "av1.mp4").read_bytes())
    content[4142:4146] = bytes(4)
    video.write_bytes(content + (origins / "a.heic").read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENTLY, str(video)], cwd=fuzzing.ROOT, capture_output=True, text=True, timeout=60
    )
    assert "Reading broke off after" in done.stdout, done.stderr
