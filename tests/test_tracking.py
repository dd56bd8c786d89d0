"""Who is the same face from frame to frame."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.tracking import GAP_FRAMES, arrange, track
from fer_batch.types import Box, Detection, Glimpse, Moment, Reading

FPS = 10
SCENE = np.zeros((8, 8), np.uint8)


def glimpse(number: int, boxes: Sequence[Box], seconds: float | None) -> Glimpse:
    """A frame whose faces' shares tell which box they belong to."""
    shares = np.zeros((len(boxes), 2, 7), np.float32)
    for at, box in enumerate(boxes):
        shares[at] = [[box.x] * 7, [-box.x] * 7]
    moment = Moment("film", number, seconds, 1 / FPS)
    return Glimpse(moment, SCENE, tuple(Detection(box, 0.9) for box in boxes), shares)


def film(*frames: Sequence[Box], timed: bool = True) -> list[Glimpse]:
    return [glimpse(number, boxes, number / FPS if timed else None) for number, boxes in enumerate(frames)]


def ids(readings: Sequence[Reading]) -> list[dict[Box, int]]:
    """What each frame's boxes are called."""
    return [{face.detection.box: face.face_id for face in reading.faces} for reading in readings]


def plain(readings: Sequence[Reading]) -> list[tuple[Moment, list[tuple[int, Detection, list[float]]]]]:
    """Readings as values that can be compared."""
    return [
        (one.moment, [(face.face_id, face.detection, face.shares.tolist()) for face in one.faces]) for one in readings
    ]


def at(x: float, y: float = 0.0, side: float = 100.0) -> Box:
    return Box(x, y, side, side)


def test_steady_faces_keep_their_numbers_while_they_drift() -> None:
    frames = [[at(3 * number), at(500 - 3 * number, 200)] for number in range(60)]
    assert ids(list(track(film(*frames), 0))) == [{left: 0, right: 1} for left, right in frames]


def test_faces_that_cross_keep_their_numbers() -> None:
    frames = [[at(10 * number), at(300 - 10 * number, 55)] for number in range(31)]
    assert ids(list(track(film(*frames), 0))) == [{one: 0, other: 1} for one, other in frames]


def test_of_two_faces_the_one_that_overlaps_most_goes_on_and_the_other_begins_anew() -> None:
    first, second = ids(list(track(film([at(0)], [at(30), at(-10)]), 0)))
    assert first == {at(0): 0}
    assert second == {at(-10): 0, at(30): 1}


def test_of_two_tracks_the_one_that_overlaps_most_goes_on_and_the_other_waits() -> None:
    found = ids(list(track(film([at(0), at(60)], [at(40)], [at(0), at(60)]), 0)))
    assert found == [{at(0): 0, at(60): 1}, {at(40): 1}, {at(0): 0, at(60): 1}]


def test_a_face_elsewhere_is_another_one() -> None:
    assert ids(list(track(film([at(0)], [at(60)]), 0))) == [{at(0): 0}, {at(60): 1}]


@pytest.mark.parametrize(("seconds", "face_id"), [(0.5, 0), (0.99, 0), (1.01, 1), (60.0, 1)])
def test_a_face_that_was_away_for_up_to_a_second_is_the_same_one(seconds: float, face_id: int) -> None:
    glimpses = [glimpse(0, [at(0)], 0.0), glimpse(1, [], 0.25), glimpse(2, [at(0)], seconds)]
    *_, last = ids(list(track(glimpses, 0)))
    assert last == {at(0): face_id}


@pytest.mark.parametrize(("frames", "face_id"), [(1, 0), (GAP_FRAMES, 0), (GAP_FRAMES + 1, 1)])
def test_without_times_frames_are_counted(frames: int, face_id: int) -> None:
    glimpses = [glimpse(0, [at(0)], None), glimpse(frames, [at(0)], None)]
    assert ids(list(track(glimpses, 0)))[-1] == {at(0): face_id}


def test_numbers_follow_the_first_appearance_and_are_never_used_again() -> None:
    gone: list[list[Box]] = [[]] * 2 * FPS
    frames = [[at(600)], [at(600), at(0)], *gone, [at(0)], [at(0), at(600)]]
    found = [one for one in ids(list(track(film(*frames), 0))) if one]
    assert found == [{at(600): 0}, {at(600): 0, at(0): 1}, {at(0): 2}, {at(0): 2, at(600): 3}]


