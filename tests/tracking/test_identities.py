"""Videos of different faces whose identities are known: every face keeps its number, however people move."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path

import pandas as pd
import pytest
import skimage.data

import fer_batch
from fer_batch.media.sampling import Sampling
from fer_batch.media.sources import walk
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.types import Box
from tests.helpers import cast
from tests.helpers.cast import Actor, Shot, Truth
from tests.helpers.identities import LEAST_OVERLAP, Identities, judge

Target = Callable[[float], tuple[float, float] | None]

FIRST, SECOND, THIRD, END = 0.0, 30.4, 44.0, 62.0
"""When the shots begin, and the video ends, in seconds."""

OUTSIDE = (720.0, 175.0)
"""Outside of the frame on the right."""


def nowhere(seconds: float) -> tuple[float, float] | None:
    """Nobody is there."""


def sitting(x: float, y: float = 170.0) -> Target:
    """Somebody who sits there, and is never quite still."""
    return lambda seconds: (x + 6 * sin(2 * pi * 0.31 * seconds), y + 4 * sin(2 * pi * 0.23 * seconds + x))


def walking(start: float, stop: float, begin: tuple[float, float], end: tuple[float, float]) -> Target:
    """Somebody who goes from one place to another, and is there only meanwhile."""

    def place(seconds: float) -> tuple[float, float] | None:
        share = (seconds - start) / (stop - start)
        if not 0 <= share < 1:
            return None
        return begin[0] + share * (end[0] - begin[0]), begin[1] + share * (end[1] - begin[1])

    return place


def one_after_the_other(*places: tuple[float, Target]) -> Target:
    """Somebody who is where each of these says until its time comes; then nowhere."""

    def place(seconds: float) -> tuple[float, float] | None:
        return next((where(seconds) for until, where in places if seconds < until), None)

    return place


def going(start: float, stop: float, begin: Target, end: Target) -> Target:
    """Somebody who goes from where one place is at the start to where another is at the stop."""
    return walking(start, stop, begin(start) or OUTSIDE, end(stop) or OUTSIDE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cast")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return shoot(folder / "video.mp4", height=OUTSIDE[1])


def shoot(path: Path, height: float) -> Truth:
    """A video of a minute with seven people of six different faces, and the truth about it.

    ``height``: y of the middle of the face that passes before two others.
    """
    astronaut, *lfw = cast.faces()
    room, garden = cast.painted(skimage.data.brick() // 2 + 60), cast.painted(skimage.data.moon())
    left, right = sitting(140), sitting(500)
    # One turns away and comes to sit on the right; one goes out on the right, comes back, and comes to sit on the left.
    turning = one_after_the_other((22, left), (26, going(22, 26, left, right)), (SECOND, right))
    leaving = one_after_the_other(
        *((13, right), (14.5, going(13, 14.5, right, nowhere)), (18.5, nowhere), (20, going(18.5, 20, nowhere, right))),
        *((22, right), (26, going(22, 26, right, left)), (SECOND, left)),
    )
    first = [
        Actor("goes and comes back", astronaut, leaving, 140),
        Actor("turns away", lfw[0], turning, turned=lambda seconds: 8 <= seconds < 12),
        Actor("passes before both", lfw[1], walking(3, 6.5, (OUTSIDE[0], height), (-60, height + 5)), 140),
    ]
    second = [Actor("is there after the cut", lfw[2], left), Actor("too", lfw[3], right)]
    third = [Actor("is back", lfw[0], left), Actor("is new", lfw[4], right)]
    return cast.shoot(
        path,
        [
            Shot(FIRST, SECOND, 12.5, room, first),
            Shot(SECOND, THIRD, 5, garden, second),
            Shot(THIRD, END, 10, room, third),
        ],
    )


@dataclass(frozen=True)
class Seen:
    """A finished run."""

    out: Path
    table: pd.DataFrame

    def run(self) -> Mapping[str, object]:
        return json.loads((self.out / "run.json").read_text(encoding="utf-8"))


def analyse(folder: Path, name: str, **options: object) -> Seen:
    run = fer_batch.analyze([folder / "video.mp4"], fer_batch.Options(**options), out=folder / name)
    assert run.complete
    return Seen(run.folder, fer_batch.read_timeline(run.timelines["video.mp4"]))


@pytest.fixture(scope="module")
def seen(folder: Path, truth: Truth) -> Seen:
    return analyse(folder, "one", workers=1)


def judged(truth: Truth, table: pd.DataFrame) -> Identities:
    """Found faces that overlap somebody who may be seen or not do not count, as in the MOT benchmarks."""
    frames = []
    for number, (people, unsure) in enumerate(zip(truth.people, truth.unsure, strict=True)):
        rows = table[(table["frame"] == number) & table["success"]]
        found = {row.face_id: Box(row.x, row.y, row.width, row.height) for row in rows.itertuples()}
        meant = {
            face
            for face, box in found.items()
            if any(box.overlap(other) >= LEAST_OVERLAP for other in people.values())
            or not any(box.overlap(other) >= 0.2 for other in unsure)
        }
        frames.append((people, {face: box for face, box in found.items() if face in meant}))
    return judge(frames)


def test_everybody_keeps_one_number_and_shares_it_with_nobody(truth: Truth, seen: Seen) -> None:
    found = judged(truth, seen.table)
    assert found.idf1 >= 0.98, found
    assert len(set.union(*found.ids.values())) == len(found.ids)
    assert {who: len(numbers) for who, numbers in found.ids.items()} == dict.fromkeys(found.ids, 1)


def test_a_cut_lies_on_the_border_of_two_chunks(folder: Path, truth: Truth) -> None:
    """So that the videos of these tests show that cuts are found there, too."""
    index = read_index(folder / "video.mp4")
    (source,) = walk([folder / "video.mp4"], out=folder / "one", recursive=True).sources
    chunks = reader.plan(source, index, Sampling(None, None, None), reader.read_mode(index))
    assert pytest.approx(SECOND) in [chunk.times[0].seconds for chunk in chunks if chunk.times]


@pytest.mark.slow
def test_more_workers_give_the_same_numbers(tmp_path: Path) -> None:
    """Of a video of three chunks at least, whose people go on from one to the next."""
    shoot(tmp_path / "video.mp4", height=OUTSIDE[1])
    one, four = (analyse(tmp_path, str(workers), workers=workers, start=20, end=50).out for workers in (1, 4))
    for table in ("timelines/video.mp4.csv", "summary.csv"):
        assert (four / table).read_bytes() == (one / table).read_bytes()


@pytest.mark.slow
def test_fewer_frames_give_the_same_people(tmp_path: Path) -> None:
    """At five frames a second people who walk move by most of a face from one sampled frame to the next.

    From 22 to 26 s two people change seats, and one hides the whole of the other. There the detector gives a single box
    or none for almost a second. Who is seen first afterwards may be either: somebody who came out on the other side, or
    the other one, who turned back (see fer_batch.tracking.motion.SPEED_SECONDS). Before and after, everybody keeps a
    number.
    """
    truth = shoot(tmp_path / "video.mp4", height=OUTSIDE[1] + 60)
    table = analyse(tmp_path, "five", workers=1, fps=5).table
    sampled = sorted(table["frame"].unique())
    for begin, end in ((0, 22), (26, END)):
        numbers = [number for number in sampled if begin <= truth.pts[number] / 1000 < end]
        there = Truth(
            [truth.pts[number] for number in numbers],
            [truth.people[number] for number in numbers],
            [truth.unsure[number] for number in numbers],
        )
        part = table.assign(frame=table["frame"].map({number: index for index, number in enumerate(numbers)}))
        assert judged(there, part).idf1 >= 0.98


def test_a_least_quality_opens_no_video_and_changes_only_what_is_summed_up(
    folder: Path, truth: Truth, seen: Seen
) -> None:
    before = pd.read_csv(seen.out / "timelines" / "video.mp4.csv")
    median = seen.table["quality"].median()
    assert 0 < median < 1
    again = analyse(folder, "one", workers=1, min_quality=float(median))
    assert again.run()["counts"]["chunks_scanned"] == 0
    after = pd.read_csv(again.out / "timelines" / "video.mp4.csv")
    pd.testing.assert_frame_equal(after.drop(columns="left_out"), before.drop(columns="left_out"))
    summed = pd.read_csv(again.out / "summary.csv")["faces"].sum()
    counts = (seen.table["quality"] >= median) & ~seen.table["spurious"]
    assert summed == counts.sum() == again.run()["counts"]["faces"]
    assert (after["success"].eq(1) & after["left_out"].isna()).sum() == summed
    analyse(folder, "one", workers=1)
