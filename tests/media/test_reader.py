"""Times, numbers, orientation and damage of videos."""

import gc
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np
import pytest

from fer_batch.errors import MediaError
from fer_batch.media.frame import Frame, UnsampledFrame, scene
from fer_batch.media.sampling import Clock, Sampling, frame_times
from fer_batch.media.video import reader
from fer_batch.media.video.index import Packets, read_index
from fer_batch.media.video.reader import ReadMode
from fer_batch.types import Chunk, Kind, Severity, Skipped, Source
from tests.helpers import media, reading

IRREGULAR = [0, 33, 66, 500, 533, 1500]
"""Milliseconds: a video of 1.5 s with an irregular frame rate."""


EVERYTHING = Sampling()


def source(path: Path) -> Source:
    return Source(Kind.VIDEO, path.name, (path,), path.name)


def plan(path: Path, sampling: Sampling = EVERYTHING, mode: ReadMode | None = None) -> list[Chunk]:
    index = read_index(path)
    return reader.plan(source(path), index, sampling, reader.read_mode(index) if mode is None else mode)


def read(chunks: list[Chunk]) -> tuple[list[tuple[int, float | None, np.ndarray]], list[Skipped]]:
    """Number, seconds and a copy of the luma of every frame, and what was skipped."""
    found, skipped = [], []
    for chunk in chunks:
        for item in reading.items(chunk):
            if isinstance(item, Frame):
                found.append((item.time.number, item.time.seconds, item.image.luma().plane.copy()))
            elif isinstance(item, Skipped):
                skipped.append(item)
    return found, skipped


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
def test_irregular_times_read_back(tmp_path: Path, suffix: str) -> None:
    chunks = plan(media.write_video(tmp_path / f"a.{suffix}", IRREGULAR))
    found, skipped = read(chunks)
    assert [round(seconds, 6) for _, seconds, _ in found] == [pts / 1000 for pts in IRREGULAR]
    durations = [time.duration for chunk in chunks for time in chunk.times]
    assert durations[:-1] == pytest.approx([(b - a) / 1000 for a, b in pairwise(IRREGULAR)])
    assert durations[-1] > 0
    assert skipped == []


def test_frames_that_start_after_the_sound_start_late(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "late.mkv", range(500, 1500, 40), audio=True)
    found, _ = read(plan(path))
    assert found[0][:2] == (0, 0.5)