@pytest.mark.parametrize("timed", [True, False])
def test_every_frame_is_kept_in_order_with_or_without_a_face(timed: bool) -> None:
    glimpses = film([], [at(0)], [], [], [at(0)], [], timed=timed)
    readings = list(track(glimpses, 0))
    assert [reading.moment for reading in readings] == [glimpse.moment for glimpse in glimpses]
    assert [len(reading.faces) for reading in readings] == [0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("link", [track, arrange])
@pytest.mark.parametrize(("view", "sign"), [(0, 1), (1, -1)])
def test_each_face_has_the_shares_of_the_chosen_view(link: type, view: int, sign: int) -> None:
    readings = link(film([at(7), at(300)], [at(300), at(7)]), view)
    for reading in readings:
        assert len(reading.faces) == 2
        for face in reading.faces:
            assert face.shares.tolist() == [sign * face.detection.box.x] * 7


@st.composite
def people(draw: st.DrawFn) -> list[list[tuple[int, Box]]]:
    """Frames of up to four people who move a little, never near another, and are away for less than a second."""
    count = draw(st.integers(1, 4))
    frames = []
    for _ in range(draw(st.integers(1, 9))):
        present = [person for person in range(count) if draw(st.booleans())]
        moved = [
            (person, at(300 * person + draw(st.integers(-10, 10)), draw(st.integers(-10, 10)))) for person in present
        ]
        frames.append(draw(st.permutations(moved)))
    return frames


@settings(deadline=None)
@given(people())
def test_people_apart_from_each_other_are_told_apart_in_whatever_order_they_are_detected(
    frames: list[list[tuple[int, Box]]],
) -> None:
    found = ids(list(track(film(*[[box for _, box in frame] for frame in frames]), 0)))
    called = defaultdict(set)
    appeared: list[int] = []
    for frame, names in zip(frames, found, strict=True):
        assert len(names) == len(frame)
        for person, box in frame:
            called[person].add(names[box])
            appeared += [] if person in appeared else [person]
    assert all(len(names) == 1 for names in called.values())
    assert [called[person] for person in appeared] == [{number} for number in range(len(appeared))]


@settings(deadline=None)
@given(frames=people(), data=st.data())
def test_the_order_of_detections_changes_nothing_for_faces_that_are_known(
    frames: list[list[tuple[int, Box]]], data: st.DataObject
) -> None:
    everybody = [at(300 * person) for person in range(4)]
    boxes = [[box for _, box in frame] for frame in frames]
    shuffled = [data.draw(st.permutations(frame)) for frame in boxes]
    before = track(film(everybody, *boxes), 0)
    after = track(film(everybody, *shuffled), 0)
    assert plain(list(after)) == plain(list(before))


def test_faces_of_a_photograph_are_numbered_from_the_left_by_their_middle() -> None:
    wide = Box(0, 0, 400, 100)
    (reading,) = arrange(film([at(300), wide, at(10)], timed=False), 0)
    assert [(face.face_id, face.detection.box) for face in reading.faces] == [(0, at(10)), (1, wide), (2, at(300))]


def test_photographs_know_nothing_of_each_other() -> None:
    glimpses = film([at(0)], [], [at(0), at(300)], [at(300)], timed=False)
    readings = list(arrange(glimpses, 0))
    assert ids(readings) == [{at(0): 0}, {}, {at(0): 0, at(300): 1}, {at(300): 0}]
    assert [reading.moment for reading in readings] == [glimpse.moment for glimpse in glimpses]


@settings(deadline=None)
@given(st.permutations([at(0), at(0, 150), at(120), at(250, -40), at(900)]))
def test_the_order_of_detections_changes_nothing_in_a_photograph(boxes: list[Box]) -> None:
    (reading,) = arrange(film(boxes, timed=False), 0)
    assert [face.detection.box for face in reading.faces] == [
        at(0), at(0, 150), at(120), at(250, -40), at(900),
    ]  # fmt: skip


def test_a_face_that_is_there_at_every_look_keeps_its_number_however_rare_the_looks() -> None:
    detection = Detection(Box(0, 0, 99, 99), 0.9)
    shares = np.zeros((1, 2, 7), np.float32)
    looks = [Glimpse(Moment("film", at, 5.0 * at, 5.0), SCENE, (detection,), shares) for at in range(3)]
    assert [reading.faces[0].face_id for reading in track(looks, 0)] == [0, 0, 0]
