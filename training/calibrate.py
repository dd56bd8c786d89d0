"""A temperature for each view, so that its shares are as large as they are often right. Pure NumPy.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) divides a view's logits by a number: above 1 the shares become
more even, below 1 more decided. The order of a face's emotions stays, and so does every accuracy. ``fer2013`` is fitted
to the data set's labels, ``ferplus`` to the raters' shares, on the rows where a rater chose one of the seven.
"""

import math

import numpy as np

from fer_batch.emotions import VIEWS
from training.evaluate import Predict
from training.fer2013 import Split
from training.metrics import SMALLEST_SHARE, one_hot

BOUNDS = (0.05, 20.0)
"""Least and greatest temperature: it would be 0 for rows without an error, and infinite for rows answered no better
than by chance."""

HALVINGS = 60
"""Bisections of the logarithm of BOUNDS: as exact as float64."""


def fit_temperatures(predict: Predict, split: Split) -> tuple[float, ...]:
    """For each of VIEWS, the temperature by which to divide the logits behind ``predict``'s shares.

    It is 1 for a view to which ``split`` has no answers.
    """
    logits = np.log(np.maximum(predict(split.images).astype(np.float64), SMALLEST_SHARE))
    voted = split.has_shares
    targets = {"fer2013": one_hot(split.labels), "ferplus": split.shares[voted].astype(np.float64)}
    rows = {"fer2013": np.ones(len(split), bool), "ferplus": voted}
    return tuple(fit_temperature(logits[rows[view], axis], targets[view]) for axis, view in enumerate(VIEWS))


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature within BOUNDS at which ``targets`` (N, 7) are likeliest under softmax(logits / temperature).

    The negative log likelihood is convex in 1 / temperature. Its slope, whose zero is found here by bisection, is the
    mean logit under the shares less that under the targets. Without rows, or with logits that are all the same, every
    temperature is as good: 1.
    """
    from_greatest = logits - logits.max(axis=1, keepdims=True)
    if not from_greatest.any():
        return 1.0
    under_targets = (targets * from_greatest).sum()

    def is_too_hot(temperature: float) -> bool:
        powers = np.exp(from_greatest / temperature)
        shares = powers / powers.sum(axis=1, keepdims=True)
        return bool((shares * from_greatest).sum() < under_targets)

    low, high = (math.log(bound) for bound in BOUNDS)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_too_hot(math.exp(middle)) else (middle, high)
    return math.exp((low + high) / 2)
