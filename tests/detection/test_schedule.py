"""The detection schedule: every face is found, and full-frame detections are rare."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from math import hypot
from typing import TypeVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fer_batch.detection import schedule
from fer_batch.types import Box, Detection, FrameTime

FRAME = (3840, 2160)
"""Width and height."""

COUNT = 13
"""Frames from one full-frame detection to the next, at 25 a second."""

Found = TypeVar("Found")

ALWAYS = range(-1, 100)
"""The frame of the full-frame detection before is number -1."""


@dataclass(frozen=True)
class Actor:
    """A face of the simulated world, which moves evenly while it is there."""

    x: float
    y: float
    size: float = 100.0
    across: float = 0.0
    down: float = 0.0
    """Pixels a frame."""
    there: Sequence[int] = ALWAYS
    score: float = 0.9

    def seen_in(self, frame: int) -> Detection | None:
        """As a detector would see it in a frame."""
        if frame not in self.there:
            return None
        box = Box(self.x + frame * self.across, self.y + frame * self.down, self.size, self.size)
        return Detection(box, self.score)


@dataclass
class World:
    """The faces in some frames, and a record of all detections."""

    actors: Sequence[Actor]
    count: int = COUNT
    blind: Callable[[int, Box], bool] = lambda frame, box: False
    """Whether detection in a square around an expected box finds nothing, whatever is there."""
    full_scans: list[int] = field(default_factory=list)
    square_scans: list[int] = field(default_factory=list)

    def truth(self, frame: int) -> list[Detection]:
        """Every face in a frame."""
        return [face for actor in self.actors if (face := actor.seen_in(frame)) is not None]

    def full_frame(self, frame: int) -> schedule.Search:
        assert 0 <= frame < self.count
        self.full_scans.append(frame)
        return search(self.truth(frame))

    def near(self, frame: int, expected: Box) -> Detection | None:
        assert 0 <= frame < self.count
        self.square_scans.append(frame)
        if self.blind(frame, expected):
            return None
        place = schedule.search_square(expected, schedule.SEARCH_SQUARES[0][0], *FRAME)
        shown = (face for face in self.truth(frame) if _shows(place, face.box))
        return schedule.best_match(expected, shown)

    def scan(self) -> list[list[Detection]]:
        """The faces found in every frame after the first full-frame detection."""
        found = result(schedule.detect_between(self.truth(-1), self.count, self.full_frame, self.near))
        assert len(found) == self.count
        return found

    def is_found_in(self, found: Sequence[Sequence[Detection]]) -> bool:
        """Whether exactly what is there is found, in every frame."""
        return all(places(faces) == places(self.truth(frame)) for frame, faces in enumerate(found))


def search(faces: list[Detection]) -> schedule.Search:
    """A search that finds these faces."""
    yield
    return faces


def result(searching: Generator[None, None, list[Found]]) -> list[Found]:
    """What a search returns; meanwhile it says nothing but that it goes on."""
    while True:
        try:
            assert next(searching) is None
        except StopIteration as done:
            return done.value


def _shows(place: schedule.Square, box: Box) -> bool:
    """Whether a square shows the middle of a box."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return place.left <= x < place.left + place.side and place.top <= y < place.top + place.side


def places(faces: Iterable[Detection]) -> list[tuple[float, float]]:
    return sorted((face.box.x, face.box.y) for face in faces)


@pytest.mark.parametrize("count", [1, 2, COUNT])
def test_without_a_face_there_is_one_full_frame_detection_and_no_other(count: int) -> None:
    world = World([], count)
    assert world.scan() == [[]] * count
    assert world.full_scans == [count - 1]
    assert world.square_scans == []


@pytest.mark.parametrize("count", [1, 2, COUNT])
@pytest.mark.parametrize("faces", [1, 2, schedule.CROWD_FACES])
def test_faces_that_stay_cost_one_full_frame_detection_and_a_square_each_a_frame(faces: int, count: int) -> None:
    world = World([Actor(number * 200, 300) for number in range(faces)], count)
    assert world.is_found_in(world.scan())
    assert world.full_scans == [count - 1]
    assert world.square_scans == [frame for frame in range(count) for _ in range(faces)]


@pytest.mark.parametrize(("across", "down"), [(10, 0), (0, -10), (9, 9)])
def test_a_face_that_moves_is_expected_where_it_goes(across: float, down: float) -> None:
    world = World([Actor(500, 500, across=across, down=down)])
    assert world.is_found_in(world.scan())
    assert world.full_scans == [COUNT - 1]


