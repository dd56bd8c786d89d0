"""What is to be hidden: in gaps, before the first trace and after the last one, of faces that move."""

from hypothesis import given
from hypothesis import strategies as st

from fer_batch.drawing.hiding import (
    EVIDENCE,
    GAP_SECONDS,
    GOES_ON_SECONDS,
    LEAST_SCORE,
    MARGIN_SECONDS,
    REACH_A_SECOND,
    SURE_SCORE,
    hidden,
)
from fer_batch.types import Box, Detection

FPS = 25


def seconds(count: int) -> list[float]:
    return [number / FPS for number in range(count)]


def face(x: float, y: float = 100, size: float = 60, score: float = 0.8) -> Detection:
    return Detection(Box(x, y, 0.75 * size, size), score)


def covers(places: list[Box], one: Box) -> bool:
    return any(
        box.x <= one.x
        and box.y <= one.y
        and box.x + box.width >= one.x + one.width
        and box.y + box.height >= one.y + one.height
        for box in places
    )


@given(
    speed=st.floats(-300, 300),
    seen=st.lists(st.integers(0, 99), min_size=1, max_size=60, unique=True).map(sorted),
)
def test_a_face_that_goes_straight_on_is_hidden_between_its_traces_and_for_a_while_after(
    speed: float, seen: list[int]
) -> None:
    found = [[face(300 + speed * number / FPS)] if number in seen else [] for number in range(100)]
    places = hidden(found, seconds(100))
    for number in range(100):
        truth = face(300 + speed * number / FPS).box
        before = [at for at in seen if at <= number]
        after = [at for at in seen if at >= number]
        bridged = before and after and (after[0] - before[-1]) / FPS <= GAP_SECONDS and len(seen) > 1
        slow = abs(speed) <= 60 * REACH_A_SECOND  # a face of 60 pixels: however long the gap, it is the same one
        if number in seen or (bridged and slow):
            assert covers(places[number], truth)


def test_a_face_that_stops_or_goes_on_is_hidden_before_and_after() -> None:
    found = [[face(200 + 4 * number)] if 90 <= number < 110 else [] for number in range(200)]
    places = hidden(found, seconds(200))
    margin, on = int(MARGIN_SECONDS * FPS), int(GOES_ON_SECONDS * FPS)
    for away in range(1, margin):
        for number, last in ((109 + away, 109), (90 - away, 90)):
            assert covers(places[number], face(200 + 4 * last).box)
            assert away > on or covers(places[number], face(200 + 4 * number).box)
    assert places[109 + margin + 2] == []
    assert places[90 - margin - 2] == []


def test_a_face_that_is_not_found_for_a_while_is_hidden_all_the_time() -> None:
    gap = int(GAP_SECONDS * FPS) - 1
    found = [[face(200)], *[[]] * gap, [face(220)]]
    for places in hidden(found, seconds(len(found))):
        assert any(box.x <= 220 and box.x + box.width >= 200 + 0.75 * 60 for box in places)


def test_a_trace_goes_to_the_face_that_is_near_not_to_one_that_was_lost_long_ago() -> None:
    """A lost face may be far from where it was; it must not take away the weak traces of another one."""
    found = [[face(100, score=0.2), face(260)] if number < 2 else [face(100, score=0.2)] for number in range(60)]
    places = hidden(found, seconds(60))
    assert all(covers(here, face(100).box) for here in places)


def test_weak_traces_count_if_they_are_many_or_of_a_face_that_is_sure_somewhere() -> None:
    few = int(EVIDENCE / LEAST_SCORE) - 1
    weak = [[face(200, score=LEAST_SCORE)] if number < few else [] for number in range(20)]
    assert hidden(weak, seconds(20)) == [[]] * 20
    for more in (face(200, score=2 * LEAST_SCORE), face(200, score=SURE_SCORE)):
        weak[few] = [more]
        assert all(covers(places, face(200).box) for places in hidden(weak, seconds(20)))


def test_two_faces_that_cross_are_both_hidden_all_the_time() -> None:
    found = [[face(100 + 6 * number), face(700 - 6 * number)] for number in range(100)]
    for number, places in enumerate(hidden(found, seconds(100))):
        assert covers(places, face(100 + 6 * number).box)
        assert covers(places, face(700 - 6 * number).box)


def test_a_photo_is_a_single_frame() -> None:
    ((place,),) = hidden([[face(100)]], [0.0])
    assert covers([place], face(100).box)
    assert hidden([[]], [0.0]) == [[]]
    assert hidden([], []) == []
