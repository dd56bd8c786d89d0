"""Interlaced H.264 whose fields are pictures of their own: a frame is a frame, however many packets hold it."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from fer_batch.media.video import reader
from fer_batch.media.video.reader import ReadMode
from tests.helpers import fields, media
from tests.media.test_odd_videos import modulo, read_all
from tests.media.test_reader import plan

PATTERNS = {"fields": (), "some frames": (3, 4, 17, 20, 30), "frames": range(40)}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("in_pairs", [False, True])
@pytest.mark.parametrize("suffix", ["mts", "mp4", "mkv"])
def test_two_fields_are_one_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, in_pairs: bool, pattern: str
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(1, 2))
    monkeypatch.setattr(reader, "LEAST_CHUNK_SECONDS", Fraction(1, 4))
    path = fields.write(tmp_path / f"a.{suffix}", fields.frames(40, PATTERNS[pattern]), in_pairs)
    result = read_all(path)
    assert result.numbers == list(range(40))
    assert result.levels == modulo(range(40))
    assert result.seconds == pytest.approx([0.04 * number for number in range(40)], abs=0.001)
    assert result.lines == []
    assert reader.read_mode(result.index) is ReadMode.CHUNKS
    chunks = plan(path)
    assert len(chunks) > 1
    durations = [time.duration for chunk in chunks for time in chunk.times]
    assert durations == pytest.approx([0.04] * 40, abs=0.0011)


@pytest.mark.parametrize("lost", [1, 21, 22, 40])
def test_where_a_field_is_lost_the_frames_that_are_left_keep_their_times(tmp_path: Path, lost: int) -> None:
    pictures = [[picture] for frame in fields.frames(40) for picture in frame]
    del pictures[lost]
    path = fields.write(tmp_path / "a.mts", pictures, in_pairs=False)
    with av.open(str(path)) as container:
        decoded = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    result = read_all(path)
    assert result.seconds == pytest.approx(decoded, abs=0.001)
    (line,) = result.lines
    assert line.startswith(f"{40 - len(decoded)} of 40 frames could not be decoded")


@pytest.mark.parametrize("options", ["interlaced=1", "interlaced=1:cqm=jvt", "fake-interlaced=1", "slices=4"])
@pytest.mark.parametrize("profile", ["baseline", "main", "high", "high422"])
def test_frames_that_are_not_coded_as_fields_stay_frames(tmp_path: Path, profile: str, options: str) -> None:
    if profile == "baseline" and "interlaced" in options:
        options = "slices=2"
    path = media.write_video(
        tmp_path / "a.ts",
        options={"profile": profile, "x264-params": options},
        pixel_format="yuv422p" if profile == "high422" else "yuv420p",
    )
    assert read_all(path).levels == list(range(25))