def test_a_face_is_expected_on_the_line_between_its_places_in_two_full_frame_detections() -> None:
    asked: list[tuple[int, float]] = []

    def near(frame: int, expected: Box) -> Detection:
        asked.append((frame, expected.x))
        return Detection(expected, 0.9)

    before, after = (Detection(Box(x, 0, 40, 40), 0.9) for x in (0, 50))
    found = result(schedule.detect_between([before], 5, lambda _: search([after]), near))
    assert asked == [(0, 10), (1, 20), (2, 30), (3, 40), (4, 50)]
    assert [faces[0].box.x for faces in found] == pytest.approx([10, 20, 30, 40, 50])


def test_a_face_has_the_box_that_squares_give_also_where_the_full_frame_is_searched() -> None:
    """Full frames see it smaller and lower than squares, which see it the larger, the larger they are."""
    stands, seen = Box(100, 100, 50, 50), Detection(Box(102, 104, 45, 45), 0.8)
    asked: list[int] = []

    def near(frame: int, expected: Box) -> Detection:
        asked.append(frame)
        size = stands.width + (expected.width - stands.width) / 4
        return Detection(Box(125 - size / 2, 125 - size / 2, size, size), 0.9)

    (alone,) = result(schedule.settled([seen], partial(near, -1)))
    assert asked == [-1, -1]
    known = [alone]
    for _ in range(3):
        found = result(schedule.detect_between(known, COUNT, lambda _: search([seen]), near))
        known = found[-1]
        for (face,) in found:
            assert face.box.x == pytest.approx(100, abs=0.2)
            assert face.box.height == pytest.approx(50, abs=0.4)
            assert face.confidence == 0.9
    assert asked == [-1, -1, *3 * [*range(COUNT)]]


@pytest.mark.parametrize(
    "found",
    [None, Detection(Box(100, 100, 50, 50), schedule.CONFIDENT_SCORE - 0.1), Detection(Box(130, 100, 50, 50), 0.9)],
)
def test_a_face_that_no_square_surely_shows_keeps_the_box_of_the_full_frame(found: Detection | None) -> None:
    seen = Detection(Box(100, 100, 50, 50), 0.6)
    assert result(schedule.settled([seen], lambda _: found)) == [seen]


@pytest.mark.parametrize("first", range(1, COUNT))
def test_a_face_that_enters_is_found_from_its_first_frame_on(first: int) -> None:
    world = World([Actor(500, 500, across=5, there=range(first, COUNT)), Actor(900, 500)])
    assert world.is_found_in(world.scan())
    assert world.full_scans == [COUNT - 1]


@pytest.mark.parametrize("last", range(COUNT - 1))
def test_a_face_that_leaves_is_followed_until_then_and_costs_one_full_frame_detection(last: int) -> None:
    world = World([Actor(500, 500, across=5, there=range(-1, last + 1)), Actor(900, 500)])
    assert world.is_found_in(world.scan())
    assert sorted(world.full_scans) == sorted({last + 1, COUNT - 1})


def test_a_face_of_low_score_that_leaves_costs_no_full_frame_detection() -> None:
    weak = Actor(500, 500, there=range(-1, 5), score=schedule.CONFIDENT_SCORE - 0.1)
    world = World([weak, Actor(900, 500)])
    assert world.is_found_in(world.scan())
    assert world.full_scans == [COUNT - 1]


def test_a_face_of_just_the_confident_score_costs_one() -> None:
    world = World([Actor(500, 500, there=range(-1, 5), score=schedule.CONFIDENT_SCORE)])
    assert world.is_found_in(world.scan())
    assert sorted(world.full_scans) == [5, COUNT - 1]


@pytest.mark.parametrize("score", [schedule.CONFIDENT_SCORE - 0.1, 0.9])
def test_a_face_that_is_hidden_for_a_while_is_found_on_either_side(score: float) -> None:
    there = [*range(-1, 4), *range(8, COUNT)]
    world = World([Actor(500, 500, there=there, score=score)])
    assert world.is_found_in(world.scan())


def test_a_face_that_squares_do_not_show_for_a_while_is_found_by_full_frame_detection() -> None:
    world = World([Actor(500, 500, across=3)], blind=lambda frame, _: 4 <= frame < 7)
    assert world.is_found_in(world.scan())
    assert sorted(world.full_scans) == [4, 5, 6, COUNT - 1]


def test_one_face_that_enters_while_another_leaves_is_another() -> None:
    world = World([Actor(500, 500, there=range(-1, 6)), Actor(900, 500, there=range(4, COUNT))])
    assert world.is_found_in(world.scan())


