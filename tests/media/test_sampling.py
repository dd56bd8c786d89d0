"""Which frames of a video are sampled, and their times."""

import pickle
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fer_batch.media.sampling import Clock, FrameTimes, Sampling, frame_times
from fer_batch.types import FrameTime

NTSC = Fraction(1001, 30000)
"""Seconds that a frame of NTSC video lasts: 29.97 a second."""

HALF_A_MICROSECOND = Fraction(1, 2_000_000)
"""How far a frame's time may be from the exact time: tables have six decimals."""


def off(frame_time: FrameTime, true: Fraction) -> Fraction:
    return abs(Fraction(frame_time.seconds) - true)


def sample(timestamps: list[int], end: int | list[int], clock: Clock, sampling: Sampling) -> FrameTimes:
    """The sampled frames of a video that ends at ``end``, or whose frames end at ``end``."""
    ends = end if isinstance(end, list) else [*timestamps[1:], end][: len(timestamps)]
    return frame_times("video.mp4", np.array(timestamps, np.int64), np.array(ends, np.int64), clock, sampling)


def clock(time_base: Fraction, zero: Fraction = Fraction(0)) -> Clock:
    return Clock(time_base, zero)


eighths = st.integers(0, 40).map(lambda number: number / 8)
"""Seconds that floats hold exactly."""


@st.composite
def videos(draw: st.DrawFn) -> tuple[list[int], int, Clock]:
    """Increasing pts of any rate, the video's end, and a clock whose zero is not after the first frame."""
    gaps = draw(st.lists(st.integers(1, 5000), min_size=1, max_size=60))
    timestamps = np.cumsum([draw(st.integers(-5000, 5000)), *gaps]).tolist()
    time_base = draw(st.sampled_from([Fraction(1, 1000), Fraction(1, 90000), NTSC / 1001, Fraction(1, 15360)]))
    zero = timestamps[0] * time_base - draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(23, 1000)]))
    return timestamps[:-1], timestamps[-1], Clock(time_base, zero)


samplings = st.builds(
    lambda fps, start, length: Sampling(fps, start, None if length is None else (start or 0) + length),
    st.none() | st.sampled_from([0.1, 0.5, 1.0, 5.0, 12.5, 23.976, 29.97, 1000.0]),
    st.none() | eighths,
    st.none() | eighths.filter(bool),
)


def within(video: tuple[list[int], int, Clock], sampling: Sampling) -> dict[int, Fraction]:
    """Number and true time of each frame between the sampling's start and end."""
    timestamps, _, clock = video
    times = {number: pts * clock.time_base - clock.zero for number, pts in enumerate(timestamps)}
    start, end = sampling.start or 0, float("inf") if sampling.end is None else sampling.end
    return {number: time for number, time in times.items() if start <= time < end}


def exactly(number: float | None) -> Fraction | None:
    return None if number is None else Fraction(number).limit_denominator(1_000_000)


def reference(timestamps: list[int], end_pts: int, clock: Clock, sampling: Sampling) -> list[FrameTime]:
    """The expected times, computed for each frame with fractions."""
    start, end, fps = map(exactly, (sampling.start, sampling.end, sampling.fps))
    slack = min(clock.time_base / 2, Fraction(1, 2000))
    first: dict[int, tuple[int, int, Fraction]] = {}
    for number, pts in enumerate(timestamps):
        seconds = clock.seconds(pts)
        if (start is None or seconds >= start) and (end is None or seconds < end):
            tick = number if fps is None else (seconds + slack) * fps // 1
            first.setdefault(tick, (number, pts, seconds))
    close = clock.seconds(end_pts)
    times = [*(seconds for _, _, seconds in first.values()), close if end is None else min(close, end)]
    spans = pairwise(round(seconds, 6) for seconds in times)
    return [
        FrameTime("video.mp4", number, float(begin), float(max(Fraction(0), until - begin)), pts)
        for (number, pts, _), (begin, until) in zip(first.values(), spans, strict=True)
    ]


