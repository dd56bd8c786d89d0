"""Videos that FFmpeg itself has put together with sound, subtitles and cuts: their times are those of ffprobe."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_batch.media.video.index import read_index
from tests.helpers import media
from tests.media.test_against_ffprobe import OPTIONS, ffprobe
from tests.media.test_reader import plan_as_a_run_would, read

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("ffmpeg", "ffprobe"))),
    reason="needs ffmpeg and ffprobe (Debian: apt-get install ffmpeg)",
)

CODECS = {
    "mp4": ["libx264", "mpeg4", "libvpx-vp9"],
    "mov": ["libx264", "mpeg4"],
    "mkv": ["libx264", "mpeg4", "libvpx", "libvpx-vp9"],
    "webm": ["libvpx", "libvpx-vp9"],
    "ts": ["libx264"],
}
"""Not MJPEG: FFmpeg before version 6 shows the frames of it that an edit list cuts out."""

WRITTEN = {
    "mp4": [
        "",
        "-movflags frag_keyframe+empty_moov",
        "-movflags frag_keyframe",
        "-movflags faststart",
        "-movflags dash",
        "-movflags negative_cts_offsets",
        "-use_editlist 0",
        "-video_track_timescale 90000",
    ],
    "mkv": ["", "-live 1", "-cluster_time_limit 100", "-cues_to_front 1", "-write_crc32 0"],
    "ts": ["", "-mpegts_m2ts_mode 1"],
}
"""Options of FFmpeg for a container."""
WRITTEN |= {"mov": WRITTEN["mp4"], "webm": WRITTEN["mkv"]}

SOUND_CODECS = {"webm": "libopus"}
SUBTITLES = {"mp4": "mov_text", "mov": "mov_text", "mkv": "srt"}
TEXT = "1\n00:00:00,200 --> 00:00:00,900\nHello\n\n2\n00:00:01,100 --> 00:00:06,000\nThe end\n"


@dataclass(frozen=True)
class Made:
    """A video to be made, in milliseconds."""

    suffix: str
    codec: str
    bframes: int
    keyframe_every: int
    times: list[int]
    late: int
    cut: int
    sound_late: int | None
    subtitles: bool
    twice: bool
    turn: int
    written: str

    def write(self, folder: Path) -> Path:
        options = OPTIONS.get(self.codec, {}) | ({"bf": str(self.bframes)} if self.codec == "libx264" else {})
        film = media.write_video(
            folder / "film.mkv", self.times, codec=self.codec, options=options, keyframe_every=self.keyframe_every
        )
        inputs = ["-itsoffset", f"{self.late}ms", "-ss", f"{self.cut}ms", "-i", str(film)]
        outputs = ["-map", "0:v", "-c:v", "copy"]
        if self.sound_late is not None:
            inputs += ["-itsoffset", f"{self.sound_late}ms", "-f", "lavfi", "-i", "sine=duration=2:sample_rate=48000"]
            outputs += ["-map", "1:a", "-c:a", SOUND_CODECS.get(self.suffix, "aac")]
        if self.subtitles:
            (folder / "text.srt").write_text(TEXT)
            inputs += ["-i", str(folder / "text.srt")]
            outputs += ["-map", f"{1 if self.sound_late is None else 2}:s", "-c:s", SUBTITLES[self.suffix]]
        outputs += ["-map", "0:v"] * self.twice + self.written.split()
        path = folder / f"a.{self.suffix}"
        _run(["ffmpeg", "-y", "-v", "error", *inputs, *outputs, str(path)])
        if not self.turn:
            return path
        turned = folder / f"turned.{self.suffix}"
        turn = ["-map", "0", "-c", "copy", "-metadata:s:v:0", f"rotate={self.turn}"]
        _run(["ffmpeg", "-y", "-v", "error", "-i", str(path), *turn, str(turned)])
        return turned


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


@st.composite
def made(draw: st.DrawFn) -> Made:
    suffix = draw(st.sampled_from(sorted(CODECS)))
    step, count = draw(st.sampled_from([20, 33, 40, 100])), draw(st.integers(15, 40))
    steps = draw(st.just([step] * count) | st.lists(st.integers(7, 300), min_size=15, max_size=40))
    with_tracks = suffix in ("mp4", "mov", "mkv")
    return Made(
        suffix,
        draw(st.sampled_from(CODECS[suffix])),
        draw(st.sampled_from([0, 2, 3])),
        draw(st.sampled_from([5, 12, 100])),
        np.cumsum([0, *steps]).tolist(),
        draw(st.sampled_from([0, 500, 3000])),
        draw(st.sampled_from([0, 0, 100, 333])),
        draw(st.sampled_from([None, 0, 250, -200, 1500])),
        with_tracks and draw(st.booleans()),
        with_tracks and draw(st.booleans()),
        draw(st.sampled_from([0, 90, 180])) if suffix in ("mp4", "mov") else 0,
        draw(st.sampled_from(WRITTEN[suffix])),
    )


def compare(video: Made, folder: Path) -> None:
    path = video.write(folder)
    _, frames = ffprobe(path)
    index = read_index(path)
    assert index.pts.tolist() == [frame["best_effort_timestamp"] for frame in frames]
    assert index.damage is None
    found, skipped = read(plan_as_a_run_would(path))
    assert [number for number, _, _ in found] == list(range(len(frames)))
    assert skipped == []
    first = found[0][1]
    assert first is not None
    assert first >= -0.001


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made())
def test_with_sound_subtitles_and_cuts_times_are_those_of_ffprobe(tmp_path: Path, video: Made) -> None:
    compare(video, tmp_path)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made())
def test_of_many_videos_with_sound_subtitles_and_cuts_times_are_those_of_ffprobe(tmp_path: Path, video: Made) -> None:
    compare(video, tmp_path)


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("edited", [True, False])
@pytest.mark.parametrize("boxes", [[b"mdhd"], [b"mvhd"], [b"mdhd", b"mvhd"]])
def test_without_a_time_scale_every_frame_that_ffmpeg_gives_is_there(
    tmp_path: Path, boxes: list[bytes], edited: bool, bframes: int
) -> None:
    """FFmpeg takes the unit of the times for a second then, and edit lists may leave few frames."""
    path = media.write_video(
        tmp_path / "a.mp4", options={"bf": str(bframes)}, container_options={} if edited else {"use_editlist": "0"}
    )
    data = bytearray(path.read_bytes())
    for box in boxes:
        scale = data.index(box) + 16
        data[scale : scale + 4] = bytes(4)
    path.write_bytes(data)
    _, frames = ffprobe(path)
    found, skipped = read(plan_as_a_run_would(path))
    assert read_index(path).pts.tolist() == [frame["best_effort_timestamp"] for frame in frames]
    assert len(found) == len(frames)
    assert skipped == []
