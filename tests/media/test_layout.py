"""What an mp4 says of itself, where what it says is damaged."""

import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_batch.media.video import layout
from fer_batch.media.video.index import read_index
from tests.helpers.media import write_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames."""
    return write_video(tmp_path_factory.mktemp("layout") / "a.mp4", range(0, 400, 40))


def test_the_end_of_a_whole_track_is_known(video: Path) -> None:
    end = layout.track_end(video, 1)
    assert end is not None
    assert end.last_sample > 0
    assert layout.track_end(video, 2) is None


PLAYED, PAUSE = 0, -1
EDITS = [
    ([(1000, PLAYED, 1.0)], False),
    ([(500, PAUSE, 1.0), (1000, PLAYED, 1.0)], False),
    ([(400, PLAYED, 1.0), (400, PLAYED, 1.0)], False),
    ([(400, PLAYED, 0.0)], False),
    ([(400, PLAYED, 1.0), (500, PAUSE, 1.0), (400, PLAYED, 1.0)], True),
    ([(800, PLAYED, 0.5)], True),
    ([(200, PLAYED, 1.0), (500, PLAYED, 0.0)], True),
]
"""Edit lists: the milliseconds of each edit, where in the track it begins, its speed; whether FFmpeg disregards it."""


@pytest.mark.parametrize(("edits", "retimed"), EDITS)
@pytest.mark.parametrize("version", [0, 1])
def test_an_edit_list_that_ffmpeg_does_not_follow_is_told(
    video: Path, tmp_path: Path, version: int, edits: list[tuple[int, int, float]], retimed: bool
) -> None:
    form = ">QqI" if version else ">IiI"
    entries = b"".join(struct.pack(form, length, begin, int(speed * 65536)) for length, begin, speed in edits)
    content = video.read_bytes()
    old, new = content.index(b"elst") - 4, struct.pack(">4sB3xI", b"elst", version, len(edits)) + entries
    size = int.from_bytes(content[old : old + 4])
    grown = bytearray(content[:old] + (len(new) + 4).to_bytes(4) + new + content[old + size :])
    for box in (b"edts", b"trak", b"moov"):  # the index is at the end: no place of a frame changes
        at = content.index(box) - 4
        grown[at : at + 4] = (int.from_bytes(grown[at : at + 4]) + len(new) + 4 - size).to_bytes(4)
    path = tmp_path / "a.mp4"
    path.write_bytes(grown)
    index = read_index(path)
    assert any(note.startswith("Its edit list has it played") for note in index.notes) is retimed
    assert index.damage is None


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([b"moov", b"trak", b"tkhd", b"mdhd", b"stts", b"elst"]), size=st.integers(0, 2**32 - 1))
def test_a_damaged_size_of_a_part_ends_in_an_answer_and_takes_little_memory(
    video: Path, tmp_path: Path, kind: bytes, size: int
) -> None:
    content = bytearray(video.read_bytes())
    at = content.find(kind)
    if at < 0:
        return
    content[at - 4 : at] = size.to_bytes(4)
    damaged = tmp_path / "damaged.mp4"
    with damaged.open("wb") as file:
        file.write(content)
        file.truncate(2**33)  # 8 GiB, of which nothing is on disk
    tracemalloc.start()
    try:
        end = layout.track_end(damaged, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert end is None or isinstance(end.last_sample, Fraction)
    assert peak < 2**28
    if kind == b"elst" and size > int.from_bytes(video.read_bytes()[at - 4 : at]):
        assert end == layout.track_end(video, 1)  # the list itself tells how long it is
