"""Splits sources into shards, so that several machines that know nothing of each other analyse each of them once.

Every machine that finds the same sources, with files of the same sizes, splits them in the same way.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from fer_batch.types import Source


class Division(NamedTuple):
    """All sources, split into shards."""

    shards: tuple[tuple[Source, ...], ...]
    """The sources of each, in the order in which they were given."""
    digest: str
    """Of the names and sizes of all sources: shards of one division have the same."""


def divide(sources: Sequence[Source], shards: int) -> Division:
    """Split sources into so many shards of about as many bytes.

    The largest source is placed first, and each in the shard that has the fewest bytes so far: the largest shard has at
    most 4/3 of the bytes that it has in the best division (R. L. Graham: Bounds on multiprocessing timing anomalies,
    SIAM J. Appl. Math. 17, 1969). Sources of the same size are placed in the order of a hash of their names.
    """
    sizes = {source.name: _bytes(source) for source in sources}
    hashes = {name: hashlib.sha256(f"{name}\0{size}".encode()).hexdigest() for name, size in sizes.items()}
    loads = [(0, 0, shard) for shard in range(shards)]  # bytes, sources, the shard
    shard_of: dict[str, int] = {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], hashes[name])):
        least = min(loads)
        loads[least[2]] = least[0] + sizes[name], least[1] + 1, least[2]
        shard_of[name] = least[2]
    split = [tuple(source for source in sources if shard_of[source.name] == shard) for shard in range(shards)]
    return Division(tuple(split), hashlib.sha256("".join(sorted(hashes.values())).encode()).hexdigest())


def _bytes(source: Source) -> int:
    """Of all files of a source; one that cannot be looked at counts as empty."""
    size = 0
    for file in source.files:
        with suppress(OSError):
            size += file.stat().st_size
    return size
