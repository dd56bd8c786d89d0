"""How many cores and how much memory a container or a job may use: Linux control groups, versions 1 and 2.

The documentation is that of the kernel: https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/.
"""

from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")

MEMBERSHIP = Path("/proc/self/cgroup")

MAIN_BYTES = 350 * 10**6
"""Memory of the main process: up to 334 MB were measured (docs/speed.md)."""

WORKER_BYTES = 500 * 10**6
"""Memory to leave to each worker: up to 366 MB were measured, with 1080p (docs/speed.md)."""


def workers(cores: int) -> int:
    """The number of workers for so many cores, at least 1: fewer where cores or memory are limited."""
    quota, memory = cpus(), memory_bytes()
    if quota is not None:
        cores = min(cores, max(1, ceil(quota)))
    if memory is not None:
        cores = min(cores, max(1, (memory - MAIN_BYTES) // WORKER_BYTES))
    return cores


def cpus() -> float | None:
    """Cores that the control group may use on average; None: there is no limit."""
    found = []
    for folder in _folders("cpu"):
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = (folder / "cpu.max").read_text().split()
            found.append(int(quota) / int(period))
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if int(quota) > 0:
                found.append(int(quota) / int(period))
    return min(found, default=None)


def memory_bytes() -> int | None:
    """Memory that the control group may use; None: there is no limit."""
    found = []
    for folder in _folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):  # version 1 says a huge number for no limit
            with suppress(OSError, ValueError):
                found.append(int((folder / name).read_text()))
    return min(found, default=None)


def _folders(controller: str) -> Iterator[Path]:
    """The control group's folders and those above it, whose limits hold too; in a container often only the root."""
    yield from (ROOT, ROOT / controller)
    with suppress(OSError):
        for line in MEMBERSHIP.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0" or controller in controllers.split(","):
                base = ROOT if number == "0" else ROOT / controller
                parts = Path(path).parts[1:]
                yield from (base.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1))
