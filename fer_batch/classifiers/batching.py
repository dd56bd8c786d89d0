"""Pure: any number of faces through a call that takes fixed numbers of them, in batches as full as can be."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.types import ScannedFrames

SMALL_BATCH = 16
"""The second fixed batch shape, for the few faces that are left over; every shape is compiled once."""

Key = TypeVar("Key", bound=Hashable)


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


@dataclass
class _Waiting(Generic[Key]):
    key: Key
    scanned: ScannedFrames
    shares: list[np.ndarray] = field(default_factory=list)
    classified: int = 0
    """Faces whose shares are known."""


class Batcher(Generic[Key]):
    """Collects scanned frames until their faces fill a batch, each under a key that the caller chooses.

    Args:
        predict: (N, 48, 48) uint8 to (N, 2, 7) float32.
        size: faces in a full batch.
    """

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray], size: int) -> None:
        self._predict = predict
        self._size = size
        self._waiting: deque[_Waiting[Key]] = deque()

    def add(self, key: Key, scanned: ScannedFrames) -> Iterator[tuple[Key, ScannedFrames]]:
        """Take scanned frames; give those that are classified by now, in the order in which they were taken."""
        self._waiting.append(_Waiting(key, scanned))
        yield from self._classify(self._faces() // self._size * self._size)

    def flush(self) -> Iterator[tuple[Key, ScannedFrames]]:
        """Classify all the rest."""
        yield from self._classify(self._faces())

    def holds(self, key: Key) -> bool:
        """Whether frames wait under a key."""
        return any(entry.key == key for entry in self._waiting)

    def drop(self, key: Key) -> None:
        """Forget the frames that wait under a key."""
        self._waiting = deque(entry for entry in self._waiting if entry.key != key)

    def _faces(self) -> int:
        return sum(len(entry.scanned.crops) - entry.classified for entry in self._waiting)

    def _classify(self, count: int) -> Iterator[tuple[Key, ScannedFrames]]:
        """Classify the first ``count`` faces, and give the frames whose faces are all classified."""
        parts: list[np.ndarray] = []
        left = count
        for entry in self._waiting:
            parts.append(entry.scanned.crops[entry.classified : entry.classified + left])
            left -= len(parts[-1])
        if count:
            shares = self._predict(np.concatenate(parts))
            ends = np.cumsum([len(part) for part in parts])
            for entry, part_shares in zip(self._waiting, np.split(shares, ends[:-1]), strict=True):
                entry.shares.append(part_shares)
                entry.classified += len(part_shares)
        no_shares = np.empty((0, len(VIEWS), len(EMOTIONS)), np.float32)
        while self._waiting and self._waiting[0].classified == len(self._waiting[0].scanned.crops):
            entry = self._waiting.popleft()
            yield entry.key, entry.scanned.classified(np.concatenate([no_shares, *entry.shares]))
