"""Unusual videos: pixels that are not square, clocks that jump, frames that change their size."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from fer_batch import Options, analyze, read_timeline
from fer_batch.detection import crop, looks
from fer_batch.errors import MediaError
from fer_batch.media import photo_file
from fer_batch.media.frame import Frame, Luma
from fer_batch.media.video import reader
from fer_batch.media.video.frame import FrameConverter
from fer_batch.media.video.index import MAX_PIXELS, VideoIndex, read_index
from fer_batch.media.video.reader import ReadMode
from fer_batch.types import Box, Kind, Severity
from tests.helpers import media, reading
from tests.media.test_reader import plan, plan_as_a_run_would, read

STEPS = range(0, 2000, 40)
"""Fifty frames in two seconds."""


@dataclass
class ReadResult:
    """The result of reading a video."""

    index: VideoIndex
    numbers: list[int]
    seconds: list[float]
    levels: list[int]
    """The number of each frame, modulo 32, by its grey level."""
    lines: list[str]
    """The lines that errors.csv would hold."""


def read_all(path: Path) -> ReadResult:
    index = read_index(path)
    found, skipped = read(plan_as_a_run_would(path))
    notes = [*index.notes, *([index.damage] if index.damage else [])]
    return ReadResult(
        index,
        [number for number, _, _ in found],
        [seconds for _, seconds, _ in found],
        [media.number(plane.mean()) for _, _, plane in found],
        [*notes, *(line.reason for line in skipped)],
    )


def write_photos_as_video(path: Path, stored: np.ndarray, orientation: int) -> Path:
    """Three JPEGs with an EXIF orientation, one after the other, as some cameras write videos."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = io.BytesIO()
    Image.fromarray(stored).save(photo, "jpeg", quality=95, exif=exif)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", 25)
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuvj420p"
        for pts in range(3):
            packet = av.Packet(photo.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, pts, pts, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    return path


def modulo(numbers: Sequence[int]) -> list[int]:
    return [number % 32 for number in numbers]


def frames(path: Path) -> list[Frame]:
    return [frame for chunk in plan_as_a_run_would(path) for frame in reading.frames(chunk)]


def set_aspect(aspect: Fraction):
    def prepare(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = aspect

    return prepare


ASPECTS = [("a.mp4", "libx264", 2), ("a.mkv", "libx264", 2), ("a.ts", "libx264", 2), ("a.avi", "mpeg4", 2)]
ASPECTS += [("narrow.mp4", "libx264", Fraction(1, 2)), ("pal.mkv", "libx264", Fraction(16, 11))]


@pytest.mark.parametrize(("name", "codec", "aspect"), ASPECTS)
def test_boxes_are_in_square_pixels_where_the_videos_are_not(
    tmp_path: Path, name: str, codec: str, aspect: Fraction
) -> None:
    round_one = np.full((96, int(96 * aspect), 3), 60, np.uint8)
    cv2.circle(round_one, (round_one.shape[1] // 2, 48), 20, (220, 220, 220), -1)
    stored = cv2.resize(round_one, (96, 96), interpolation=cv2.INTER_AREA)
    path = media.write_video(
        tmp_path / name,
        range(10),
        [stored] * 10,
        codec=codec,
        time_base=Fraction(1, 25),
        prepare=set_aspect(Fraction(aspect)),
    )
    assert read_index(path).facts["pixel_aspect"] == str(Fraction(aspect))
    for frame in reading.frames(plan_as_a_run_would(path)[0]):
        pixels = frame.image
        assert (pixels.width, pixels.height) == (round(96 * aspect), 96)
        assert pixels.rgb(1000).shape == (96, round(96 * aspect), 3)
        assert max(pixels.rgb(48).shape) == 48
        whole = Box(pixels.width / 2 - 24 / 1.08, 48 - 24 / 1.08, 48 / 1.08, 48 / 1.08)
        face_crop = crop.cut(pixels.luma(), whole)
        ring = np.argwhere(face_crop > 140)
        spans = ring.max(axis=0) - ring.min(axis=0) + 1
        assert np.abs(spans - 40).max() <= 2, "the circle is round in the crop"


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_pixels_are_stretched_before_the_video_is_turned(tmp_path: Path, turn: int) -> None:
    stored = np.full((48, 64, 3), 60, np.uint8)
    stored[:16, :16] = 220
    path = media.write_video(
        tmp_path / "a.mp4", [0, 40], [stored] * 2, display=(turn, False, False), prepare=set_aspect(Fraction(2))
    )
    upright = np.rot90(cv2.resize(stored, (128, 48), interpolation=cv2.INTER_NEAREST), turn // 90)
    (frame, *_) = frames(path)
    assert (frame.image.height, frame.image.width) == upright.shape[:2]
    for box in (Box(4, 4, 24, 24), Box(90, 20, 24, 24), Box(10, 90, 24, 24)):
        expected = crop.cut(Luma(upright[:, :, 0]), box)
        assert np.abs(crop.cut(frame.image.luma(), box).astype(float) - expected).mean() < 8
    assert np.abs(frame.image.rgb(1000).astype(float) - upright).mean() < 6


@pytest.mark.parametrize("aspect", [Fraction(100), Fraction(1, 100)])
def test_an_implausible_pixel_aspect_is_ignored(tmp_path: Path, aspect: Fraction) -> None:
    path = media.write_video(tmp_path / "a.mkv", prepare=set_aspect(aspect))
    assert frames(path)[0].image.width == media.SIZE[0]


INTERLACED = [("a.mp4", "libx264", {"x264-params": "interlaced=1"}), ("a.ts", "mpeg2video", {"flags": "+ildct+ilme"})]


@pytest.mark.parametrize(("name", "codec", "options"), INTERLACED)
def test_interlaced_videos_are_named_and_their_fields_stay_woven(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    result = read_all(
        media.write_video(tmp_path / name, range(25), codec=codec, options=options, time_base=Fraction(1, 25))
    )
    assert result.index.facts["scan"] == "interlaced"
    assert result.numbers == list(range(25))
    assert result.levels == list(range(25))
    assert "scan" not in read_index(media.write_video(tmp_path / "progressive.mp4")).facts


@pytest.mark.parametrize(("transfer", "name"), [(16, "HDR (PQ)"), (18, "HDR (HLG)")])
def test_high_dynamic_range_is_named_and_levels_stay_as_they_are_stored(
    tmp_path: Path, transfer: int, name: str
) -> None:
    def prepare(stream: av.VideoStream) -> None:
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_primaries = stream.codec_context.colorspace = 9

    path = media.write_video(
        tmp_path / "a.mp4",
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"x265-params": "log-level=none"},
        prepare=prepare,
    )
    assert read_index(path).facts["dynamic_range"] == name
    for number, frame in enumerate(frames(path)):
        face_crop = crop.cut(frame.image.luma(), Box(10, 10, 20, 20))
        assert face_crop.mean() == pytest.approx(media.level(number), abs=2)
    assert "dynamic_range" not in read_index(media.write_video(tmp_path / "plain.mp4")).facts


@pytest.mark.parametrize(("colorspace", "transfer", "primaries"), [(10, 2, 2), (43, 1, 122), (130, 66, 2)])
def test_for_colours_that_cannot_be_converted_the_default_is_assumed(
    colorspace: int, transfer: int, primaries: int
) -> None:
    """As in damaged videos, and in rare ones: 10 is BT.2020 with constant luminance."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for layout in ("yuv444p", "vuyx"):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=layout)
        frame.colorspace, frame.color_trc, frame.color_primaries = colorspace, transfer, primaries
        pixels = FrameConverter().image(frame)
        assert np.abs(pixels.rgb(100).astype(float) - image).mean() < 12
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        luma = pixels.luma()
        levels = (luma.plane.astype(float) - luma.black) * 255 / (luma.white - luma.black)
        assert np.abs(levels - grey).mean() < 12


def write_two(path: Path, default: int) -> Path:
    """Two videos in one file, the second ten frames ahead in its levels; one of them is marked as the default."""
    with av.open(str(path), "w") as container:
        streams = []
        for index in range(2):
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = *media.SIZE, "yuv420p"
            stream.disposition = Disposition.default if index == default else Disposition(0)
            streams.append(stream)
        for number in range(25):
            for index, stream in enumerate(streams):
                frame = av.VideoFrame.from_ndarray(media.pixels(number + 10 * index), format="rgb24")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize("default", [0, 1])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_of_several_video_streams_the_default_is_analysed_and_a_line_says_so(
    tmp_path: Path, suffix: str, default: int
) -> None:
    result = read_all(write_two(tmp_path / f"a.{suffix}", default))
    assert result.levels == modulo(range(10 * default, 25 + 10 * default))
    assert result.index.facts["stream"] == default
    assert result.lines == ["It holds 2 video streams; only the default one is analysed."]


def write_cover(path: Path, video: bool) -> Path:
    """Sound with a cover image, and a video if asked for."""
    with av.open(str(path), "w", format="mp4" if path.suffix == ".m4a" else None) as container:
        if path.suffix == ".mkv":
            cover = media.write_photo(path.with_suffix(".png")).read_bytes()
            container.add_attachment("cover.png", "image/png", cover)
        else:
            pixels = container.add_stream("mjpeg", rate=25)
            pixels.width, pixels.height, pixels.pix_fmt = 320, 240, "yuvj420p"
            pixels.disposition = Disposition.attached_pic
        sound = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=44100)
        moving = container.add_stream("libx264", rate=25) if video else None
        if moving is not None:
            moving.width, moving.height, moving.pix_fmt = *media.SIZE, "yuv420p"
        if path.suffix != ".mkv":
            still = av.VideoFrame.from_ndarray(media.pixels(3, (320, 240)), format="rgb24")
            still.pts = 0
            container.mux([*pixels.encode(still), *pixels.encode()])
        for number in range(25 if moving is not None else 0):
            frame = av.VideoFrame.from_ndarray(media.pixels(number), format="rgb24")
            frame.pts = number
            container.mux(moving.encode(frame))
        if moving is not None:
            container.mux(moving.encode())
        size = sound.codec_context.frame_size
        for pts in range(0, 44100, size):
            noise = av.AudioFrame.from_ndarray(np.zeros((1, size), np.float32), format="fltp", layout="mono")
            noise.sample_rate, noise.pts = 44100, pts
            container.mux(sound.encode(noise))
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize("suffix", ["m4a", "mp3", "mp4"])
def test_a_cover_image_is_no_video(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(MediaError, match="only sound or a cover image"):
        read_index(write_cover(tmp_path / f"a.{suffix}", video=False))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_cover_image_beside_a_video_is_ignored(tmp_path: Path, suffix: str) -> None:
    result = read_all(write_cover(tmp_path / f"a.{suffix}", video=True))
    assert result.levels == list(range(25))
    assert result.lines == []


def video(folder: Path, **options: object) -> Path:
    """Two seconds of H.264 with B-frames, to be put into other containers."""
    return media.write_video(folder / "origin.mkv", STEPS, options={"bf": "2"}, **options)


@pytest.mark.parametrize("milliseconds", [700, 7000])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "flv"])
def test_a_video_that_starts_late_starts_at_zero_where_nothing_is_earlier(
    tmp_path: Path, suffix: str, milliseconds: int
) -> None:
    result = read_all(media.remux(video(tmp_path), tmp_path / f"a.{suffix}", media.later(milliseconds)))
    assert result.index.facts["container_start"] == pytest.approx(milliseconds / 1000)
    assert result.seconds == pytest.approx([milliseconds / 1000 for milliseconds in STEPS])
    assert result.levels == modulo(range(50))
    assert result.lines == []


def test_a_video_that_starts_before_zero_starts_at_zero(tmp_path: Path) -> None:
    options = {"avoid_negative_ts": "disabled"}
    result = read_all(media.remux(video(tmp_path), tmp_path / "a.ts", media.later(-500), options))
    assert result.index.facts["container_start"] == pytest.approx(-0.5)
    assert result.seconds == pytest.approx([milliseconds / 1000 for milliseconds in STEPS])
    assert result.levels == modulo(range(50))
    assert result.lines == []


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_an_edit_list_that_cuts_the_beginning_off_is_obeyed_and_is_no_damage(tmp_path: Path, suffix: str) -> None:
    result = read_all(media.remux(video(tmp_path), tmp_path / f"a.{suffix}", media.later(-500)))
    assert b"elst" in (tmp_path / f"a.{suffix}").read_bytes()
    assert result.levels == modulo(range(13, 50))  # the first that begins at half a second or later
    assert result.numbers == list(range(37))
    assert result.seconds == pytest.approx([0.04 * index for index in range(37)])
    assert result.lines == []
    assert reader.read_mode(result.index) is ReadMode.CHUNKS


def test_an_edit_list_that_starts_late_starts_late(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mp4", [500 + milliseconds for milliseconds in STEPS], audio=True)
    assert b"elst" in path.read_bytes()
    result = read_all(path)
    assert result.seconds == pytest.approx(
        [0.5 + milliseconds / 1000 for milliseconds in STEPS], abs=0.03
    )  # the sound's encoder delays it


def test_frames_with_the_same_pts_keep_their_order_and_share_the_time(tmp_path: Path) -> None:
    def repeat(index: int, packet: av.Packet) -> av.Packet:
        packet.pts -= 40 if index == 20 else 0
        return packet

    result = read_all(media.remux(video(tmp_path), tmp_path / "a.mkv", repeat))
    assert reader.read_mode(result.index) is ReadMode.ORDER
    assert result.numbers == list(range(50))
    assert result.levels == modulo(range(50))
    assert len(set(result.seconds)) == 49
    assert result.seconds == pytest.approx([0.04 * index for index in range(50)], abs=0.041)


@pytest.mark.parametrize("lost", [{20}, {20, 21}, {49}])
def test_single_missing_timestamps_are_set_between_those_of_their_neighbours(tmp_path: Path, lost: set[int]) -> None:
    def lose(index: int, packet: av.Packet) -> av.Packet:
        packet.pts = None if index in lost else packet.pts
        return packet

    result = read_all(media.remux(video(tmp_path), tmp_path / "a.ts", lose))
    assert result.levels == modulo(range(50))
    assert result.seconds == pytest.approx([0.04 * index for index in range(50)], abs=0.001)
    assert result.lines == [
        f"It has no valid timestamps for {len(lost)} of its 50 frames: they are set between those of the neighbouring "
        "frames."
    ]


def test_times_go_on_in_joined_videos(tmp_path: Path) -> None:
    part = media.remux(video(tmp_path), tmp_path / "part.ts").read_bytes()
    (tmp_path / "a.ts").write_bytes(part * 3)
    result = read_all(tmp_path / "a.ts")
    assert result.levels == modulo(range(50)) * 3
    assert result.seconds == pytest.approx([0.04 * index for index in range(150)], abs=0.001)
    assert any("Its clock jumps back, first at frame 50 (2 times in all)" in line for line in result.lines)
    times = [time for chunk in plan(tmp_path / "a.ts") for time in chunk.times]
    assert sum(time.duration for time in times) == pytest.approx(6, abs=0.05)


EARLY_GAP = [0, *range(1000, 3000, 40)]
GAP_NEAR_THE_END = [*range(0, 10_000, 40), *range(12_000, 13_000, 40)]
ASLEEP = [*range(0, 4000, 40), *range(1_804_000, 1_806_000, 40)]
SLOW_THEN_FAST = [*range(0, 5000, 1000), *range(5000, 7000, 40)]


@pytest.mark.parametrize(("suffix", "bframes"), [*product(["mp4", "mov", "mkv", "ts"], [0, 3]), ("flv", 0)])
@pytest.mark.parametrize(
    ("times", "pauses"), [(EARLY_GAP, None), (GAP_NEAR_THE_END, 1.04), (ASLEEP, 1799.04), (SLOW_THEN_FAST, None)]
)
def test_a_gap_stays_a_gap_and_no_frame_lasts_for_it(
    tmp_path: Path, times: list[int], pauses: float | None, suffix: str, bframes: int
) -> None:
    """Screen recordings and telephones that start slowly, fall asleep, or change their rate."""
    path = media.write_video(tmp_path / f"a.{suffix}", times, options={"bf": str(bframes), "preset": "ultrafast"})
    result = read_all(path)
    assert result.levels == modulo(range(len(times)))
    assert result.seconds == pytest.approx([milliseconds / 1000 for milliseconds in times], abs=0.0011)
    durations = [time.duration for chunk in plan(path) for time in chunk.times]
    assert durations[-1] == pytest.approx(0.04, abs=0.0011)
    assert max(durations) <= 1
    assert sum(durations) == pytest.approx((times[-1] + 40) / 1000 - (pauses or 0), abs=0.003)
    if pauses is None:
        assert result.lines == []
    else:
        (line,) = result.lines
        told = re.fullmatch(r"It pauses 1 time, first from ([\d.]+) to ([\d.]+) s: ([\d.]+) s count as missing.", line)
        assert float(told[3]) == pytest.approx(pauses, abs=0.003)
        assert float(told[2]) - float(told[1]) == pytest.approx(pauses, abs=0.003)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("bframes", [0, 2, 3])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "flv"])
def test_the_last_frame_does_not_last_as_long_as_a_gap_before_it(
    tmp_path: Path, suffix: str, bframes: int, after: int
) -> None:
    times = [*range(0, 1000, 40), *range(1760, 1760 + 40 * after, 40)]
    options = {"bf": str(bframes), "preset": "ultrafast", "x264-params": "b-adapt=0"}
    index = read_index(media.write_video(tmp_path / f"a.{suffix}", times, options=options))
    assert float((index.ends[-1] - index.pts[-1]) * index.clock.time_base) == pytest.approx(0.04, abs=0.0011)


@pytest.mark.parametrize(("codec", "early"), [("libx264", 0), ("libx264", -40), ("mpeg4", 0), ("mpeg4", -40)])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_at_a_variable_rate_the_last_frame_lasts_as_its_packet_says(
    tmp_path: Path, suffix: str, codec: str, early: int
) -> None:
    """Also if an edit list cuts frames off, where FFmpeg 8 gives it the duration of another packet."""
    steps = [10] * 16 + [98, 10, 190, 200]
    times = (early + np.cumsum([0, *steps])).tolist()
    path = media.write_video(tmp_path / f"a.{suffix}", times, codec=codec, options={"bf": "0"}, keyframe_every=5)
    index = read_index(path)
    assert len(index.pts) == sum(time >= 0 for time in times)
    assert float((index.ends[-1] - index.pts[-1]) * index.clock.time_base) == pytest.approx(0.04, abs=0.0011)


@pytest.mark.parametrize(
    ("suffix", "options"), [("mkv", {"live": "1"}), ("mp4", {"movflags": "frag_keyframe+empty_moov"}), ("flv", {})]
)
def test_a_video_without_index_or_duration_is_read_whole(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    origin = video(tmp_path)
    path = media.remux(origin, tmp_path / f"a.{suffix}", container_options=options)
    if suffix == "flv":  # as of a stream that was recorded: its header was never filled in
        path.write_bytes(path.read_bytes().replace(b"duration\0", b"dur_tion\0"))
    with av.open(str(path)) as container:
        assert suffix == "mp4" or container.duration is None or suffix == "flv"
    result = read_all(path)
    assert result.levels == modulo(range(50))
    assert result.seconds == pytest.approx([milliseconds / 1000 for milliseconds in STEPS])
    assert result.lines == []


def write_two_sizes(path: Path, folder: Path) -> Path:
    """Fifty frames of 64x48, then fifty of 96x64, their timestamps without a gap."""
    small = media.write_video(folder / "small.mkv", STEPS)
    images = [media.pixels(50 + index, (96, 64)) for index in range(50)]
    large = media.write_video(folder / "large.mkv", STEPS, images)
    if path.suffix == ".ts":
        parts = [
            media.remux(part, folder / f"{index}.ts", media.later(2000 * index))
            for index, part in enumerate([small, large])
        ]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path
    small = media.write_video(folder / "small.webm", STEPS, codec="libvpx")
    large = media.write_video(folder / "large.webm", STEPS, images, codec="libvpx")
    with av.open(str(small)) as first, av.open(str(large)) as second, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(first.streams.video[0])
        for ticks, part in ((0, first), (2000, second)):
            for packet in part.demux(part.streams.video[0]):
                if packet.size:
                    media.later(ticks)(0, packet)
                    packet.stream = stream
                    container.mux(packet)
    return path


@pytest.mark.parametrize("suffix", ["ts", "webm"])
def test_a_video_that_changes_its_size_is_read_on_in_the_pixels_of_each_frame(tmp_path: Path, suffix: str) -> None:
    path = write_two_sizes(tmp_path / f"a.{suffix}", tmp_path)
    seen = frames(path)
    assert [(frame.image.width, frame.image.height) for frame in seen] == [(64, 48)] * 50 + [(96, 64)] * 50
    assert read_all(path).levels == modulo(range(100))


@pytest.mark.parametrize(("seconds", "chunks"), [(1, 4), (30, 1)], ids=["between two chunks", "within one"])
def test_that_a_video_changes_its_size_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, chunks: int
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(seconds))
    monkeypatch.setattr(reader, "LEAST_CHUNK_SECONDS", Fraction(seconds))
    run = analyze([write_two_sizes(tmp_path / "a.webm", tmp_path)], Options(workers=0), out=tmp_path / "out")
    assert json.loads((run.folder / "run.json").read_text())["counts"]["chunks_scanned"] == chunks
    (line,) = (line for line in run.skipped if "size" in line.reason)
    assert line.rows_kept
    assert line.reason.startswith("Its frames change size 1 time, first from 64x48 to 96x64: boxes")


def test_a_frame_too_large_for_any_camera_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    side = 11_600
    assert side**2 > MAX_PIXELS
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = side, side, "gray"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((side, side), np.uint8), format="gray")))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="11600x11600, more than the limit of 134 megapixels"):
        read_index(path)


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (8192, 2), (2, 8192)])
def test_the_smallest_and_the_thinnest_videos_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    images = [media.pixels(index, size) for index in range(3)]
    path = media.write_video(tmp_path / "a.mkv", range(0, 120, 40), images, codec="ffv1", pixel_format="yuv444p")
    for number, frame in enumerate(frames(path)):
        assert (frame.image.width, frame.image.height) == size
        longest = looks.DEFAULT_SIDES[Kind.VIDEO]
        assert max(frame.image.rgb(longest).shape[:2]) == min(longest, max(size))
        face_crop = crop.cut(frame.image.luma(), Box(0, 0, 30, 30))
        assert face_crop.mean() == pytest.approx(media.level(number), abs=2)


def test_a_playlist_under_a_videos_name_opens_no_other_file(tmp_path: Path) -> None:
    media.write_video(tmp_path / "secret.ts")
    for name, text in [
        ("concat.mp4", "ffconcat version 1.0\nfile 'secret.ts'\n"),
        ("hls.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n"),
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaError, match="A playlist, not a video"):
            read_index(tmp_path / name)


def test_what_is_odd_stands_in_errors_csv_and_run_json_after_a_run(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    write_two(study / "two.mkv", 1)
    part = media.remux(video(tmp_path), tmp_path / "part.ts").read_bytes()
    (study / "joined.ts").write_bytes(part * 2)
    media.write_video(study / "narrow.mp4", prepare=set_aspect(Fraction(2)))
    pages = [Image.fromarray(media.pixels(index)) for index in range(2)]
    pages[0].save(study / "pages.tif", save_all=True, append_images=pages[1:])
    run = analyze([study], Options(workers=0), out=tmp_path / "out")
    assert run.complete
    result = {(line.file, line.reason) for line in run.skipped if line.severity is Severity.NOTE}
    assert ("two.mkv", "It holds 2 video streams; only the default one is analysed.") in result
    assert ("study/pages.tif", photo_file.SEVERAL_PHOTOS_NOTE) in result
    assert any(file == "joined.ts" and "Its clock jumps back" in reason for file, reason in result)
    facts = {
        source["name"]: source["facts"] for source in json.loads((tmp_path / "out" / "run.json").read_text())["sources"]
    }
    assert (facts["narrow.mp4"]["pixel_aspect"], facts["two.mkv"]["stream"]) == ("2", 1)
    timeline = read_timeline(run.timelines["joined.ts"])
    assert timeline["timestamp"].tolist() == pytest.approx([0.04 * index for index in range(100)], abs=0.001)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_frames_of_jpegs_with_exif_are_upright(tmp_path: Path, orientation: int, turns: int) -> None:
    stored = np.full((48, 64, 3), 60, np.uint8)
    stored[:16, :16] = 220
    path = write_photos_as_video(tmp_path / "a.avi", stored, orientation)
    seen = frames(path)
    assert len(seen) == 3
    for frame in seen:
        upright = np.rot90(stored, turns)
        assert frame.image.rgb(1000).shape == upright.shape
        assert np.abs(frame.image.rgb(1000).astype(float) - upright).mean() < 4


def test_interlaced_frames_are_shrunk_however_thin_they_are(tmp_path: Path) -> None:
    pixels = np.full((16, 2048, 3), 100, np.uint8)
    path = media.write_video(tmp_path / "a.mkv", [0, 40], [pixels] * 2, codec="mpeg4", options={"flags": "+ilme+ildct"})
    for frame in frames(path):
        assert frame.image.rgb(96).shape == (2, 96, 3)
