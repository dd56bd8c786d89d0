"""Rows in batches that all have one shape, so that a backend compiles once; some of them mixed with each other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from fer_batch.emotions import VIEWS


@dataclass(frozen=True)
class Rows:
    """What is learnt: one or several views of every row, of which each epoch takes the next."""

    pictures: np.ndarray
    """(V, N, 48, 48) grey levels."""
    targets: Mapping[str, np.ndarray]
    """What is to be answered, (V, N, 7), for each of VIEWS."""
    weights: Mapping[str, np.ndarray]
    """What each row's answer weighs, (N,), for each of VIEWS."""


Batch = tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]
"""(B, 48, 48) pictures; for each of VIEWS what is to be answered, (B, 7), and what each row's answer weighs, (B,)."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """Every row once in each epoch, in an order drawn anew; the last batch is filled up with rows of the first.

    Args:
        rows: what is learnt.
        batch_size: rows in each batch.
        mixing: probability with which a picture has another one mixed into it, with its answer, as :func:`mixed` does.
        seed: seed of the random numbers.
    """

    def __init__(self, rows: Rows, batch_size: int, mixing: float, seed: int) -> None:
        super().__init__()
        self.rows, self.batch_size, self.mixing, self.seed = rows, batch_size, mixing, seed
        self.begin(0)

    def __len__(self) -> int:
        return math.ceil(self.rows.pictures.shape[1] / self.batch_size)

    def __getitem__(self, at: int) -> Batch:
        view = self.epoch % len(self.rows.pictures)
        pictures, weights = self.rows.pictures[view], self.rows.weights
        targets = {name: shares[view] for name, shares in self.rows.targets.items()}
        chosen = self.order[at * self.batch_size : (at + 1) * self.batch_size]
        if not self.mixing:
            answers = {name: targets[name][chosen] for name in VIEWS}
            return pictures[chosen], answers, {name: weights[name][chosen] for name in VIEWS}
        other, part = np.roll(chosen, 1), parts(self.random, len(chosen), self.mixing)
        # The loss is that of the two answers, each times its part; an answer that weighs nothing takes no part.
        both = {name: (part * weights[name][chosen], (1 - part) * weights[name][other]) for name in VIEWS}
        answers = {
            name: (first[:, np.newaxis] * targets[name][chosen] + second[:, np.newaxis] * targets[name][other])
            / np.maximum(first + second, 1e-6)[:, np.newaxis]
            for name, (first, second) in both.items()
        }
        weighed = {name: first + second for name, (first, second) in both.items()}
        return mixed(pictures[chosen], pictures[other], part), answers, weighed

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self.begin(self.epoch + 1)

    def begin(self, epoch: int) -> None:
        """Go on with this epoch; what is drawn in it is the same wherever a run goes on."""
        self.epoch, self.random = epoch, np.random.default_rng((self.seed, epoch))
        count = self.rows.pictures.shape[1]
        self.order = np.resize(self.random.permutation(count), len(self) * self.batch_size)


def parts(random: np.random.Generator, count: int, probability: float) -> np.ndarray:
    """(count,) float32: how much of each picture stays its own when others are mixed in."""
    return np.where(random.random(count) < probability, random.uniform(0.5, 1, count), 1).astype(np.float32)


def mixed(pictures: np.ndarray, others: np.ndarray, part: np.ndarray) -> np.ndarray:
    """``part`` of each picture and the rest of another (mixup: Zhang et al. 2018, arXiv:1710.09412), float32."""
    together, changed = pictures.astype(np.float32), part < 1
    own = part[changed, np.newaxis, np.newaxis]
    together[changed] = own * together[changed] + (1 - own) * others[changed]
    return together


def even_size(count: int, most: int = 512, least: int = 64) -> int:
    """The largest size of batches, up to ``most``, of which ``count`` rows fill a whole number; else ``most``."""
    sizes = [size for size in range(least, most + 1) if count % size == 0]
    return max(sizes, default=most)
