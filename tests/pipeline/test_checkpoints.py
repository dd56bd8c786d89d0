"""Chunk files: what was seen comes back as it was, under a key that says what it was made from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.errors import OutputError
from fer_batch.pipeline.checkpoints import (
    FACE_COLUMNS,
    Checkpoints,
    Record,
    chunk_key,
    source_key,
)
from fer_batch.pipeline.contents import Content
from fer_batch.types import (
    Box,
    Chunk,
    Clarity,
    Detection,
    FrameFaces,
    FrameTime,
    Kind,
    ScannedFrames,
    Severity,
    Skipped,
    Source,
)

names = st.sampled_from(["film.mp4", "two\nlines", "línea", "\ufeff", ""]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
pixels = st.floats(-1e4, 1e4)
clarities = st.none() | st.builds(Clarity, *(st.floats(0, 1) for _ in range(4)))
landmarks = st.just(()) | st.lists(st.tuples(pixels, pixels), min_size=5, max_size=5).map(tuple)
detections = st.builds(Detection, st.builds(Box, pixels, pixels, pixels, pixels), st.floats(0, 1), landmarks, clarities)
seconds = st.none() | st.floats(-1, 1e6)
pts = st.none() | st.integers(-(2**62), 2**62)
times = st.builds(FrameTime, names, st.just(0), seconds, seconds, pts, st.booleans())
skipped = st.lists(st.builds(Skipped, names, names, st.sampled_from(Severity)), max_size=2).map(tuple)


@dataclass(frozen=True)
class Seen:
    """What was seen in a chunk: its frames with their faces, the model's answers, and what could not be read."""

    frames: list[tuple[FrameTime, list[Detection]]]
    shares: np.ndarray
    skipped: tuple[Skipped, ...] = ()
    sampled: tuple[bool, ...] | None = None
    """Whether each frame is sampled; None: all are."""

    @property
    def scenes(self) -> np.ndarray:
        """(frames, 16, 16) uint8, each another."""
        numbers = np.array([time.number for time, _ in self.frames], np.int64)
        return (numbers[:, np.newaxis, np.newaxis] + np.arange(256).reshape(16, 16)).astype(np.uint8)

    @property
    def are_sampled(self) -> np.ndarray:
        """(frames,) bool."""
        return np.ones(len(self.frames), bool) if self.sampled is None else np.array(self.sampled, bool)

    @property
    def sizes(self) -> np.ndarray:
        """(frames, 2) int64, each another."""
        return np.array([(640 + at, 480 - at) for at in range(len(self.frames))], np.int64).reshape(-1, 2)

    def parts(self, *cuts: int) -> list[ScannedFrames]:
        """The same as a worker hands it over, in parts that begin at these frames."""
        ends = np.cumsum([len(faces) for _, faces in self.frames], dtype=np.int64)
        parts = []
        for begin, end in pairwise([0, *cuts, len(self.frames)]):
            first, last = (int(ends[at - 1]) if at else 0 for at in (begin, end))
            part = self.frames[begin:end]
            faces = [one.as_row() for _, found in part for one in found]
            parts.append(
                ScannedFrames(
                    tuple(time for time, _ in part),
                    self.are_sampled[begin:end],
                    self.sizes[begin:end],
                    self.scenes[begin:end],
                    np.array([at for at, (_, found) in enumerate(part) for _ in found], np.int64),
                    np.array(faces, float).reshape(-1, len(FACE_COLUMNS)),
                    np.empty((0, 48, 48), np.uint8),
                    self.shares[first:last],
                )
            )
        return parts


