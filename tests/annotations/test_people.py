"""people.csv: how it is read, and every mistake in it."""

import re
from pathlib import Path

import pytest

from fer_batch.annotations import people
from fer_batch.errors import UsageError
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Box, Kind, Skipped, Source

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


def test_role_and_group_may_be_left_out_and_accents_may_be_written_either_way(tmp_path: Path) -> None:
    everybody = read(tmp_path, "sub/Cafe\u0301.mp4,0, Zo\u00eb ", header="file,face_id,person")
    (naming,) = everybody.of("sub/Caf\u00e9.mp4")
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
    anna = [found.of(source)[0] for source in ("interview.mp4", "sub/Caf\u00e9.mp4")]
    assert [(naming.role, naming.group) for naming in anna] == [("guest", "before"), ("host", "after")]


ANCHORED = "file,face_id,person,role,group,time,x,y,width,height,made_with"


def test_lines_may_say_where_a_face_is(tmp_path: Path) -> None:
    lines = [
        "interview.mp4,0,Anna,,,12.5,10,20,30,40,fps=10",
        "interview.mp4,1,,,,0:00:01.5,1,2,3,4,fps=10",
        "holiday/a.jpg,0,Bo,,,,10.0,20,30,40,fps=10",
        "interview.mp4,2,Cleo,,,,,,,,",
        "elsewhere.mp4,0,,,,1,1,2,3,4,fps=10",
    ]
    found = read(tmp_path, *lines, header=ANCHORED)
    anna, cleo = found.of("interview.mp4")
    assert anna.anchor == people.Anchor(12.5, Box(10, 20, 30, 40))
    assert cleo.anchor is None
    assert found.of("holiday")[0].anchor == people.Anchor(None, Box(10, 20, 30, 40))
    assert [naming.anchor for naming in found.empty["interview.mp4"]] == [people.Anchor(1.5, Box(1, 2, 3, 4))]
    assert found.made_with == {"fps=10"}
    assert found.persons == {"Anna", "Bo", "Cleo"}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("1,10,20,30,", "height is empty. Write all of time, x, y, width, height, or none of them."),
        ("1,10,20,30,high", "height must be a number; got 'high'."),
        ("soon,10,20,30,40", "time must be seconds"),
    ],
)
def test_half_a_place_is_refused(tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"people.csv line 2: {message}")):
        read(tmp_path, f"interview.mp4,0,Anna,,,{place},", header=ANCHORED)
