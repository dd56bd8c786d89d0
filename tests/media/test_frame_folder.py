"""Folders of frames as videos: their times are those of a real video with the same frames."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.media import frame_folder, photos
from fer_batch.media.frame import Frame
from fer_batch.media.sampling import Sampling
from fer_batch.media.sources import walk
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.types import FrameTime, Kind, Source
from tests.helpers import media


def folder(names: list[str], fps: float) -> Source:
    return Source(Kind.VIDEO, "clip", tuple(Path("clip") / name for name in names), "clip", fps)


EVERY_FRAME = Sampling()


def times(source: Source, sampling: Sampling = EVERY_FRAME) -> list[FrameTime]:
    return [time for chunk in frame_folder.plan(source, sampling) for time in chunk.times or ()]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(fps=5), Sampling(start=0.3, end=1.1), Sampling(7, 0.1, 1.2)])
def test_times_are_those_of_a_video_with_these_frames(tmp_path: Path, sampling: Sampling) -> None:
    video = media.write_video(tmp_path / "clip.mkv", range(0, 1600, 40))
    index = read_index(video)
    chunks = reader.plan(Source(Kind.VIDEO, "clip", (video,), "clip"), index, sampling, reader.read_mode(index))
    expected = [(time.number, time.seconds, time.duration) for chunk in chunks for time in chunk.times or ()]
    found = times(folder([f"{number}.png" for number in range(40)], 25), sampling)
    assert [(time.number, time.seconds, time.duration) for time in found] == expected
    assert [time.file for time in found] == [f"{number}.png" for number, _, _ in expected]


@given(st.integers(1, 1000), st.floats(0.01, 240, allow_nan=False))
def test_every_frame_is_in_one_chunk_at_its_number_over_the_rate(count: int, fps: float) -> None:
    found = times(folder([f"{number}.png" for number in range(count)], fps))
    assert [time.number for time in found] == list(range(count))
    for time in found:
        assert time.seconds == pytest.approx(float(time.number / Fraction(fps)), abs=1e-6)
    header = frame_folder.header(folder(["0.png"] * count, fps), [Sampling(), Sampling(end=0.5 / fps)])
    assert header.frames == (count, 1)
    assert header.seconds == pytest.approx(count / fps)


@pytest.mark.parametrize(
    ("names", "uneven"),
    [
        (["f1.png", "f2.png", "f3.png"], ()),
        (["f10.png", "f20.png", "f30.jpg"], ()),
        (["a.png", "b.png", "c.png"], ()),
        (["f1.png"], ()),
        (["f1.png", "f2.png", "f4.png", "f5.png"], ("f2.png", "f4.png")),
        (["a 08_v2.png", "a 09_v2.png", "b 01_v2.png"], ()),
        (["a8.png", "a9.png", "b1.png", "b2.png"], ("a9.png", "b1.png")),
    ],
)
def test_numbers_that_do_not_rise_evenly_are_told(names: list[str], uneven: tuple[str, ...]) -> None:
    notes = list(frame_folder.notes(folder(names, 25)))
    assert len(notes) == bool(uneven)
    for note in notes:
        assert f"from {uneven[0]} to {uneven[1]}" in note


def test_frames_come_in_natural_order_with_the_names_of_their_files(tmp_path: Path) -> None:
    for number in range(12):
        media.write_photo(tmp_path / "clip" / f"f{number}.png", media.pixels(number))
    (source,) = walk([tmp_path / "clip"], as_video=10).sources
    assert (source.kind, source.name, source.fps) == (Kind.VIDEO, "clip", 10)
    (chunk,) = frame_folder.plan(source, Sampling())
    frames = [item for item in photos.read(chunk, None) if isinstance(item, Frame)]
    assert [(frame.time.file, frame.time.seconds) for frame in frames] == [(f"f{n}.png", n / 10) for n in range(12)]
    assert [frame.image.luma().plane[0, 0] for frame in frames] == [media.level(number) for number in range(12)]
