"""Shards: every source in one of them, the same one on every machine, and none much larger than the others."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fer_batch.media.shards import divide
from fer_batch.types import Kind, Source


def a_source(folder: Path, name: str, size: int) -> Source:
    path = folder / name
    path.touch()
    os.truncate(path, size)
    return Source(Kind.VIDEO, name, (path,), name)


@given(st.lists(st.integers(0, 10**6), max_size=20), st.integers(1, 6), st.randoms(use_true_random=False))
def test_each_source_is_in_one_shard_and_no_shard_is_much_larger_than_another(tmp_path_factory, sizes, shards, chance):
    folder = tmp_path_factory.mktemp("sizes")
    sources = [a_source(folder, f"{number}.mp4", size) for number, size in enumerate(sizes)]
    division = divide(sources, shards)
    assert len(division.shards) == shards
    assert sorted(source.name for shard in division.shards for source in shard) == sorted(
        source.name for source in sources
    )
    size_of = {source.name: size for source, size in zip(sources, sizes, strict=True)}
    loads = [sum(size_of[source.name] for source in shard) for shard in division.shards]
    assert max(loads) - min(loads) <= max(sizes, default=0)
    mixed = list(sources)
    chance.shuffle(mixed)
    again = divide(mixed, shards)
    assert [set(shard) for shard in again.shards] == [set(shard) for shard in division.shards]
    assert again.digest == division.digest


def test_another_file_or_size_makes_another_division(tmp_path: Path) -> None:
    sources = [a_source(tmp_path, "a", 5), a_source(tmp_path, "b", 6)]
    digests = {divide(sources, 2).digest, divide(sources[:1], 2).digest}
    os.truncate(tmp_path / "b", 7)
    digests.add(divide(sources, 2).digest)
    assert len(digests) == 3


def test_a_file_that_is_gone_counts_as_empty(tmp_path: Path) -> None:
    sources = [a_source(tmp_path, "a", 5), a_source(tmp_path, "b", 6)]
    (tmp_path / "b").unlink()
    assert [[source.name for source in shard] for shard in divide(sources, 2).shards] == [["a"], ["b"]]
