"""Pure: any number of faces through a call that takes fixed numbers of them, in batches as full as can be."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.types import Answers, Detection, Sightings

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
    scanned: Sightings
    shares: list[np.ndarray] = field(default_factory=list)
    answered: int = 0


class Batcher(Generic[Key]):
    """Sightings that wait until their faces fill a batch, each under a key of the caller's.

    Args:
        predict: (N, 48, 48) uint8 to (N, 2, 7) float32.
        size: faces in a full batch.
    """

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray], size: int) -> None:
        self._predict = predict
        self._size = size
        self._waiting: deque[_Waiting[Key]] = deque()
        self._faces = 0

    def add(self, key: Key, scanned: Sightings) -> Iterator[tuple[Key, Answers]]:
        """Take sightings; give what is answered by now, in the order in which it was taken."""
        self._waiting.append(_Waiting(key, scanned))
        self._faces += len(scanned.crops)
        yield from self._answer(self._faces // self._size * self._size)

    def flush(self) -> Iterator[tuple[Key, Answers]]:
        """Answer all the rest."""
        yield from self._answer(self._faces)

    def holds(self, key: Key) -> bool:
        """Whether something waits under a key."""
        return any(one.key == key for one in self._waiting)

    def drop(self, key: Key) -> None:
        """Forget what waits under a key."""
        self._waiting = deque(one for one in self._waiting if one.key != key)
        self._faces = sum(len(one.scanned.crops) - one.answered for one in self._waiting)

    def _answer(self, count: int) -> Iterator[tuple[Key, Answers]]:
        """Have the first ``count`` faces answered, and give the sightings that have all their answers."""
        parts: list[np.ndarray] = []
        left = count
        for one in self._waiting:
            parts.append(one.scanned.crops[one.answered : one.answered + left])
            left -= len(parts[-1])
        if count:
            shares = self._predict(np.concatenate(parts))
            ends = np.cumsum([len(part) for part in parts])
            for one, answer in zip(self._waiting, np.split(shares, ends[:-1]), strict=True):
                one.shares.append(answer)
                one.answered += len(answer)
            self._faces -= count
        while self._waiting and self._waiting[0].answered == len(self._waiting[0].scanned.crops):
            one = self._waiting.popleft()
            yield one.key, _answers(one.scanned, one.shares)


def _answers(seen: Sightings, shares: list[np.ndarray]) -> Answers:
    nothing = np.empty((0, len(VIEWS), len(EMOTIONS)), np.float32)
    faces = np.array([one.as_row() for one in seen.detections], float).reshape(-1, Detection.NUMBERS)
    return Answers(seen.times, seen.sizes, seen.scenes, seen.owners, faces, np.concatenate([nothing, *shares]))