@st.composite
def odd_videos(draw: st.DrawFn) -> tuple[list[int], int, Clock]:
    """Pts of any size, some of them equal, and a clock of any time base and any zero."""
    gaps = draw(st.lists(st.integers(0, 5000) | st.integers(0, 10**12), max_size=30))
    timestamps = np.cumsum([draw(st.integers(-(2**61), 2**61) | st.integers(-5000, 5000)), *gaps]).tolist()
    time_base = draw(st.fractions(0, 2, max_denominator=10**9).filter(bool))
    zero = draw(st.fractions(-(10**6), 10**6, max_denominator=10**9) | st.sampled_from([timestamps[0] * time_base]))
    return (
        timestamps[: draw(st.integers(0, len(timestamps)))],
        draw(st.integers(timestamps[-1], 2**62)),
        Clock(time_base, zero),
    )


@settings(deadline=None, max_examples=300)
@example(([-4_611_686_018_428] * 2, 0, Clock(Fraction(2), Fraction(0))), Sampling())  # ends fit int64, times do not
@given(videos() | odd_videos(), samplings | st.builds(Sampling, st.none() | st.floats(0.001, 10_000)))
def test_times_are_those_of_exact_fractions(video: tuple[list[int], int, Clock], sampling: Sampling) -> None:
    expected = reference(*video, sampling)
    found = sample(*video, sampling)
    assert list(found) == expected
    assert [
        type(value)
        for frame_time in found[:1]
        for value in (frame_time.number, frame_time.seconds, frame_time.duration, frame_time.pts)
    ] in (
        [],
        [int, float, float, int],
    )


@settings(deadline=None)
@given(videos(), st.slices(70), st.slices(70))
def test_times_are_a_sequence_like_any_other(video: tuple[list[int], int, Clock], part: slice, within: slice) -> None:
    found = sample(*video, Sampling())
    plain = tuple(found)
    assert tuple(found[part]) == plain[part]
    assert tuple(found[part][within]) == plain[part][within]
    assert found[part] == found[part]
    assert (found[part] == found) == (plain[part] == plain)
    assert pickle.loads(pickle.dumps(found[part])) == found[part]
    assert (found[0], found[-1]) == (plain[0], plain[-1])
    with pytest.raises(IndexError):
        found[len(found)]


def test_a_stretch_of_a_long_video_takes_its_own_numbers_only_to_another_process() -> None:
    hour = sample(list(range(90_000)), 90_000, clock(Fraction(1, 25)), Sampling())
    assert np.shares_memory(hour[750:1500].numbers, hour.numbers)
    assert len(pickle.dumps(hour[750:1500])) < 750 * 4 * 8 + 1000


@settings(deadline=None)
@given(videos(), samplings)
def test_each_frames_time_is_its_pts_times_the_time_base_less_the_zero(
    video: tuple[list[int], int, Clock], sampling: Sampling
) -> None:
    timestamps, end, clock = video
    times = within(video, sampling)
    for frame_time in sample(timestamps, end, clock, sampling):
        assert frame_time.file == "video.mp4"
        assert frame_time.pts == timestamps[frame_time.number]
        assert off(frame_time, times[frame_time.number]) < HALF_A_MICROSECOND + Fraction(1, 10**9)


@settings(deadline=None)
@given(videos(), samplings)
def test_exactly_the_first_frame_of_every_period_is_sampled(
    video: tuple[list[int], int, Clock], sampling: Sampling
) -> None:
    timestamps, end, clock = video
    times = within(video, sampling)
    fps = None if sampling.fps is None else Fraction(str(sampling.fps))
    first: dict[int, int] = {}
    for number, time in times.items():
        first.setdefault(number if fps is None else int(time * fps), number)
    assert [frame_time.number for frame_time in sample(timestamps, end, clock, sampling)] == sorted(first.values())


@settings(deadline=None)
@given(videos(), samplings)
def test_durations_tile_the_time_from_the_first_frame_to_the_end(
    video: tuple[list[int], int, Clock], sampling: Sampling
) -> None:
    timestamps, end_pts, clock = video
    sampled = sample(timestamps, end_pts, clock, sampling)
    end = float(clock.seconds(end_pts))
    end = end if sampling.end is None else min(end, sampling.end)
    starts = [frame_time.seconds for frame_time in sampled]
    ends = [frame_time.seconds + frame_time.duration for frame_time in sampled]
    assert ends[:-1] == pytest.approx(starts[1:], abs=1e-9)
    assert ends[-1:] == pytest.approx([end] if sampled else [], abs=1e-6)
    assert all(frame_time.duration > 0 for frame_time in sampled)


