"""Pure: any number of faces through a call that takes fixed numbers of them."""

from collections.abc import Callable

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS

SMALL_BATCH = 16
"""The second fixed batch shape, for the few faces that are left over; every shape is compiled once."""


def sizes(batch_size: int) -> tuple[int, ...]:
    """The batch shapes to use, smallest first."""
    return tuple(sorted({min(SMALL_BATCH, batch_size), batch_size}))


def predict(faces: np.ndarray, batch_sizes: tuple[int, ...], call: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(N, 48, 48) uint8 faces to (N, 2, 7) float32, by calls of ``batch_sizes`` faces, the last filled up."""
    answers = np.empty((len(faces), len(VIEWS), len(EMOTIONS)), np.float32)
    at = 0
    while at < len(faces):
        left = len(faces) - at
        size = next((size for size in batch_sizes if size >= left), batch_sizes[-1])
        count = min(size, left)
        batch = np.zeros((size, *faces.shape[1:]), faces.dtype)
        batch[:count] = faces[at : at + count]
        answers[at : at + count] = call(batch)[:count]
        at += count
    return answers
