"""Times of drawn videos, held against those of another program: ffprobe, of whatever version is installed."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_batch.media.video.index import VideoIndex, read_index
from tests.helpers import media
from tests.media.test_odd_videos import modulo
from tests.media.test_reader import plan_as_a_run_would, read

pytestmark = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="needs ffprobe (Debian: apt-get install ffmpeg)"
)

CODECS = {
    "mp4": ["libx264", "mpeg4"],
    "mov": ["libx264", "mpeg4"],
    "mkv": ["libx264", "mpeg4", "libvpx"],
    "webm": ["libvpx", "libvpx-vp9"],
    "ts": ["libx264", "mpeg2video"],
    "flv": ["libx264", "flv"],
    "avi": ["libx264", "mpeg4", "mjpeg"],
    "wmv": ["wmv2", "libx264"],
}
IN_TICKS = ("avi", "mpeg2video")
"""A container and a codec that know no times between those of a constant frame rate."""

OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libvpx": {"cpu-used": "8", "deadline": "realtime"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
}
WITH_B_FRAMES = ("libx264", "mpeg2video")
"""Not MPEG-4: where frames are far apart, decoders leave its B-frames out."""

WITH_DURATIONS = ("mp4", "mov", "mkv", "webm")
"""Containers that keep how long the last frame lasts."""

STEPS = st.sampled_from([20, 33, 40, 100])
"""Usual milliseconds from one frame to the next."""

GAPS = st.sampled_from([300, 1000, 2000, 5000])
LONG_GAPS = GAPS | st.sampled_from([60_000, 1_800_000])


@dataclass(frozen=True)
class Video:
    """A video to be made."""

    suffix: str
    codec: str
    bframes: int
    keyframe_every: int
    milliseconds: int
    """In one unit of its times."""
    times: list[int]
    last: int
    """How long the last frame lasts."""

    def write(self, folder: Path) -> Path:
        return media.write_video(
            folder / f"a.{self.suffix}",
            self.times,
            codec=self.codec,
            time_base=Fraction(self.milliseconds, 1000),
            pixel_format="yuvj420p" if self.codec == "mjpeg" else "yuv420p",
            options=OPTIONS.get(self.codec, {}) | ({"bf": str(self.bframes)} if self.codec in WITH_B_FRAMES else {}),
            keyframe_every=self.keyframe_every,
            prepare=_at_a_high_rate,
            last=self.last,
        )


def _at_a_high_rate(stream: av.VideoStream) -> None:
    """So that grey levels tell the frames apart."""
    stream.codec_context.bit_rate = 4_000_000


SHAPES: dict[str, Callable[[int, int, int, int], list[int]]] = {
    "constant": lambda step, gap, count, at: [step] * count,
    "late second frame": lambda step, gap, count, at: [gap] + [step] * count,
    "slow then fast": lambda step, gap, count, at: [gap] * (at + 1) + [step] * count,
    "fast then slow": lambda step, gap, count, at: [step] * count + [gap] * (at + 1),
    "gap early": lambda step, gap, count, at: [step] * (at + 1) + [gap] + [step] * count,
    "gap in the middle": lambda step, gap, count, at: [step] * count + [gap] + [step] * count,
    "gap near the end": lambda step, gap, count, at: [step] * count + [gap] + [step] * at,
}


@st.composite
def videos(draw: st.DrawFn, suffixes: Sequence[str]) -> Video:
    suffix = draw(st.sampled_from(suffixes))
    codec = draw(st.sampled_from(CODECS[suffix]))
    bframes = draw(st.sampled_from([0, 2, 3])) if codec in WITH_B_FRAMES and suffix != "wmv" else 0
    # FFmpeg forgets the times of B-frames in FLV that are far from their neighbours; AVI fills gaps with empty packets.
    short = suffix == "avi" or (bframes and suffix == "flv")
    gap = draw(GAPS if short else LONG_GAPS)
    shape = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    regular = shape(draw(STEPS), gap, draw(st.integers(20, 40)), draw(st.integers(0, 8)))
    steps = draw(st.just(regular) | st.lists(st.integers(10, 200), min_size=20, max_size=40))
    if suffix == "avi" and bframes:  # among the frames reordered last FFmpeg writes no gap, but announces its time
        steps = [*steps[:-bframes], *[min(steps)] * bframes]
    late = st.sampled_from([0] if suffix == "avi" else [0, 500, 3000])
    may_be_cut = suffix in ("mp4", "mov", "mkv", "webm", "wmv") and max(steps) < 1000 and sum(steps) > 600
    early = st.sampled_from([-40, -500] if may_be_cut else [0])
    unit = 40 if suffix in IN_TICKS or codec in IN_TICKS else 1
    times = draw(late | early) // unit + np.cumsum([0, *(max(1, step // unit) for step in steps)])
    last = draw(STEPS | st.sampled_from([7, 250])) // unit or 1
    return Video(suffix, codec, bframes, draw(st.sampled_from([5, 12, 100])), unit, times.tolist(), last)


def ffprobe(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The packets in file order, and the frames in the order in which they are shown."""
    asked = "packet=pts,dts,duration,flags:frame=best_effort_timestamp"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_packets", "-show_frames", "-show_entries"]
    done = subprocess.run([*command, asked, "-of", "json", str(path)], capture_output=True, check=True)
    both = json.loads(done.stdout)["packets_and_frames"]
    return [one for one in both if one["type"] == "packet"], [one for one in both if one["type"] == "frame"]


