"""Every frame gets a timestamp, also if clocks jump back, or timestamps are wrong or missing."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.media.video.timestamps import Timestamps, frame_ends

STEP = 40
"""Milliseconds from one frame to the next."""


def make_packet(pts: int | None, dts: int | None) -> av.Packet:
    packet = av.Packet(b"data")
    packet.pts, packet.dts, packet.duration = pts, dts, STEP
    return packet


def gather(packets: Iterable[tuple[int | None, int | None]]) -> Timestamps:
    timestamps = Timestamps(Fraction(1, 1000))
    for pts, dts in packets:
        timestamps.add(make_packet(pts, dts), use_dts=False)
    return timestamps


def video(count: int, start: int = 0) -> list[tuple[int, int]]:
    return [(start + STEP * index, start + STEP * index) for index in range(count)]


steps = st.integers(1, 100) | st.integers(1, 100_000)
"""Milliseconds between two frames of a variable-rate video."""


@given(lengths=st.lists(st.integers(12, 60), min_size=1, max_size=5), start=st.integers(-100_000, 100_000))
def test_times_go_on_in_joined_videos(lengths: list[int], start: int) -> None:
    timestamps = gather([times for length in lengths for times in video(length, start)])
    assert timestamps.known == [start + STEP * index for index in range(sum(lengths))]
    assert len(timestamps.jumps) == len(lengths) - 1
    assert timestamps.last_duration() == STEP


@given(
    first=st.integers(2, 97),
    wrong=st.integers(-100_000, -1000) | st.integers(6000, 10_000_000),
    count=st.integers(1, 2),
)
def test_a_few_wrong_timestamps_do_not_set_the_clock(first: int, wrong: int, count: int) -> None:
    packets = video(100)
    packets[first : first + count] = video(count, wrong)
    timestamps = gather(packets)
    assert timestamps.known == [STEP * number for number in range(100)]
    assert timestamps.jumps == []
    assert timestamps.differ_from_decoder, "the decoder will give other timestamps than these"
    assert timestamps.last_duration() == STEP


@given(
    frame=st.integers(20, 80),
    wrong=st.integers(-10_000_000, -10_000) | st.integers(10_000, 10_000_000),
    order=st.sampled_from([(0,), (0, 3, 1, 2), (0, 2, 1)]),
)
def test_a_frame_cannot_be_shown_long_after_or_before_it_is_decoded(
    frame: int, wrong: int, order: tuple[int, ...]
) -> None:
    """Its pts is damaged, although it is decoded in time; those of all others stay."""
    shown = [begin + offset for begin in range(0, 120, len(order)) for offset in order]
    packets = [(STEP * number, STEP * (index - 2)) for index, number in enumerate(shown)]
    packets[frame] = (wrong, packets[frame][1])
    timestamps = gather(packets)
    timestamps.discard_displaced()
    assert (timestamps.missing, timestamps.jumps) == (1, [])
    assert timestamps.filled() == [STEP * number for number in range(120)]


def test_a_gap_is_a_gap_and_stays_one() -> None:
    timestamps = gather([*video(10), *video(10, 5000), *video(10, 9000)])
    assert timestamps.known == [pts for pts, _ in [*video(10), *video(10, 5000), *video(10, 9000)]]
    assert (timestamps.jumps, timestamps.differ_from_decoder) == ([], False)


@given(gaps=st.lists(steps, max_size=60), delay=st.integers(0, 4))
def test_no_gap_makes_a_clock_jump_back(gaps: list[int], delay: int) -> None:
    """However long it is, and wherever: at the first frame, at the last, or in a stretch with a low frame rate."""
    shown = np.cumsum([0, *gaps]).tolist()
    early = [shown[0] - STEP * (delay - index) for index in range(delay)]
    timestamps = gather(zip(shown, [*early, *shown][: len(shown)], strict=True))  # as an encoder with B-frames does
    assert timestamps.known == shown
    assert (timestamps.jumps, timestamps.differ_from_decoder) == ([], False)


@given(gaps=st.lists(steps, min_size=1, max_size=60))
def test_a_frame_lasts_until_the_next_unless_that_is_far_off(gaps: list[int]) -> None:
    shown = np.cumsum([0, *gaps])
    ends = frame_ends(shown, STEP, Fraction(1, 1000))
    assert (ends > shown).all()
    lasts, all_steps = ends - shown, [*gaps, STEP]
    assert [last for last, step in zip(lasts, all_steps, strict=True) if step <= 1000] == [
        step for step in all_steps if step <= 1000
    ]
    assert (lasts <= all_steps).all()
    assert lasts.max() <= max(1000, 5 * sorted(all_steps)[len(all_steps) // 2 :][-1])


def test_where_a_clock_jumps_forward_no_frame_is_visible_for_half_an_hour() -> None:
    shown = np.array([*range(0, 4000, 40), *range(1_804_000, 1_808_000, 40)])
    ends = frame_ends(shown, 40, Fraction(1, 1000))
    assert np.flatnonzero(ends[:-1] < shown[1:]).tolist() == [99]
    assert ends[99] == shown[99] + 1000
    assert (ends - shown).sum() == 199 * 40 + 1000


@pytest.mark.parametrize("seconds", [1, 3, 60])
def test_a_stretch_with_a_low_frame_rate_is_no_gap(seconds: int) -> None:
    fast = [40] * 50
    for gaps in [[seconds * 1000] * 10 + fast, fast + [seconds * 1000] * 10, fast + [seconds * 1000] * 10 + fast]:
        shown = np.cumsum([0, *gaps])
        assert frame_ends(shown, gaps[-1], Fraction(1, 1000))[:-1].tolist() == shown[1:].tolist()


@pytest.mark.parametrize("lost", [[0], [20], [20, 21], [49], [0, 49], [3, 17, 30, 31]])
@pytest.mark.parametrize("order", [(0,), (0, 3, 1, 2), (0, 2, 1)])
def test_missing_timestamps_are_set_between_their_neighbours(lost: list[int], order: tuple[int, ...]) -> None:
    """Also if frames are decoded in another order than they are shown."""
    groups = range(0, 60, len(order))
    shown = [begin + offset for begin in groups for offset in order][:60]
    timestamps = gather((None if index in lost else STEP * number, None) for index, number in enumerate(shown))
    assert timestamps.fillable
    assert timestamps.filled() == [STEP * number for number in range(60)]


def test_too_many_missing_timestamps_are_not_filled_in() -> None:
    assert not gather((None if index % 5 == 0 else STEP * index, None) for index in range(100)).fillable
    assert not gather((None, None) for _ in range(100)).fillable
    assert not gather(video(100)).fillable
