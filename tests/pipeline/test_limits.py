"""Limits of control groups, as containers and job systems set them, decide how many workers there are."""

from pathlib import Path

import pytest

from fer_batch.pipeline import executors
from fer_batch.pipeline.executors import limits


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups, in which this process is in /job/step."""
    (tmp_path / "job" / "step").mkdir(parents=True)
    (tmp_path / "self").write_text("0::/job/step\n")
    monkeypatch.setattr(limits, "ROOT", tmp_path)
    monkeypatch.setattr(limits, "MEMBERSHIP", tmp_path / "self")
    return tmp_path


def test_without_limits_every_core_has_a_worker(group: Path) -> None:
    assert limits.workers(7) == 7
    (group / "cpu.max").write_text("max 100000\n")
    (group / "memory.max").write_text("max\n")
    assert limits.workers(7) == 7


@pytest.mark.parametrize(("quota", "expected"), [("100000 100000", 1), ("150000 100000", 2), ("10000 100000", 1)])
@pytest.mark.parametrize("place", [".", "job", "job/step"])
def test_cores_are_limited_by_the_group_and_those_above_it(group: Path, quota: str, expected: int, place: str) -> None:
    (group / "job" / "step" / "cpu.max").write_text("600000 100000\n")
    (group / place / "cpu.max").write_text(f"{quota}\n")
    assert limits.workers(7) == expected


def test_memory_limits_the_workers(group: Path) -> None:
    (group / "job" / "memory.max").write_text(f"{2 * 10**9}\n")
    assert limits.workers(7) == 3
    (group / "job" / "memory.max").write_text("1000\n")
    assert limits.workers(7) == 1


def test_version_1_is_read_too(group: Path) -> None:
    (group / "self").write_text("4:cpu,cpuacct:/job\n5:memory:/job\n")
    for controller in ("cpu", "memory"):
        (group / controller / "job").mkdir(parents=True)
    (group / "cpu" / "job" / "cpu.cfs_quota_us").write_text("-1\n")
    (group / "cpu" / "job" / "cpu.cfs_period_us").write_text("100000\n")
    (group / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert limits.workers(7) == 7
    (group / "cpu" / "job" / "cpu.cfs_quota_us").write_text("200000\n")
    assert limits.workers(7) == 2


@pytest.mark.parametrize("text", ["", "nonsense", "1 0", "100000"])
def test_what_cannot_be_read_limits_nothing(group: Path, text: str) -> None:
    (group / "cpu.max").write_text(text)
    (group / "memory.max").write_text("nonsense")
    assert limits.workers(7) == 7


def test_there_is_at_least_one_worker() -> None:
    assert executors.cores() >= 1