@st.composite
def seen(draw: st.DrawFn) -> tuple[Seen, list[int]]:
    """What was seen in a chunk of up to six frames with up to four faces each, and where to cut it into parts."""
    frames = draw(st.lists(st.tuples(times, st.lists(detections, max_size=4)), max_size=6))
    sampled = tuple(bool(faces) or draw(st.booleans()) for _, faces in frames)
    steps = draw(st.lists(st.integers(1, 1000), min_size=len(frames), max_size=len(frames)))
    numbers = (np.cumsum(steps) - draw(st.integers(0, 1))).tolist()
    numbered = [(replace(one, number=number), faces) for (one, faces), number in zip(frames, numbers, strict=True)]
    count = sum(len(faces) for _, faces in frames)
    answers = np.random.default_rng(draw(st.integers(0, 9))).random((count, 2, 7), np.float32)
    cuts = draw(st.lists(st.integers(0, len(frames)), max_size=4).map(sorted))
    return Seen(numbered, answers, draw(skipped), sampled), cuts


def scanned(*faces_per_frame: int, skipped: tuple[Skipped, ...] = ()) -> Seen:
    faces = iter(range(sum(faces_per_frame)))
    frames = [
        (
            FrameTime("film", number, number / 25, 0.04, number),
            [Detection(Box(next(faces), 0, 10, 10), 0.5) for _ in range(count)],
        )
        for number, count in enumerate(faces_per_frame)
    ]
    return Seen(frames, np.ones((sum(faces_per_frame), 2, 7), "f4"), skipped)


def write(work: Checkpoints, key: str, what: Seen, *cuts: int) -> None:
    work.write_chunk(key, what.parts(*cuts), what.skipped)


def check_comes_back(folder: Path, what: Seen, *cuts: int) -> None:
    work = Checkpoints(folder)
    write(work, "key", what, *cuts)
    assert work.has_chunk("key")
    frames, skipped = work.read_chunk("key")
    sampled = what.are_sampled
    looked_at = [frame for frame, chosen in zip(what.frames, sampled, strict=True) if chosen]
    assert skipped == what.skipped
    assert [one.time for one in frames] == [time for time, _ in looked_at]
    assert [one.size for one in frames] == [tuple(size) for size in what.sizes[sampled].tolist()]
    np.testing.assert_array_equal(np.array([one.scene for one in frames]).reshape(-1, 16, 16), what.scenes[sampled])
    assert [list(one.detections) for one in frames] == [faces for _, faces in looked_at]
    scenes = work.read_scenes("key")
    assert scenes.numbers.tolist() == [time.number for time, _ in what.frames]
    assert [None if np.isnan(seconds) else seconds for seconds in scenes.seconds.tolist()] == [
        time.seconds for time, _ in what.frames
    ]
    np.testing.assert_array_equal(scenes.images, what.scenes)
    at = 0
    for one in frames:
        assert one.shares.dtype == np.float32
        np.testing.assert_array_equal(one.shares, what.shares[at : at + len(one.detections)])
        at += len(one.detections)
    assert at == len(what.shares)
    assert list(folder.glob("*.part")) == []


@settings(deadline=None)
@given(seen())
def test_what_was_seen_comes_back_as_it_was_whatever_parts_it_came_in(
    tmp_path_factory: pytest.TempPathFactory, what: tuple[Seen, list[int]]
) -> None:
    check_comes_back(tmp_path_factory.getbasetemp() / "work", what[0], *what[1])


@given(seen())
def test_the_parts_that_a_chunk_came_in_do_not_show_in_its_file(
    tmp_path_factory: pytest.TempPathFactory, what: tuple[Seen, list[int]]
) -> None:
    work = Checkpoints(tmp_path_factory.getbasetemp() / "work")
    write(work, "whole", what[0])
    write(work, "parts", what[0], *what[1])
    one, other = ((work.folder / f"chunk-{key}.parquet").read_bytes() for key in ("whole", "parts"))
    assert one == other


@pytest.mark.parametrize("faces", [(0,), (0, 0, 0), (1,), (0, 2, 0), (4, 0, 0, 1)])
def test_frames_without_a_face_come_back(tmp_path: Path, faces: tuple[int, ...]) -> None:
    check_comes_back(tmp_path / "work", scanned(*faces))


def test_a_chunk_of_which_nothing_could_be_read_still_says_why(tmp_path: Path) -> None:
    what = scanned(skipped=(Skipped("holiday/a.jpg", "Not a photograph."),))
    check_comes_back(tmp_path / "work", what)
    work = Checkpoints(tmp_path / "work")
    work.write_chunk("key", [], what.skipped)
    assert work.read_chunk("key") == ([], what.skipped)