def test_five_frames_a_second_of_a_video_of_25() -> None:
    sampled = sample(list(range(25)), 25, clock(Fraction(1, 25)), Sampling(fps=5))
    assert [frame_time.number for frame_time in sampled] == [0, 5, 10, 15, 20]
    assert [frame_time.duration for frame_time in sampled] == pytest.approx([0.2] * 5)


def test_with_a_variable_rate_no_frame_is_sampled_for_a_period_that_has_none() -> None:
    sampled = sample([0, 10, 950, 1010, 1020, 4100], 5000, clock(Fraction(1, 1000)), Sampling(fps=1))
    assert [(frame_time.number, frame_time.seconds, frame_time.duration) for frame_time in sampled] == [
        (0, 0.0, 1.01),
        (3, 1.01, 3.09),
        (5, 4.1, 0.9),
    ]


@pytest.mark.parametrize("fps", [None, 10, 1, 0.1])
def test_a_frame_lasts_no_longer_than_to_the_next_gap(fps: float | None) -> None:
    """At any rate: what is missing in the video is not a part of any sampled frame."""
    timestamps = [*range(20), *range(1000, 1020)]
    ends = [*range(1, 20), 25, *range(1001, 1021)]
    sampled = list(sample(timestamps, ends, clock(Fraction(1, 10)), Sampling(fps=fps)))
    assert sum(frame_time.duration for frame_time in sampled) == pytest.approx(4.5)
    assert sampled[-1].seconds + sampled[-1].duration == 102.0
    for before, after in pairwise(sampled):
        if before.number < 20 <= after.number:
            assert before.seconds + before.duration == 2.5


def test_start_and_end_keep_frame_numbers_and_times() -> None:
    sampled = sample(list(range(100)), 100, clock(Fraction(1, 4)), Sampling(start=2.0, end=3.0))
    assert [(frame_time.number, frame_time.seconds) for frame_time in sampled] == [
        (8, 2.0),
        (9, 2.25),
        (10, 2.5),
        (11, 2.75),
    ]
    assert sampled[-1].duration == 0.25


def test_an_end_beyond_the_video_makes_nothing_longer() -> None:
    assert sample([0, 1], 2, clock(Fraction(1)), Sampling(end=50.0))[-1].duration == 1.0


def test_nothing_between_start_and_end_gives_no_time() -> None:
    assert len(sample([0, 1], 2, clock(Fraction(1)), Sampling(start=10.0))) == 0


def test_the_delay_of_frames_behind_the_sound_is_kept() -> None:
    sampled = sample([1500, 1540], 1580, clock(Fraction(1, 1000), zero=Fraction(1)), Sampling())
    assert [frame_time.seconds for frame_time in sampled] == [0.5, 0.54]


def test_the_numbers_of_an_hour_of_ntsc_video_do_not_drift() -> None:
    count = 100_000
    every = sample(list(range(count)), count, clock(NTSC), Sampling())
    assert len(every) == count
    assert max(off(frame_time, frame_time.number * NTSC) for frame_time in every) < HALF_A_MICROSECOND + Fraction(
        1, 10**9
    )
    assert sum(frame_time.duration for frame_time in every) == pytest.approx(float(count * NTSC), abs=1e-6)


def test_one_frame_a_second_of_an_hour_of_ntsc_video_stays_within_a_frame_of_the_second() -> None:
    count = 100_000
    sparse = sample(list(range(count)), count, clock(NTSC), Sampling(fps=1))
    assert len(sparse) == 3337
    assert all(
        second - 0.0005 <= frame_time.seconds < second + float(NTSC) + 1e-6 for second, frame_time in enumerate(sparse)
    )


def test_a_tenth_of_a_second_is_a_tenth() -> None:
    tenths = clock(Fraction(1, 10))
    assert [frame_time.seconds for frame_time in sample([0, 1, 2, 3], 4, tenths, Sampling(start=0.1))] == [
        0.1,
        0.2,
        0.3,
    ]
    assert [frame_time.seconds for frame_time in sample([0, 1, 2, 3], 4, tenths, Sampling(end=0.1))] == [0.0]


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 50, 60])
def test_as_many_frames_a_second_as_the_video_has_are_all_of_them(fps: float) -> None:
    timestamps = [round(number * 1000 / fps) for number in range(300)]  # Matroska's milliseconds
    assert len(sample(timestamps, timestamps[-1] + 40, clock(Fraction(1, 1000)), Sampling(fps=fps))) == 300
