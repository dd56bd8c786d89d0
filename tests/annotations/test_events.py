"""events.csv: what happened when, in the time of each video, and what is refused."""

import re
from pathlib import Path

import pytest

from fer_batch.annotations import events
from fer_batch.errors import UsageError
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Kind, Skipped, Source

FOUND = FoundMedia(
    sources=(
        Source(Kind.VIDEO, "left.mp4", (Path("left.mp4"),), "left.mp4"),
        Source(Kind.VIDEO, "right.mp4", (Path("right.mp4"),), "right.mp4"),
        Source(Kind.PHOTOS, "holiday", (Path("a.jpg"),), "holiday"),
    ),
    skipped=(Skipped("broken.mp4", "The file is empty."),),
    ignored=(),
)


def read(folder: Path, *lines: str, header: str = "file,label,start,stop,offset") -> events.Events:
    path = folder / "events.csv"
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return events.read(path, FOUND)


def spans(found: events.Events, video: str) -> list[tuple[str, float, float]]:
    return [(event.label, event.start, event.stop) for event in found.of(video)]


def test_events_are_sorted_and_those_of_different_labels_may_overlap(tmp_path: Path) -> None:
    found = read(
        tmp_path, "left.mp4,task,5,9", "left.mp4,rest,0,6.5", "left.mp4,task,9,10", header="file,label,start,stop"
    )
    assert spans(found, "left.mp4") == [("rest", 0, 6.5), ("task", 5, 9), ("task", 9, 10)]
    assert spans(found, "right.mp4") == []
    assert found.offset("left.mp4") == 0


def test_a_camera_that_started_later_has_the_clocks_events_earlier(tmp_path: Path) -> None:
    found = read(tmp_path, "right.mp4,,,,12.5", ",task,20,30,", "right.mp4,rest,40,50,12.5", "broken.mp4,x,1,2,")
    assert spans(found, "left.mp4") == [("task", 20, 30)]
    assert spans(found, "right.mp4") == [("task", 7.5, 17.5), ("rest", 27.5, 37.5)]
    assert (found.offset("left.mp4"), found.offset("right.mp4")) == (0, 12.5)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["lft.mp4,task,0,1,"],
            "line 2: there is no video and no photo 'lft.mp4' among the inputs. Did you mean 'left.mp4'?",
        ),
        (["holiday/a.jpg,task,0,1,"], "line 2: 'holiday/a.jpg' is a photo, and events are for videos."),
        (["left.mp4,task,5,1,"], "line 2: stop (1) must come after start (5). Are the two reversed?"),
        (["left.mp4,task,5,5,"], "line 2: stop (5) must come after start (5)."),
        (
            ["left.mp4,task,0:30,0:40,"],
            "line 2: start must be seconds with a decimal point, like 12.5, or hours",
        ),
        (['left.mp4,task,"1,5",2,'], "line 2: start must be seconds with a decimal point"),
        (
            ["left.mp4,task,,2,"],
            "line 2: start must be seconds with a decimal point, like 12.5, or hours",
        ),
        (["left.mp4,,0,1,"], "line 2: label is empty. Write what happens, or take the line out."),
        (["left.mp4,,0,1,5"], "line 2: label is empty."),
        ([",task,0,1,5"], "line 2: an offset is for one video. Name the video in the column file."),
        (["left.mp4,task,0,1,late"], "line 2: offset must be seconds"),
        (
            ["left.mp4,task,0,1,5", "left.mp4,task,2,3,6"],
            "line 3: the offset of left.mp4 is 5 in line 2. Write the same one.",
        ),
        (
            ["left.mp4,task,4,8,", "left.mp4,rest,0,9,", "left.mp4,task,3,5,"],
            "line 4: 'task' overlaps with the one in line 2, in left.mp4.",
        ),
        (["left.mp4,task,4,8,", ",task,3,5,"], "line 3: 'task' overlaps with the one in line 2, in left.mp4."),
    ],
)
def test_every_mistake_ends_the_run_with_its_line_and_what_to_do(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(f"events.csv {message}")):
        read(tmp_path, *lines)
