"""Smoothing: in time, not in frames; nothing is shifted, made up, or lost."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.series import FaceSeries
from fer_batch.analysis.smoothing import smooth


def face_series(shares: np.ndarray, durations: np.ndarray, starts: np.ndarray | None = None) -> FaceSeries:
    starts = np.cumsum(durations) - durations if starts is None else starts
    return FaceSeries(0, "", np.arange(len(shares)), starts, durations, shares, shares.argmax(axis=1))


def one_emotion(values: list[float], durations: list[float], starts: list[float] | None = None) -> FaceSeries:
    """Shares of anger, the rest neutral."""
    shares = np.zeros((len(values), 7))
    shares[:, 0], shares[:, 6] = values, 1 - np.array(values)
    return face_series(shares, np.array(durations), None if starts is None else np.array(starts))


@st.composite
def all_series(draw: st.DrawFn) -> FaceSeries:
    count = draw(st.integers(1, 15))
    row = st.lists(st.integers(0, 10), min_size=7, max_size=7).filter(any)
    shares = np.array([draw(row) for _ in range(count)], dtype=float)
    durations = np.array(
        draw(st.lists(st.sampled_from([0.001, 0.033, 0.04, 1.0, 7.3]), min_size=count, max_size=count))
    )
    gaps = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 0.0005, 0.2, 5.0]), min_size=count, max_size=count)))
    starts = np.cumsum(durations + gaps) - durations
    return face_series(shares / shares.sum(axis=1, keepdims=True), durations, starts)


windows = st.sampled_from([0.01, 0.1, 0.5, 2.0, 60.0])


def stretches(face: FaceSeries) -> list[np.ndarray]:
    return np.split(np.arange(len(face.rows)), np.flatnonzero(face.gaps) + 1)


@given(all_series(), windows)
def test_smoothing_keeps_sums_over_emotions_and_over_time(face: FaceSeries, seconds: float) -> None:
    smoothed = smooth(face, seconds)
    assert smoothed.sum(axis=1) == pytest.approx(1)
    assert smoothed.min() >= -1e-7
    assert smoothed.max() <= 1 + 1e-7
    for rows in stretches(face):
        weights = face.durations[rows, np.newaxis]
        before, after = (weights * face.shares[rows]).sum(axis=0), (weights * smoothed[rows]).sum(axis=0)
        assert after == pytest.approx(before, abs=1e-7)


@given(all_series(), windows, st.data())
def test_a_frame_split_in_two_changes_nothing_elsewhere(face: FaceSeries, seconds: float, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(face.rows) - 1))
    cut = data.draw(st.floats(0.2, 0.8))
    twice = np.insert(np.arange(len(face.rows)), at, at)
    durations, starts = face.durations[twice], face.starts[twice]
    durations[at], durations[at + 1] = face.durations[at] * cut, face.durations[at] * (1 - cut)
    starts[at + 1] += durations[at]
    before, after = smooth(face, seconds), smooth(face_series(face.shares[twice], durations, starts), seconds)
    halves = after[at] * cut + after[at + 1] * (1 - cut)
    assert np.concatenate((after[:at], [halves], after[at + 2 :])) == pytest.approx(before, abs=1e-5)


@given(all_series(), windows)
def test_backwards_is_forwards(face: FaceSeries, seconds: float) -> None:
    back = face_series(face.shares[::-1], face.durations[::-1], -face.ends[::-1])
    assert smooth(back, seconds)[::-1] == pytest.approx(smooth(face, seconds), abs=1e-6)


@given(all_series(), windows)
def test_nothing_is_carried_across_a_gap(face: FaceSeries, seconds: float) -> None:
    smoothed = smooth(face, seconds)
    for rows in stretches(face):
        alone = face_series(face.shares[rows], face.durations[rows], face.starts[rows])
        assert smoothed[rows] == pytest.approx(smooth(alone, seconds), abs=1e-12)


@given(all_series(), windows)
def test_it_is_the_average_over_the_window_as_a_plain_sum_has_it(face: FaceSeries, seconds: float) -> None:
    (rows, *_) = stretches(face)
    edges = np.concatenate(([0.0], face.durations[rows].cumsum()))
    end, half, points = edges[-1], seconds / 2, 4000
    smoothed = smooth(face, seconds)
    for at in range(len(rows)):
        middles = edges[at] + face.durations[rows][at] * (np.arange(40) + 0.5) / 40
        offsets = -half + seconds * (np.arange(points) + 0.5) / points
        times = np.abs((middles[:, np.newaxis] + offsets + end) % (2 * end) - end)  # mirrored at both ends
        steps = (np.searchsorted(edges, times, side="right") - 1).clip(0, len(rows) - 1)
        expected = face.shares[rows][steps].mean(axis=(0, 1))
        if len(rows) > 1:
            assert smoothed[at] == pytest.approx(expected, abs=0.02)


def test_a_flicker_is_spread_over_its_surroundings() -> None:
    face = one_emotion([0, 0, 0, 1, 0, 0, 0], [0.1] * 7)
    assert smooth(face, 0.3)[:, 0] == pytest.approx([0, 1 / 24, 7 / 24, 8 / 24, 7 / 24, 1 / 24, 0])
    assert smooth(face, 0.1)[:, 0] == pytest.approx([0, 0, 1 / 8, 6 / 8, 1 / 8, 0, 0])
    assert smooth(face, 1e-3)[:, 0] == pytest.approx(face.shares[:, 0], abs=0.01)


def test_a_window_longer_than_the_stretch_gives_its_mean() -> None:
    face = one_emotion([0.2, 0.8], [1.0, 3.0])
    assert smooth(face, 800)[:, 0] == pytest.approx([0.65, 0.65])


def test_time_counts_and_not_rows() -> None:
    dense = one_emotion([0.0] * 30 + [1.0], [1 / 30] * 30 + [1.0])
    sparse = one_emotion([0.0, 1.0], [1.0, 1.0])
    assert smooth(dense, 1.0)[-1, 0] == pytest.approx(smooth(sparse, 1.0)[-1, 0])


def test_rows_without_a_duration_take_what_is_around_them() -> None:
    face = one_emotion([0.0, 1.0, 0.5], [1.0, 1.0, 0.0])
    assert smooth(face, 0.5)[2, 0] == pytest.approx(1.0)
    unknown = replace(face, durations=np.zeros(3))
    assert smooth(unknown, 0.5) == pytest.approx(face.shares)


def test_an_hour_of_frames_keeps_its_precision() -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(7), 90_000)
    smoothed = smooth(face_series(shares, np.full(90_000, 0.04)), 0.2)
    kernel = np.array([1, 7, 8, 8, 8, 7, 1]) / 40  # five frames' time, seen from all moments of the one in the middle
    expected = np.stack([np.convolve(shares[:, at], kernel, mode="valid") for at in range(7)], axis=1)
    assert smoothed[3:-3] == pytest.approx(expected, abs=1e-6)