@pytest.fixture
def work(tmp_path: Path) -> Checkpoints:
    folder = Checkpoints(tmp_path / "work")
    for key in ("one", "two"):
        write(folder, key, scanned(1, 0))
    return folder


RECORD = Record(("one", "two"), {"codec": "h264", "seconds": 1.5}, (Skipped("línea\n", "Damaged.", Severity.PARTIAL),))


def test_a_finished_source_is_recalled_as_it_was_remembered(work: Checkpoints) -> None:
    work.remember("key", RECORD)
    assert work.recall("key") == RECORD
    assert work.recall("other") is None


def test_a_source_is_not_recalled_when_one_of_its_chunk_files_is_missing(work: Checkpoints) -> None:
    work.remember("key", replace(RECORD, chunks=("one", "gone")))
    assert work.recall("key") is None


def test_a_record_that_was_cut_short_is_not_recalled(work: Checkpoints) -> None:
    work.remember("key", RECORD)
    (path,) = work.folder.glob("*key.json")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert work.recall("key") is None


@pytest.mark.parametrize("damage", [b"\xff" * 40, b"\0" * 40, b"null", b"[]", b"{}", b'{"chunks": ["one"]}'])
def test_a_record_that_is_something_else_is_not_recalled(work: Checkpoints, damage: bytes) -> None:
    work.remember("key", RECORD)
    (path,) = work.folder.glob("*key.json")
    path.write_bytes(damage)
    assert work.recall("key") is None


