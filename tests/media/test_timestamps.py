"""Every frame has a stamp: where clocks jump back, where packets lie, where stamps are missing."""

from collections.abc import Iterable
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.media.video.timestamps import Stamps

STEP = 40
"""Milliseconds from one frame to the next."""


def packet(pts: int | None, dts: int | None) -> av.Packet:
    one = av.Packet(b"picture")
    one.pts, one.dts, one.duration = pts, dts, STEP
    return one


def gather(packets: Iterable[tuple[int | None, int | None]]) -> Stamps:
    stamps = Stamps(Fraction(1, 1000))
    for pts, dts in packets:
        stamps.add(packet(pts, dts), decoding_times=False)
    return stamps


def film(count: int, start: int = 0) -> list[tuple[int, int]]:
    return [(start + STEP * at, start + STEP * at) for at in range(count)]


@given(lengths=st.lists(st.integers(12, 60), min_size=1, max_size=5), start=st.integers(-100_000, 100_000))
def test_films_one_behind_the_other_go_on(lengths: list[int], start: int) -> None:
    stamps = gather([one for length in lengths for one in film(length, start)])
    assert stamps.known == [start + STEP * at for at in range(sum(lengths))]
    assert len(stamps.jumps) == len(lengths) - 1
    assert stamps.end == start + STEP * sum(lengths)


@given(at=st.integers(2, 97), wrong=st.integers(-100_000, -1000), count=st.integers(1, 2))
def test_a_few_packets_that_lie_do_not_set_the_clock(at: int, wrong: int, count: int) -> None:
    packets = film(100)
    packets[at : at + count] = film(count, wrong)
    stamps = gather(packets)
    assert stamps.known == [STEP * number for number in range(100)]
    assert stamps.jumps == []
    assert stamps.foreign, "the decoder will give other stamps than these"


def test_a_gap_is_a_gap_and_stays_one() -> None:
    stamps = gather([*film(10), *film(10, 5000), *film(10, 9000)])
    assert stamps.known == [pts for pts, _ in [*film(10), *film(10, 5000), *film(10, 9000)]]
    assert (stamps.jumps, stamps.foreign) == ([], False)


@pytest.mark.parametrize("lost", [[0], [20], [20, 21], [49], [0, 49], [3, 17, 30, 31]])
@pytest.mark.parametrize("order", [(0,), (0, 3, 1, 2), (0, 2, 1)])
def test_missing_stamps_are_found_between_their_neighbours(lost: list[int], order: tuple[int, ...]) -> None:
    """Also where frames are decoded in another order than they are shown."""
    groups = range(0, 60, len(order))
    shown = [begin + one for begin in groups for one in order][:60]
    stamps = gather((None if at in lost else STEP * number, None) for at, number in enumerate(shown))
    assert stamps.fillable
    assert stamps.filled() == [STEP * number for number in range(60)]


def test_too_many_missing_stamps_are_not_guessed() -> None:
    assert not gather((None if at % 5 == 0 else STEP * at, None) for at in range(100)).fillable
    assert not gather((None, None) for _ in range(100)).fillable
    assert not gather(film(100)).fillable
