"""Limits of the system, for as long as a block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """No file may be larger than so many bytes: whoever writes more is refused, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