CONTAINERS = [
    ("a.mp4", "libx264", {}),
    ("a.mov", "libx264", {}),
    ("a.mkv", "libx265", {"x265-params": "log-level=none"}),
    ("a.webm", "libvpx-vp9", {"lag-in-frames": "0", "cpu-used": "8"}),
    ("a.ts", "libx264", {}),
    ("a.flv", "libx264", {}),
    ("a.avi", "mpeg4", {}),
    ("b.avi", "libx264", {}),
    ("c.avi", "mjpeg", {"color_range": "pc"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), CONTAINERS)
def test_every_frame_has_its_number(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    # AVI counts frames at a fixed rate; a finer time base would leave holes in it.
    base, step = (Fraction(1, 25), 1) if name.endswith("avi") else (media.MILLISECONDS, 40)
    path = media.write_video(
        tmp_path / name,
        range(0, 30 * step, step),
        codec=codec,
        options=options,
        time_base=base,
        pixel_format=pixel_format,
    )
    found, skipped = read(plan_as_a_run_would(path))
    assert [number for number, _, _ in found] == list(range(30))
    black, white = (0, 255) if codec == "mjpeg" else (16, 235)
    greys = [(plane.mean() - black) * 255 / (white - black) for _, _, plane in found]
    assert [round((grey - 30) / 6) for grey in greys] == list(range(30))
    seconds = [seconds for _, seconds, _ in found]
    assert seconds[0] == pytest.approx(0, abs=0.0011)
    assert [later - earlier for earlier, later in pairwise(seconds)] == pytest.approx([0.04] * 29, abs=0.0011)
    assert skipped == []


def plan_as_a_run_would(path: Path) -> list[Chunk]:
    """The chunks in the highest read mode that the video allows."""
    for mode in range(reader.read_mode(read_index(path)), -1, -1):
        chunks = plan(path, mode=ReadMode(mode))
        try:
            read(chunks)
        except reader.IndexMismatch:
            continue
        return chunks
    raise AssertionError("no trust level can read it")


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"bf": "3"}),
        ("open.mkv", "libx264", {"x264-params": "open-gop=1:bframes=3"}),
        ("a.ts", "libx264", {}),
        ("a.webm", "libvpx-vp9", {"cpu-used": "8"}),
        ("a.avi", "mpeg4", {}),
    ],
)
def test_chunks_give_what_straight_decoding_gives(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    count, base = 5 * 100, Fraction(1, 5)
    path = media.write_video(
        tmp_path / name, range(count), codec=codec, options=options, time_base=base, keyframe_every=7
    )
    chunks = plan(path, mode=ReadMode.CHUNKS)
    assert len(chunks) > 4
    cut, _ = read(chunks)
    straight, _ = read(plan(path, mode=ReadMode.TIMESTAMPS))
    assert [frame[:2] for frame in cut] == [frame[:2] for frame in straight]
    assert len(cut) == count
    assert all(np.array_equal(frame[2], other[2]) for frame, other in zip(cut, straight, strict=True))


def test_chunks_are_long_at_first_and_short_in_the_end(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mkv", range(600), time_base=Fraction(1), keyframe_every=1)
    spans = [len(chunk.times or ()) for chunk in plan(path)]
    assert sum(spans) == 600
    assert spans == sorted(spans, reverse=True), "all workers end together"
    assert (spans[0], spans[-2]) == (30, 5)
    short = media.write_video(tmp_path / "b.mkv", range(4), time_base=Fraction(1), keyframe_every=1)
    assert len(plan(short)) == 1


def test_a_chunk_that_lacks_a_frame_is_not_believed(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mkv", range(500), time_base=Fraction(1, 5), keyframe_every=7)
    chunk = plan(path)[1]
    claims_one_more = Chunk(chunk.source, 1, chunk.times, chunk.start, chunk.stop, chunk.frames + 1)
    with pytest.raises(reader.IndexMismatch):
        read([claims_one_more])


@pytest.mark.parametrize("mode", ReadMode)
@pytest.mark.parametrize("fps", [1.0, 0.02])
@pytest.mark.parametrize("part", [(None, None), (10.0, 71.3)])
def test_frames_that_are_not_sampled_show_their_scenes(
    tmp_path: Path, mode: ReadMode, fps: float, part: tuple[float | None, float | None]
) -> None:
    """So that cuts are found whatever is sampled; also in a chunk of which no frame is."""
    path = media.write_video(tmp_path / "a.mkv", range(500), time_base=Fraction(1, 5), keyframe_every=7)

    def scenes(fps: float | None) -> tuple[list[tuple[int, float | None, bytes]], list[int]]:
        found, sampled = [], []
        for chunk in plan(path, Sampling(fps, *part), mode):
            for item in reading.items(chunk):
                if isinstance(item, Frame):
                    sampled.append(item.time.number)
                    found.append((item.time.number, item.time.seconds, scene(item.image.luma()).tobytes()))
                elif isinstance(item, UnsampledFrame):
                    assert item.size == media.SIZE
                    found.append((item.time.number, item.time.seconds, item.scene.tobytes()))
        return found, sampled

    every, all_sampled = scenes(None)
    found, sampled = scenes(fps)
    assert found == every
    assert (
        all_sampled == [number for number, _, _ in every] == list(range(*((0, 500) if part[0] is None else (50, 357))))
    )
    times = frame_times(
        "a.mkv", np.arange(500), np.arange(1, 501), Clock(Fraction(1, 5), Fraction(0)), Sampling(fps, *part)
    )
    assert sampled == times.numbers.tolist()
    assert len(sampled) < len(every)


def test_the_first_frame_of_every_period_is_sampled(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mp4", range(0, 4000, 40))
    found, _ = read(plan(path, Sampling(fps=5, start=1.0, end=3.0)))
    assert [number for number, _, _ in found] == list(range(25, 75, 5))
    assert [media.number(plane.mean()) for _, _, plane in found] == [number % 32 for number in range(25, 75, 5)]


ORIENTATIONS = [(turn, mirror, False) for turn in (0, 90, 180, 270) for mirror in (False, True)]


@pytest.mark.parametrize("display", ORIENTATIONS)
def test_frames_are_upright(tmp_path: Path, display: tuple[int, bool, bool]) -> None:
    stored = np.full((48, 64, 3), 60, np.uint8)
    stored[:16, :16] = 220  # a bright corner
    path = media.write_video(tmp_path / "a.mp4", [0, 40], [stored, stored], display=display)
    turn, mirror, _ = display
    upright = np.rot90(stored, turn // 90)  # PyAV turns anticlockwise, then mirrors
    upright = upright[:, ::-1] if mirror else upright
    for frame in reading.frames(plan(path)[0]):
        image = frame.image
        assert (image.height, image.width) == upright.shape[:2]
        assert np.abs((image.luma().plane.astype(float) - 16) * 255 / 219 - upright[:, :, 0]).mean() < 4
        assert np.abs(image.rgb(10_000).astype(float) - upright).mean() < 4
        assert max(image.rgb(32).shape) == 32


@pytest.mark.parametrize(
    ("pixel_format", "codec", "black", "white"),
    [
        ("yuv420p", "libx264", 16, 235),
        ("yuvj420p", "mjpeg", 0, 255),
        ("yuv420p10le", "libx265", 64, 940),
        ("yuv444p", "libx264", 16, 235),
        ("gray", "ffv1", 0, 255),
        ("gbrp", "libx264rgb", 0, 255),
    ],
)
def test_luma_knows_its_black_and_white(tmp_path: Path, pixel_format: str, codec: str, black: int, white: int) -> None:
    if codec == "libx264rgb":
        pixel_format = "rgb24"
    options = {"color_range": "pc"} if codec == "mjpeg" else {"x265-params": "log-level=none"} if "265" in codec else {}
    path = media.write_video(
        tmp_path / "a.mkv", range(0, 400, 40), codec=codec, options=options, pixel_format=pixel_format
    )
    for number, frame in enumerate(reading.frames(plan(path)[0])):
        luma = frame.image.luma()
        assert (luma.black, luma.white) == (black, white)
        grey = (luma.plane.mean() - black) * 255 / (white - black)
        assert grey == pytest.approx(media.level(number), abs=2)


@pytest.mark.parametrize("mode", ReadMode)
def test_an_item_comes_for_every_frame_that_is_decoded_sampled_or_not(tmp_path: Path, mode: ReadMode) -> None:
    path = media.write_video(tmp_path / "a.mp4", range(0, 4000, 40), keyframe_every=100)
    (chunk,) = plan(path, Sampling(start=2.0, end=3.0, fps=5), mode=mode)
    passed_over = list(takewhile(lambda item: not isinstance(item, Frame), items := reading.items(chunk)))
    assert passed_over == [None] * 50
    items.close()
    assert next(reading.frames(chunk)).time.number == 50


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
def test_a_video_that_breaks_in_the_middle_keeps_its_rows_and_gets_a_line(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1)
    images = [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(100)]
    path = media.write_video(tmp_path / f"a.{suffix}", range(0, 4000, 40), images)
    media.damage(path, at=0.5, count=6000)
    index = read_index(path)
    found, skipped = read(plan_as_a_run_would(path))
    numbers = [number for number, _, _ in found]
    assert 50 <= len(numbers) < 100
    assert numbers == sorted(set(numbers))
    assert skipped or index.damage
    assert all(line.rows_kept for line in skipped)


def test_a_stream_that_turns_up_on_the_way_does_not_cost_the_video() -> None:
    class Grown:
        """A container as PyAV leaves it when FFmpeg has found another stream while reading."""

        def demux(self, *streams: str) -> Iterator[str]:
            yield from ("first", "second", *streams)
            raise IndexError("list index out of range")

    packets = Packets(Grown(), "emptied")
    assert list(packets) == ["first", "second", "emptied"]
    assert packets.begun_later


@pytest.mark.parametrize(("suffix", "options"), [("mkv", {}), ("mp4", {"movflags": "faststart"}), ("avi", {})])
def test_a_video_that_was_cut_off_says_so(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    noise = np.random.default_rng(1)
    images = [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(100)]
    path = media.write_video(
        tmp_path / f"a.{suffix}",
        range(100),
        images,
        codec=codec,
        time_base=Fraction(1, 25),
        container_options=options,
    )
    media.truncate(path, 0.6)
    damage = read_index(path).damage
    assert "Cut off" in damage or "as damaged" in damage  # an AVI has nothing to tell but its last, half packet
    found, _ = read(plan_as_a_run_would(path))
    assert 40 <= len(found) < 80


@pytest.mark.parametrize(
    ("codec", "format"), [("libx264", "h264"), ("h263", "h263"), ("libsvtav1", "obu"), ("mjpeg", "mjpeg")]
)
def test_a_raw_stream_has_numbers_but_no_times(tmp_path: Path, codec: str, format: str) -> None:  # noqa: A002
    images = [media.pixels(number, (176, 144)) for number in range(25)]
    path = media.write_video(
        tmp_path / f"a.{format}",
        range(25),
        images,
        codec=codec,
        time_base=Fraction(1, 25),
        format=format,
        pixel_format="yuvj420p" if codec == "mjpeg" else "yuv420p",
    )
    found, skipped = read(plan(path))
    assert [(number, seconds) for number, seconds, _ in found] == [(number, None) for number in range(25)]
    levels = [plane.mean() * (219 / 255) + 16 if codec == "mjpeg" else plane.mean() for _, _, plane in found]
    assert [media.number(level) for level in levels] == list(range(25))
    assert len(skipped) == 1
    assert "no timestamps" in skipped[0].reason
    assert skipped[0].rows_kept


def test_what_is_no_video_says_why(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"not a video" * 100)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    for path, reason in [
        (empty, "empty"),
        (garbage, "Not a video, or too damaged"),
        (media.write_sound(tmp_path / "sound.mp4"), "only sound"),
        (playlist, "A playlist"),
        (tmp_path / "missing.mp4", "No such file"),
    ]:
        with pytest.raises(MediaError, match=reason):
            read_index(path)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process's memory so simply")
def test_no_frame_outlives_its_turn(tmp_path: Path) -> None:
    def resident_megabytes() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    size = (640, 480)
    images = [media.pixels(0, size)] * 300
    path = media.write_video(tmp_path / "a.mp4", range(0, 300 * 40, 40), images, options={"preset": "ultrafast"})
    frames = reading.frames(plan(path)[0])
    gc.disable()  # a frame in a circle of references would wait for it
    try:
        for frame in frames:
            frame.image.luma()
            frame.image.rgb(320)
            if frame.time.number == 20:
                before = resident_megabytes()
        grown = resident_megabytes() - before
    finally:
        gc.enable()
    assert grown < 0.1 * 280 * size[0] * size[1] * 1.5 / 1e6


@pytest.mark.parametrize("mode", [ReadMode.TIMESTAMPS, ReadMode.ORDER])
def test_frames_that_the_index_does_not_list_are_told(tmp_path: Path, mode: ReadMode) -> None:
    path = media.write_video(tmp_path / "a.mkv")
    index = read_index(path)
    assert read(reader.plan(source(path), index, EVERYTHING, mode))[1] == []
    kept = np.delete(np.arange(len(index.pts)), [7, 24])
    lacking = replace(index, pts=index.pts[kept], ends=index.ends[kept])
    found, skipped = read(reader.plan(source(path), lacking, EVERYTHING, mode))
    assert len(found) == 23
    (line,) = skipped
    assert line.reason.startswith("Left out: 2 frames without a time")
    assert line.severity is Severity.PARTIAL
    assert read(reader.plan(source(path), lacking, Sampling(end=0.2), mode))[1] == []
