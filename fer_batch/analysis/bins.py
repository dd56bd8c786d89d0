"""Pure: how long, and with which shares, faces are visible in bins of time."""

import numpy as np

Binned = tuple[np.ndarray, np.ndarray]
"""(bins,) seconds for which faces are visible in each bin, added up over faces; (bins, 7) mean shares, NaN without."""


def in_bins(starts: np.ndarray, ends: np.ndarray, shares: np.ndarray, edges: np.ndarray) -> Binned:
    """Mean shares in the bins between ``edges`` (bins + 1,), each row weighted by its time within the bin.

    Rows last from ``starts`` to ``ends``, both (N,), may overlap, and be longer or shorter than a bin; ``shares`` are
    (N, 7). Exact: nothing is sampled. Bins partition time, so that the weighted mean of all bins is that of the rows.
    """
    values = np.column_stack((np.ones(len(starts)), shares))
    # A row adds to the sum up to a time x: its share times (x - start), less its share times (x - end) once it is over.
    sums = np.diff(_up_to(edges, starts, values) - _up_to(edges, ends, values), axis=0)
    seconds = np.where(sums[:, 0] > 1e-9, sums[:, 0], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(seconds[:, np.newaxis] > 0, sums[:, 1:] / seconds[:, np.newaxis], np.nan)
    return seconds, means


def _up_to(edges: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(edges, k) the sum of ``values`` (N, k) times the time since ``times`` (N,), over those before each edge."""
    order = np.argsort(times, kind="stable")
    times, values = times[order] - edges[0], values[order]
    nothing = np.zeros((1, values.shape[1]))
    amounts = np.concatenate((nothing, np.cumsum(values, axis=0)))
    moments = np.concatenate((nothing, np.cumsum(values * times[:, np.newaxis], axis=0)))
    count = np.searchsorted(times, edges - edges[0])
    result: np.ndarray = (edges - edges[0])[:, np.newaxis] * amounts[count] - moments[count]
    return result
