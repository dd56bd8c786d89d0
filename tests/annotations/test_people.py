"""people.csv: who is who, what joins, and what is reported where that does not fit."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.annotations import people
from fer_batch.annotations.people import FaceNames
from fer_batch.errors import UsageError
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Box, Detection, Face, FrameTime, Kind, Skipped, Source, TrackedFrame

FOUND = FoundMedia(
    sources=(
        Source(Kind.VIDEO, "interview.mp4", (Path("interview.mp4"),), "interview.mp4"),
        Source(Kind.VIDEO, "sub/Caf\u00e9.mp4", (Path("Caf\u00e9.mp4"),), "x"),
        Source(Kind.PHOTOS, "holiday", (Path("a.jpg"), Path("b.jpg")), "holiday"),
        Source(Kind.PHOTOS, "work", (Path("b.jpg"), Path("c.jpg")), "work"),
    ),
    skipped=(Skipped("broken.mp4", "The file is empty."),),
    ignored=(),
)


def read(folder: Path, *lines: str, header: str = "file,face_id,person,role,group") -> people.People:
    path = folder / "people.csv"
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return people.read(path, FOUND)


def video(*frames: Iterable[int]) -> list[TrackedFrame]:
    """A tracked frame for each entry, 0.1 s apart, with faces of these ids."""
    return [
        TrackedFrame(FrameTime("interview.mp4", number, number / 10, 0.1), tuple(map(face, ids)))
        for number, ids in enumerate(frames)
    ]


def face(face_id: int) -> Face:
    return Face(face_id, Detection(Box(face_id, 0, 30, 40), 0.9), np.full(7, 1 / 7, np.float32))


def named(
    names: FaceNames, tracked_frames: list[TrackedFrame], kind: Kind = Kind.VIDEO
) -> list[list[tuple[int, str, float]]]:
    """face_id, person and where it is, of every face of every frame."""
    given = names.name_faces(tracked_frames, kind)
    return [[(face.face_id, face.person, face.detection.box.x) for face in tracked.faces] for tracked in given]


def test_tracks_of_one_name_are_joined_under_the_first_ones_number(tmp_path: Path) -> None:
    names = read(tmp_path, "interview.mp4,2,Anna,,", "interview.mp4,0,Anna,,", "interview.mp4,3,Bo,,").of(
        "interview.mp4"
    )
    found = named(names, video([0, 1], [1], [1, 2], [2, 3], [3]))
    assert found == [
        [(0, "Anna", 0), (1, "", 1)],
        [(1, "", 1)],
        [(0, "Anna", 2), (1, "", 1)],
        [(0, "Anna", 2), (3, "Bo", 3)],
        [(3, "Bo", 3)],
    ]
    assert names.problems() == []


def test_a_face_that_is_not_there_is_reported_with_its_line(tmp_path: Path) -> None:
    names = read(tmp_path, "interview.mp4,0,Anna,,", "interview.mp4,7,Anna,,").of("interview.mp4")
    named(names, video([0]))
    ((file, reason, kept),) = ((problem.file, problem.reason, problem.rows_kept) for problem in names.problems())
    assert (file, kept) == ("interview.mp4", True)
    assert reason.startswith("people.csv line 3: there is no face 7 in interview.mp4. Correct face_id, or")


def test_one_person_cannot_be_two_faces_of_one_frame(tmp_path: Path) -> None:
    names = read(tmp_path, "interview.mp4,0,Anna,,", "interview.mp4,1,Anna,,").of("interview.mp4")
    found = named(names, video([0], [0, 1], [0, 1], [1]))
    assert found == [[(0, "Anna", 0)], [(0, "Anna", 0), (1, "", 1)], [(0, "Anna", 0), (1, "", 1)], [(0, "Anna", 1)]]
    (problem,) = names.problems()
    assert (
        "people.csv line 3: faces 0 and 1 are both named Anna and are seen together in 2 frames, first at 0.100 s"
        in problem.reason
    )


@given(
    st.lists(st.sets(st.integers(0, 5)), max_size=12),
    st.lists(st.sampled_from(["", "Anna", "Bo"]), min_size=6, max_size=6),
)
def test_whatever_is_named_no_face_is_lost_and_none_is_twice_in_a_frame(
    frames: list[set[int]], given: list[str]
) -> None:
    lines = [
        people.Naming(people.Line("people.csv", face_id + 2, {"file": "interview.mp4"}), None, face_id, person, "", "")
        for face_id, person in enumerate(given)
        if person
    ]
    tracked_frames = video(*(sorted(frame) for frame in frames))
    found = named(FaceNames("interview.mp4", lines), tracked_frames)
    for before, after in zip(tracked_frames, found, strict=True):
        assert sorted(x for _, _, x in after) == [face.detection.box.x for face in before.faces]
        assert len({face_id for face_id, _, _ in after}) == len(after)
        persons = [person for _, person, _ in after if person]
        assert len(set(persons)) == len(persons)
    for person in ("Anna", "Bo"):
        assert len({face_id for frame in found for face_id, name, _ in frame if name == person}) <= 1


def test_photos_are_named_one_by_one(tmp_path: Path) -> None:
    lines = ["a.jpg,1,Anna,,before", "holiday/b.jpg,0,Anna,,after", "work/b.jpg,0,Bo,,"]
    everybody = read(tmp_path, *lines)
    names = everybody.of("holiday")
    tracked_frames = [
        TrackedFrame(FrameTime(file, number), (face(0), face(1))) for number, file in enumerate(("a.jpg", "b.jpg"))
    ]
    assert named(names, tracked_frames, Kind.PHOTOS) == [[(0, "", 0), (1, "Anna", 1)], [(0, "Anna", 0), (1, "", 1)]]
    assert names.problems() == []
    assert (everybody.persons, everybody.groups) == ({"Anna", "Bo"}, {"before", "after"})
    named(everybody.of("work"), [], Kind.PHOTOS)
    twice = read(tmp_path, "a.jpg,0,Anna,,", "a.jpg,1,Anna,,").of("holiday")
    assert named(twice, tracked_frames, Kind.PHOTOS)[0] == [(0, "Anna", 0), (1, "", 1)]
    assert "seen together in one photo" in twice.problems()[0].reason


def test_a_photo_without_the_face_is_reported(tmp_path: Path) -> None:
    names = read(tmp_path, "a.jpg,1,Anna,,").of("holiday")
    named(names, [TrackedFrame(FrameTime("a.jpg", 0), (face(0),))], Kind.PHOTOS)
    assert "line 2: there is no face 1 in a.jpg." in names.problems()[0].reason


def test_role_and_group_may_be_left_out_and_accents_may_be_written_either_way(tmp_path: Path) -> None:
    everybody = read(tmp_path, "sub/Cafe\u0301.mp4,0, Zo\u00eb ", header="file,face_id,person")
    (naming,) = everybody.of("sub/Caf\u00e9.mp4").namings
    assert (naming.person, naming.role, naming.group) == ("Zo\u00eb", "", "")


def test_a_file_that_cannot_be_read_anyway_is_no_mistake(tmp_path: Path) -> None:
    assert read(tmp_path, "broken.mp4,0,Anna,,").persons == set()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["intervew.mp4,0,Anna,,"],
            "line 2: there is no video and no photo 'intervew.mp4' among the inputs. Did you mean 'interview.mp4'?",
        ),
        (
            ["interview.mp4,0,Anna,,", "x.avi,0,Bo,,"],
            "line 3: there is no video and no photo 'x.avi' among the inputs. Correct the name",
        ),
        (["b.jpg,0,Anna,,"], "line 2: 'b.jpg' may be one of 2 files. Write its folder too, as in 'holiday/b.jpg'."),
        (
            ["holiday,0,Anna,,"],
            "line 2: 'holiday' is a folder of photos. Name the photo too, as in 'holiday/a.jpg'.",
        ),
        (
            ["interview.mp4,first,Anna,,"],
            "line 2: face_id must be a whole number from 0, as in the timeline's column face_id; got 'first'.",
        ),
        (["interview.mp4,-1,Anna,,"], "line 2: face_id must be"),
        (["interview.mp4,1.5,Anna,,"], "line 2: face_id must be"),
        (["interview.mp4,,Anna,,"], "line 2: face_id must be"),
        (["interview.mp4,0,,guest,"], "line 2: person is empty. Write a name, or take the line out."),
        (
            ["interview.mp4,0,Anna,,", "interview.mp4,0,Bo,,"],
            "line 3: face 0 of interview.mp4 has a name already, in line 2.",
        ),
        (
            ["interview.mp4,0,Anna,,a", "interview.mp4,1,Anna,,b"],
            "line 3: Anna has another role or group than in line 2",
        ),
        (
            ["interview.mp4,0,Anna,guest,", "interview.mp4,1,Anna,host,"],
            "line 3: Anna has another role or group than in line 2",
        ),
        (["broken.mp4,x,Anna,,"], "line 2: face_id must be"),
    ],
)
def test_every_mistake_ends_the_run_with_its_line_and_what_to_do(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(f"people.csv {message}")):
        read(tmp_path, *lines)


def test_a_person_may_change_role_and_group_from_video_to_video(tmp_path: Path) -> None:
    found = read(tmp_path, "interview.mp4,0,Anna,guest,before", "sub/Caf\u00e9.mp4,0,Anna,host,after")
    anna = [found.of(source).by_person["Anna"] for source in ("interview.mp4", "sub/Caf\u00e9.mp4")]
    assert [(naming.role, naming.group) for naming in anna] == [("guest", "before"), ("host", "after")]