def compare(video: Video, folder: Path) -> None:
    """Make the video and compare the number and time of each frame, and the end, with what ffprobe says."""
    path = video.write(folder)
    packets, frames = ffprobe(path)
    index = read_index(path)
    assert len(index.pts) == len(frames)
    if video.suffix == "avi" and video.bframes:
        # FFmpeg estimates them, and is late by the number of B-frames: the k-th frame gets the k-th decoding time.
        assert index.pts.tolist() == [packet["dts"] for packet in packets]
    else:
        assert index.pts.tolist() == [frame["best_effort_timestamp"] for frame in frames]
    found, skipped = read(plan_as_a_run_would(path))
    assert [number for number, _, _ in found] == list(range(len(frames)))
    assert index.damage is None
    assert skipped == []
    cut_off = len(video.times) - len(frames)  # by an edit list: what is before 0
    assert cut_off <= sum(time < 0 for time in video.times)
    if video.codec != "mjpeg":
        levels = [media.number(plane.mean()) for _, _, plane in found]
        assert levels == modulo(range(cut_off, len(video.times)))
    _compare_ends(video, index, packets)


def _compare_ends(video: Video, index: VideoIndex, packets: list[dict[str, Any]]) -> None:
    """A frame lasts until the next one or to its bound; the last one as long as it was written, or as a step before."""
    unit = index.clock.time_base
    steps = np.diff(index.pts)
    lasts = index.ends - index.pts
    assert (lasts[:-1] == steps)[steps * unit <= 1].all()
    assert (lasts[:-1] <= steps).all()
    assert not len(steps) or lasts.max() * unit <= max(1, 5 * steps.max() * unit)
    last, written = lasts[-1].item() * unit, Fraction(video.last * video.milliseconds, 1000)
    cut = video.times[0] < 0
    if video.suffix in WITH_DURATIONS and not (cut and video.bframes and video.suffix in ("mp4", "mov")):
        assert abs(last - written) <= Fraction(1, 1000)
    shown = [packet for packet in packets if "D" not in packet["flags"]]
    last_shown = max(shown, key=lambda packet: packet.get("pts", packet.get("dts", 0)))
    said = [packet["duration"] * unit for packet in (last_shown, shown[-1]) if packet.get("duration")]
    edited = video.times[0] != 0  # where FFmpeg gives the packets of an mp4 the durations of others
    if said and not video.bframes and not (edited and video.suffix in ("mp4", "mov")):
        assert abs(last - said[0]) <= Fraction(1, 1000)
    usual = [int(np.median(steps[-8:]))] if len(steps) else []
    before = [step * unit for step in (*steps[-8:].tolist(), *usual)]
    assert min(abs(last - duration) for duration in [written, *said, *before]) <= Fraction(1, 1000)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(videos(sorted(CODECS)))
def test_times_and_ends_are_those_of_ffprobe(tmp_path: Path, video: Video) -> None:
    compare(video, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(CODECS))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_times_and_ends_of_many_videos_are_those_of_ffprobe(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    compare(data.draw(videos([suffix])), tmp_path)