@pytest.mark.parametrize("apart", [-190, -120, -75, -55, 55, 60, 75, 90, 105, 120, 150, 190])
@pytest.mark.parametrize("first", [0, 1, 4, COUNT - 2, COUNT - 1])
@pytest.mark.parametrize("last", [0, 4, COUNT - 3, COUNT - 2])
def test_a_face_that_enters_close_to_one_that_leaves_is_not_taken_for_it(apart: float, first: int, last: int) -> None:
    leaving = Actor(500, 500, there=range(-1, last + 1))
    entering = Actor(500 + apart, 500, there=range(first, COUNT))
    world = World([leaving, entering])
    assert world.is_found_in(world.scan())


@pytest.mark.parametrize("apart", [0, 40, 70])
def test_two_faces_that_cross_are_both_found_wherever_they_can_be_told_apart(apart: float) -> None:
    left = Actor(500, 500, across=15)
    right = Actor(500 + 15 * COUNT, 500 + apart, across=-15)
    world = World([left, right])
    for frame, faces in enumerate(world.scan()):
        first, second = world.truth(frame)
        expected = 1 if first.box.overlap(second.box) > schedule.DUPLICATE_OVERLAP else 2
        assert len(faces) >= expected, frame
        assert set(places(faces)) <= set(places([first, second]))


def test_two_faces_that_stand_close_keep_apart() -> None:
    close = (
        100 * (1 - schedule.DUPLICATE_OVERLAP) / (1 + schedule.DUPLICATE_OVERLAP)
    )  # so that they overlap by SAME_FACE
    world = World([Actor(500, 500), Actor(500 + close + 1, 500)])
    assert world.is_found_in(world.scan())


def test_of_overlapping_faces_from_two_squares_the_most_confident_is_kept() -> None:
    faces = [Detection(Box(x, 0, 40, 40), score) for x, score in ((0, 0.6), (40, 0.8))]

    def near(frame: int, expected: Box) -> Detection:
        return Detection(Box(20, 0, 40, 40), 0.7 if expected.x > 30 else 0.5)

    found = result(schedule.detect_between(faces, 2, lambda _: search(faces), near))
    assert [(face.box.x, face.confidence) for face in found[0]] == [(20, 0.7)]


@pytest.mark.parametrize("crowd", [ALWAYS, range(-1, 0), range(COUNT - 1, COUNT)])
def test_with_a_crowd_at_either_end_every_frame_gets_a_full_frame_detection(crowd: range) -> None:
    world = World([Actor(number * 150, 300, there=crowd) for number in range(schedule.CROWD_FACES + 1)])
    assert world.is_found_in(world.scan())
    assert sorted(world.full_scans) == list(range(COUNT))
    assert world.square_scans == []


@st.composite
def worlds(draw: st.DrawFn, across: int = 3000, down: int = 1300) -> World:
    """Up to four faces that come, go and move evenly by up to a tenth of their size a frame."""
    sizes = st.floats(30, 200)
    speeds = st.floats(-0.1, 0.1)
    scores = st.sampled_from([schedule.CONFIDENT_SCORE - 0.15, schedule.CONFIDENT_SCORE, 0.9])
    actors = []
    count = draw(st.integers(1, 20))
    for _ in range(draw(st.integers(0, 4))):
        size = draw(sizes)
        first = draw(st.integers(-1, count - 1))
        last = count - 1 if first > -1 else draw(st.integers(first, count - 1))
        actors.append(
            Actor(
                draw(st.floats(400, 400 + across)),
                draw(st.floats(400, 400 + down)),
                size,
                draw(speeds) * size,
                draw(speeds) * size,
                range(first, last + 1),
                draw(scores),
            )
        )
    return World(actors, count)


def overlaps(faces: Sequence[Detection]) -> Iterable[float]:
    return (face.box.overlap(other.box) for index, face in enumerate(faces) for other in faces[:index])


def keep_their_distance(world: World) -> bool:
    """Whether no face comes so near to where another is, was or will be that it could be taken for it."""
    everywhere = [
        [replace(actor, there=ALWAYS).seen_in(frame) for frame in range(-1, world.count)] for actor in world.actors
    ]
    return all(
        hypot(early.box.x - late.box.x, early.box.y - late.box.y)
        > 2 * schedule.MAX_MOVE_IN_FACE_SIZES * max(early.box.width, late.box.width)
        for path, other_path in combinations(everywhere, 2)
        for early in path
        for late in other_path
    )


@given(worlds().filter(keep_their_distance))
def test_whatever_is_there_at_one_end_is_found_in_every_frame_and_nothing_else(world: World) -> None:
    assert world.is_found_in(world.scan())


@given(worlds(across=600, down=300))
def test_faces_that_are_there_all_the_time_are_all_found_unless_they_touch(world: World) -> None:
    world.actors = [replace(actor, there=ALWAYS) for actor in world.actors]
    assume(not any(overlap for frame in range(-1, world.count) for overlap in overlaps(world.truth(frame))))
    assert world.is_found_in(world.scan())


