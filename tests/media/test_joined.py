"""Files that hold several videos, one behind the other: times go on, or a line tells of what cannot be read."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_batch.media.video.index import read_index
from tests.helpers import media
from tests.media.test_odd_videos import modulo, read_all

NOISE = np.random.default_rng(0).integers(0, 256, (20, *media.SIZE[::-1], 3), np.uint8)
"""Twenty frames that need many bytes."""

ENCODED = {"webm": "libvpx", "avi": "mpeg4", "wmv": "wmv2"}


JOINED = {
    "suffix": st.sampled_from(["mkv", "webm", "ts", "avi"]),
    "bframes": st.integers(0, 3),
    "step": st.sampled_from([20, 40]),
    "counts": st.lists(st.integers(26, 40), min_size=2, max_size=3),
    "late": st.sampled_from([0, 480]),
}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(JOINED))
def test_where_each_video_can_be_read_times_go_on(tmp_path: Path, joined: dict[str, Any]) -> None:
    compare(tmp_path, **joined)


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(JOINED))
def test_where_each_of_many_videos_can_be_read_times_go_on(tmp_path: Path, joined: dict[str, Any]) -> None:
    compare(tmp_path, **joined)


def compare(folder: Path, suffix: str, bframes: int, step: int, counts: list[int], late: int) -> None:
    unit = media.MILLISECONDS
    if suffix == "avi":  # it knows no times between those of 25 frames a second
        unit, step, late = Fraction(1, 25), 1, 0
    data = b""
    for count in counts:
        part = media.write_video(
            folder / f"a.{suffix}",
            range(late, late + count * step, step),
            codec=ENCODED.get(suffix, "libx264"),
            time_base=unit,
            options={"bf": str(0 if suffix in ("webm", "avi") else bframes)},
            container_options={"live": "1"} if suffix in ("mkv", "webm") and len(counts) > 2 else {},
            last=step,
        )
        data += part.read_bytes()
    path = folder / f"joined.{suffix}"
    path.write_bytes(data)
    result = read_all(path)
    assert result.levels == [level for count in counts for level in modulo(range(count))]
    assert result.seconds == pytest.approx([float(number * step * unit) for number in range(sum(counts))], abs=0.0011)
    assert [line for line in result.lines if "clock jumps back" not in line] == []


@pytest.mark.parametrize(("suffix", "times"), [("mp4", 2), ("mov", 3), ("flv", 2), ("wmv", 2), ("mkv", 3), ("webm", 4)])
def test_what_follows_and_cannot_be_read_is_told(tmp_path: Path, suffix: str, times: int) -> None:
    """Of Matroska, FFmpeg reads all that were recorded live, and two where the headers tell their size."""
    data = media.write_video(
        tmp_path / f"a.{suffix}", range(0, 800, 40), list(NOISE), codec=ENCODED.get(suffix, "libx264")
    ).read_bytes()
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(data * times)
    index = read_index(path)
    assert len(index.pts) == (40 if suffix in ("mkv", "webm") else 20)
    assert index.damage is not None
    assert index.damage.startswith("Another video follows on it in the file (")
    assert read_index(tmp_path / f"a.{suffix}").damage is None


@pytest.mark.parametrize("table", ["4096", "5000"], ids=["of the same programme", "of another programme"])
def test_where_the_second_video_is_another_stream_a_line_says_so(tmp_path: Path, table: str) -> None:
    """As in broadcasts, and in streams that were saved together with advertisements."""
    data = b""
    for first, program in (("256", "4096"), ("512", table)):
        options = {"mpegts_start_pid": first, "mpegts_pmt_start_pid": program}
        path = media.write_video(tmp_path / "a.ts", range(0, 800, 40), list(NOISE), container_options=options)
        data += path.read_bytes()
    (tmp_path / "joined.ts").write_bytes(data)
    index = read_index(tmp_path / "joined.ts")
    assert len(index.pts) == 20
    assert index.damage is not None
    assert index.damage.startswith("Another video follows on it in the file (")
    assert read_index(tmp_path / "a.ts").damage is None


def test_a_fragmented_video_may_repeat_its_header(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    path = media.write_video(tmp_path / "a.mp4", container_options=options, options={"bf": "0"})
    data = path.read_bytes()
    begin, end = data.index(b"moof") - 4, data.index(b"moof", data.index(b"moof") + 4) - 4
    path.write_bytes(data[:end] + data[:begin] + data[end:])
    index = read_index(path)
    assert (len(index.pts), index.damage) == (25, None)
