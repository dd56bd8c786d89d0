"""bins: exact means, whatever the lengths of rows and bins."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.analysis.bins import in_bins

times = st.floats(0, 100, allow_subnormal=False)
rows = st.lists(st.tuples(times, st.floats(0, 20), st.integers(0, 6)), max_size=30)


@given(rows, st.integers(1, 40))
def test_a_bin_has_what_overlaps_with_it(rows, bins):
    edges = np.linspace(0, 100, bins + 1)
    starts = np.array([start for start, _, _ in rows])
    ends = np.array([start + length for start, length, _ in rows])
    shares = np.array([np.eye(7)[emotion] for _, _, emotion in rows]).reshape(-1, 7)
    seconds, means = in_bins(starts, ends, shares, edges)
    for index, (low, high) in enumerate(pairwise(edges)):
        overlaps = np.maximum(0, np.minimum(ends, high) - np.maximum(starts, low))
        assert seconds[index] == pytest.approx(overlaps.sum(), abs=1e-6)
        if overlaps.sum() > 1e-3:
            assert means[index] == pytest.approx(overlaps @ shares / overlaps.sum(), abs=1e-6)


def test_a_bin_without_a_face_has_no_mean():
    seconds, means = in_bins(np.array([0.0]), np.array([1.0]), np.full((1, 7), 1 / 7), np.array([0.0, 1.0, 2.0]))
    assert seconds.tolist() == [1.0, 0.0]
    assert np.isnan(means[1]).all()