@given(worlds(across=600, down=300))
def test_what_is_found_is_there_and_no_two_faces_of_a_frame_are_one(world: World) -> None:
    assume(
        all(
            max(overlaps(world.truth(frame)), default=0) <= schedule.DUPLICATE_OVERLAP
            for frame in range(-1, world.count)
        )
    )
    found = world.scan()
    assert found[-1] == world.truth(world.count - 1)
    for frame, faces in enumerate(found):
        assert set(places(faces)) <= set(places(world.truth(frame)))
        assert max(overlaps(faces), default=0) <= schedule.DUPLICATE_OVERLAP


@given(worlds())
def test_no_frame_gets_two_full_frame_detections(world: World) -> None:
    world.scan()
    assert len(set(world.full_scans)) == len(world.full_scans)
    assert world.full_scans[0] == world.count - 1


boxes = st.builds(Box, *(st.floats(-200, 4000) for _ in "xy"), *(st.floats(0.5, 400) for _ in "wh"))


@given(boxes, st.sampled_from([scale for scale, _ in schedule.SEARCH_SQUARES]))
def test_a_square_is_so_much_larger_than_its_face_and_around_it_where_the_frame_allows(box: Box, scale: float) -> None:
    place = schedule.search_square(box, scale, *FRAME)
    assert place.side == max(1, round(scale * max(box.width, box.height)))
    for begin, middle, end in (
        (place.left, box.x + box.width / 2, FRAME[0]),
        (place.top, box.y + box.height / 2, FRAME[1]),
    ):
        assert begin >= 0
        assert begin + place.side <= max(end, place.side)
        if place.side / 2 + 1 < middle < end - place.side / 2 - 1:
            assert abs(begin + place.side / 2 - middle) <= 0.5


def test_of_the_faces_in_a_square_the_one_nearest_to_the_expected_box_is_the_best_match() -> None:
    expected = Box(100, 100, 50, 50)
    near, nearer, far = (Detection(Box(x, 100, 50, 50), score) for x, score in ((120, 0.9), (90, 0.4), (150, 1.0)))
    assert schedule.best_match(expected, [near, nearer, far]) is nearer
    assert schedule.best_match(expected, iter([far])) is None
    assert schedule.best_match(expected, []) is None


def time(seconds: float | None) -> FrameTime:
    return FrameTime("video", 0, seconds)


SMALL = 640 * 480


@pytest.mark.parametrize("rate", [5, 24, 25, 29.97, 60])
def test_a_full_frame_detection_is_due_half_a_second_after_the_last(rate: float) -> None:
    last = time(3.0)
    first = next(n for n in range(1, 100) if schedule.full_frame_due(last, time(3.0 + n / rate), n, SMALL, None))
    assert schedule.FULL_SCAN_SECONDS <= first / rate < schedule.FULL_SCAN_SECONDS + 1 / rate


@pytest.mark.parametrize("every", [1, 2, 7])
def test_the_user_may_ask_for_full_frame_detection_more_often(every: int) -> None:
    for last, later in ((time(1.0), time(1.001)), (time(None), time(None))):
        assert not any(schedule.full_frame_due(last, later, waiting, SMALL, every) for waiting in range(1, every))
        assert schedule.full_frame_due(last, later, every, SMALL, every)


def test_the_user_may_not_ask_for_it_more_rarely() -> None:
    assert schedule.full_frame_due(time(1.0), time(1.0 + schedule.FULL_SCAN_SECONDS), 2, SMALL, 10_000)
    assert schedule.full_frame_due(time(None), time(None), schedule.FULL_SCAN_FRAMES, SMALL, 10_000)


def test_frames_without_times_are_counted() -> None:
    for last, later in ((time(None), time(None)), (time(0.0), time(None)), (time(None), time(9.0))):
        assert not schedule.full_frame_due(last, later, schedule.FULL_SCAN_FRAMES - 1, SMALL, None)
        assert schedule.full_frame_due(last, later, schedule.FULL_SCAN_FRAMES, SMALL, None)


@pytest.mark.parametrize("every", [None, 10_000])
@pytest.mark.parametrize("seconds", [None, 0.001])
def test_no_more_pixels_wait_than_memory_is_meant_to_hold(seconds: float | None, every: int | None) -> None:
    pixels = schedule.MAX_WAITING_PIXELS // 4
    last, later = time(0.0 if seconds else None), time(seconds)
    assert [schedule.full_frame_due(last, later, waiting, pixels, every) for waiting in range(1, 5)] == [False] * 3 + [
        True
    ]
    assert schedule.full_frame_due(last, later, 1, 2 * schedule.MAX_WAITING_PIXELS, every)