@pytest.mark.parametrize(
    "attempt",
    [lambda work: work.remember("key", RECORD), lambda work: write(work, "key", scanned(1))],
    ids=["record", "chunk"],
)
def test_a_work_folder_that_cannot_be_written_is_an_output_error(
    tmp_path: Path, attempt: Callable[[Checkpoints], None]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Cannot write .*work.*run again"):
        attempt(Checkpoints(tmp_path / "file" / "work"))


def video_chunk(**changes: Any) -> Chunk:
    source = Source(Kind.VIDEO, changes.pop("name", "a.mp4"), (Path("/media/a.mp4"),), "a.mp4")
    times = tuple(FrameTime("a.mp4", number, number / 25, 0.04, number * 40) for number in range(10, 20))
    return replace(Chunk(source, 1, times, start=400, stop=800, frames=10), **changes)


RECIPE = {"detector": {"name": "one", "sha256": "ab"}, "crop": [48, 1.08]}
VIDEO = video_chunk()
CHANGED_TIMES: list[tuple[FrameTime, ...] | None] = [
    None,
    (VIDEO.times or ())[:-1],
    *(
        (replace((VIDEO.times or ())[0], **change), *(VIDEO.times or ())[1:])
        for change in [{"number": 9}, {"seconds": 0.41}, {"seconds": None}, {"duration": 0.05}, {"pts": 401}]
    ),
]


def test_a_chunks_key_changes_with_everything_that_decides_what_is_seen() -> None:
    keys = [
        chunk_key(VIDEO, ["digest"], RECIPE),
        chunk_key(VIDEO, ["another"], RECIPE),
        chunk_key(VIDEO, ["digest"], RECIPE | {"crop": [48, 1.0]}),
        chunk_key(VIDEO, ["digest"], RECIPE | {"more": None}),
        chunk_key(video_chunk(start=360), ["digest"], RECIPE),
        chunk_key(video_chunk(start=None), ["digest"], RECIPE),
        chunk_key(video_chunk(stop=840), ["digest"], RECIPE),
        chunk_key(video_chunk(stop=None), ["digest"], RECIPE),
        chunk_key(video_chunk(decoded=VIDEO.times), ["digest"], RECIPE),
        *(chunk_key(video_chunk(times=times), ["digest"], RECIPE) for times in CHANGED_TIMES),
    ]
    assert len(set(keys)) == len(keys)


def test_a_chunks_key_does_not_change_with_the_videos_name_or_place_or_how_the_recipe_is_sorted() -> None:
    elsewhere = replace(VIDEO.source, name="elsewhere/b.mp4", files=(Path("/elsewhere/b.mp4"),))
    reordered = dict(reversed(RECIPE.items()))
    assert chunk_key(replace(VIDEO, source=elsewhere, index=7), ["digest"], reordered) == chunk_key(
        VIDEO, ["digest"], RECIPE
    )


def photo_chunk(*ranks: int) -> Chunk:
    source = Source(Kind.PHOTOS, "holiday", tuple(Path(f"/p/{rank}.jpg") for rank in ranks), "holiday")
    return Chunk(source, 1, tuple(FrameTime(f"{rank}.jpg", rank) for rank in ranks))


def test_the_key_of_a_chunk_of_photos_is_made_from_their_contents_alone() -> None:
    key = chunk_key(photo_chunk(2, 3), ["c", "d"], RECIPE)
    assert chunk_key(photo_chunk(7, 8), ["c", "d"], RECIPE) == key
    assert chunk_key(photo_chunk(2, 3), ["C", "d"], RECIPE) != key
    assert chunk_key(photo_chunk(2, 3), ["c", "d"], RECIPE | {"crop": [48, 1.0]}) != key


def test_photos_are_found_by_their_digests_and_the_recipe(tmp_path: Path) -> None:
    work = Checkpoints(tmp_path / "work")
    assert dict(work.photos(RECIPE)) == {}
    keys = [chunk_key(photo_chunk(0, 1), contents, RECIPE) for contents in (["a", "b"], ["c"])]
    work.write_chunk(keys[0], scanned(1, 0).parts(), (), ["a", "b"])
    work.write_chunk(keys[1], [], (), ["c"])
    write(work, "a-video", scanned(1))
    assert dict(work.photos(RECIPE)) == {keys[0]: ["a", "b"], keys[1]: ["c"]}
    assert dict(work.photos(RECIPE | {"crop": [48, 1.0]})) == {}
    (work.folder / f"chunk-{keys[0]}.parquet").write_bytes(b"PAR1")
    assert dict(work.photos(RECIPE)) == {keys[1]: ["c"]}


def test_names_and_ranks_are_given_when_a_source_is_read(tmp_path: Path) -> None:
    work = Checkpoints(tmp_path / "work")
    seen = scanned(1, 2)
    frames = [(replace(time, file=digest), faces) for (time, faces), digest in zip(seen.frames, "ab", strict=True)]
    lines = (Skipped("/b", "Odd.", Severity.PARTIAL), Skipped("/c", "Not a photo."))
    work.write_chunk("one", replace(seen, frames=frames).parts(), lines, ["a", "b", "c"])
    source = Source(Kind.PHOTOS, "trip", tuple(Path(f"/in/{name}") for name in ("1", "2", "3", "4", "5")), "trip")
    record = Record(("one", "one", "", "one", "one"), {}, (), tuple(map(Content, ("c", "b", "x", "a", "b"))))
    items = list(work.read(source, record))
    assert [item for item in items if isinstance(item, Skipped)] == [
        Skipped("trip/1", "Not a photo."),
        Skipped("trip/2", "Odd.", Severity.PARTIAL),
        Skipped("trip/5", "Odd.", Severity.PARTIAL),
    ]
    found = [item for item in items if isinstance(item, FrameFaces)]
    assert [(frame.time.file, frame.time.number, len(frame.detections)) for frame in found] == [
        *(("2", 1, 2), ("4", 3, 1), ("5", 4, 2))
    ]


def test_a_videos_key_changes_with_its_content_and_the_recipe_and_with_nothing_else() -> None:
    keys = [
        source_key("a", RECIPE),
        source_key("b", RECIPE),
        source_key("a", RECIPE | {"sampling": [5.0, None, None]}),
    ]
    assert len(set(keys)) == len(keys)
    assert source_key("a", dict(reversed(RECIPE.items()))) == keys[0]
