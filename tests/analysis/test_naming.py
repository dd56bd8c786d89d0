"""Names for faces: what joins, what is found where, and what is reported where that does not fit."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.naming import name_faces
from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.people import Anchor, Naming
from fer_batch.annotations.user_csv import Line
from fer_batch.types import Box, Detection, Face, FrameTime, Kind, Severity, TrackedFrame


def video(*frames: Iterable[int]) -> list[TrackedFrame]:
    """A tracked frame for each entry, 0.1 s apart, with faces of these ids."""
    return [
        TrackedFrame(FrameTime("interview.mp4", number, number / 10, 0.1), tuple(map(face, ids)))
        for number, ids in enumerate(frames)
    ]


def face(face_id: int) -> Face:
    return Face(face_id, Detection(Box(100 * face_id, 0, 30, 40), 0.9), np.full(7, 1 / 7, np.float32))


def line(number: int, file: str = "interview.mp4") -> Line:
    return Line("people.csv", number, {"file": file})


def who(*namings: str, photo: str | None = None) -> list[Naming]:
    """A line of people.csv for each ``number person``."""
    pairs = (naming.split() for naming in namings)
    return [
        Naming(line(at, photo or "interview.mp4"), photo, int(face_id), person, "", "")
        for at, (face_id, person) in enumerate(pairs, start=2)
    ]


def named(
    namings: list[Naming], tracked_frames: list[TrackedFrame], kind: Kind = Kind.VIDEO
) -> tuple[list[list[tuple[int, str, int]]], list[str]]:
    """face_id, person and where it is, of every face of every frame; and what does not fit."""
    found = name_faces(Timeline.of(tracked_frames), "interview.mp4", kind, namings)
    frames: dict[int, list[tuple[int, str, int]]] = {tracked.time.number: [] for tracked in tracked_frames}
    persons = found.timeline.text("person")
    for row, person in zip(found.timeline.rows, persons, strict=True):
        if row["face_id"] >= 0:
            frames[int(row["frame"])].append((int(row["face_id"]), person, int(row["x"])))
    assert all(problem.severity is Severity.PARTIAL for problem in found.problems)
    return list(frames.values()), [problem.reason for problem in found.problems]


def test_tracks_of_one_name_are_joined_under_the_first_ones_number() -> None:
    found, problems = named(who("2 Anna", "0 Anna", "3 Bo"), video([0, 1], [1], [1, 2], [2, 3], [3]))
    assert found == [
        [(0, "Anna", 0), (1, "", 100)],
        [(1, "", 100)],
        [(0, "Anna", 200), (1, "", 100)],
        [(0, "Anna", 200), (3, "Bo", 300)],
        [(3, "Bo", 300)],
    ]
    assert problems == []


def test_a_face_that_is_not_there_is_reported_with_its_line() -> None:
    _, (problem,) = named(who("0 Anna", "7 Anna"), video([0]))
    assert problem.startswith("people.csv line 3: there is no face 7 in interview.mp4. Correct face_id, or")


def test_one_person_cannot_be_two_faces_of_one_frame() -> None:
    found, (problem,) = named(who("0 Anna", "1 Anna"), video([0], [0, 1], [0, 1], [1]))
    assert found == [
        [(0, "Anna", 0)],
        [(0, "Anna", 0), (1, "", 100)],
        [(0, "Anna", 0), (1, "", 100)],
        [(0, "Anna", 100)],
    ]
    expected = (
        "people.csv line 3: faces 0 and 1 are both named Anna and are seen together in 2 frames, first at 0.100 s"
    )
    assert problem.startswith(expected)


@given(
    st.lists(st.sets(st.integers(0, 5)), max_size=12),
    st.lists(st.sampled_from(["", "Anna", "Bo"]), min_size=6, max_size=6),
)
def test_whatever_is_named_no_face_is_lost_and_none_is_twice_in_a_frame(
    frames: list[set[int]], given: list[str]
) -> None:
    namings = who(*(f"{face_id} {person}" for face_id, person in enumerate(given) if person))
    found, _ = named(namings, video(*(sorted(frame) for frame in frames)))
    for before, after in zip(frames, found, strict=True):
        assert sorted(x for _, _, x in after) == [100 * face_id for face_id in sorted(before)]
        assert len({face_id for face_id, _, _ in after}) == len(after)
        persons = [person for _, person, _ in after if person]
        assert len(set(persons)) == len(persons)
    for person in ("Anna", "Bo"):
        assert len({face_id for frame in found for face_id, name, _ in frame if name == person}) <= 1


def photos(*faces: Iterable[int]) -> list[TrackedFrame]:
    return [TrackedFrame(FrameTime(f"{at}.jpg", at), tuple(map(face, ids))) for at, ids in enumerate(faces)]


def test_photos_are_named_one_by_one() -> None:
    namings = [*who("1 Anna", photo="0.jpg"), *who("0 Anna", photo="1.jpg")]
    found, problems = named(namings, photos([0, 1], [0, 1]), Kind.PHOTOS)
    assert found == [[(0, "", 0), (1, "Anna", 100)], [(0, "Anna", 0), (1, "", 100)]]
    assert problems == []
    found, (problem,) = named(who("0 Anna", "1 Anna", photo="0.jpg"), photos([0, 1]), Kind.PHOTOS)
    assert found == [[(0, "Anna", 0), (1, "", 100)]]
    assert "seen together in one photo" in problem
    _, (problem,) = named(who("1 Anna", photo="0.jpg"), photos([0]), Kind.PHOTOS)
    assert "line 2: there is no face 1 in 0.jpg." in problem


def place(person: str, seconds: float | None, x: float, face_id: int = 9, photo: str | None = None) -> Naming:
    """A line about a face of 30x40 pixels that is at ``x`` at a time; its number is wrong."""
    where = Anchor(seconds, Box(x, 0, 30, 40))
    return Naming(line(2, photo or "interview.mp4"), photo, face_id, person, "", "", where)


def test_a_face_is_where_its_place_is_whatever_its_number() -> None:
    found, problems = named([place("Bo", 0.1, 102), place("Anna", 0, 0)], video([0, 1], [0, 1], [0]))
    assert found == [[(0, "Anna", 0), (1, "Bo", 100)], [(0, "Anna", 0), (1, "Bo", 100)], [(0, "Anna", 0)]]
    assert problems == []
    found, problems = named([place("Anna", None, 98, photo="1.jpg")], photos([0], [0, 1]), Kind.PHOTOS)
    assert found == [[(0, "", 0)], [(0, "", 0), (1, "Anna", 100)]]
    assert problems == []


def moving(*places: float, seconds: float = 0.5) -> list[TrackedFrame]:
    """One face, at these x, in frames that are so many seconds apart."""
    return [
        TrackedFrame(
            FrameTime("interview.mp4", at, at * seconds, seconds),
            (Face(0, Detection(Box(x, 0, 30, 40), 0.9), np.full(7, 1 / 7, np.float32)),),
        )
        for at, x in enumerate(places)
    ]


def test_between_two_frames_a_face_moves_evenly() -> None:
    for seconds in (0.0, 0.1, 0.25, 0.4, 0.5):
        found, problems = named([place("Anna", seconds, 200 * seconds)], moving(0, 100))
        assert [[name for _, name, _ in frame] for frame in found] == [["Anna"], ["Anna"]]
        assert problems == []


@pytest.mark.parametrize(
    ("naming", "frames"),
    [
        (place("Anna", 0.0, 60), video([0, 1])),  # between two faces
        (place("Anna", 0.25, 100), moving(0, 100)),  # where it is only later
        (place("Anna", 3.0, 0), moving(0, 0)),  # long after the last frame
        (place("Anna", 2.0, 0), moving(0, 0, seconds=4)),  # no frame is near
        (place("Anna", 1.0, 0, photo="2.jpg"), photos([0])),  # another photo
        (place("Anna", None, 50, photo="0.jpg"), photos([0, 1])),
    ],
)
def test_where_no_face_is_nobody_is_found(naming: Naming, frames: list[TrackedFrame]) -> None:
    kind = Kind.PHOTOS if naming.photo else Kind.VIDEO
    found, (problem,) = named([naming], frames, kind)
    assert {name for frame in found for _, name, _ in frame} == {""}
    assert problem.startswith("people.csv line 2: no face is in ")
    assert "so Anna is not found there" in problem


def test_two_names_for_one_face_are_both_refused() -> None:
    found, (problem,) = named([place("Anna", 0, 0), place("Bo", 0.1, 0), *who("1 Cleo")], video([0, 1], [0]))
    assert found == [[(0, "", 0), (1, "Cleo", 100)], [(0, "", 0)]]
    assert "Anna (line 2) and Bo are the same face here, 0 of interview.mp4: neither of them is found" in problem


def test_two_faces_in_one_place_are_not_told_apart() -> None:
    here = [Face(at, Detection(Box(at, 0, 30, 40), 0.9), np.full(7, 1 / 7, np.float32)) for at in (0, 1)]
    frame = TrackedFrame(FrameTime("interview.mp4", 0, 0.0, 0.1), tuple(here))
    found, (problem,) = named([place("Anna", 0, 0)], [frame])
    assert {name for _, name, _ in found[0]} == {""}
    assert "faces 0 and 1 are both in interview.mp4 at 0.000 s, where the line says (x 0, y 0)" in problem


def test_faces_that_no_line_is_about_are_told_where_options_differ() -> None:
    timeline = Timeline.of(video([0, 1, 2], [2]))
    found = name_faces(timeline, "interview.mp4", Kind.VIDEO, [place("Anna", 0, 0)], [place("", 0, 100)])
    (note,) = found.problems
    assert note.severity is Severity.NOTE
    assert "has no line for 1 face (the first is 2), seen for 0.2 s in all" in note.reason
    everybody = [place("", 0, 100), place("", 0, 200)]
    assert name_faces(timeline, "interview.mp4", Kind.VIDEO, [place("Anna", 0, 0)], everybody).problems == ()


def test_videos_without_times_are_named_by_number() -> None:
    frames = [TrackedFrame(FrameTime("interview.mp4", 0), (face(0),))]
    found, problems = named([place("Anna", 0, 0, face_id=0)], frames)
    assert (found, problems) == ([[(0, "Anna", 0)]], [])
