"""The moments of a film that are looked at, held as arrays: a film of any length has few objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, overload

import numpy as np

from fer_batch.types import Moment


@dataclass(frozen=True, eq=False)
class Moments(Sequence[Moment]):
    """N moments of one film, made one by one when they are asked for. Slices share the arrays."""

    file: str
    """The film's source name."""
    numbers: np.ndarray
    """(N,) int64."""
    seconds: np.ndarray
    """(N,) float64."""
    durations: np.ndarray
    """(N,) float64: seconds."""
    stamps: np.ndarray | None
    """(N,) int64; None: frames are not known by their stamps."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Moment: ...

    @overload
    def __getitem__(self, at: slice) -> "Moments": ...

    def __getitem__(self, at: int | slice) -> "Moment | Moments":
        if isinstance(at, slice):
            stamps = None if self.stamps is None else self.stamps[at]
            return Moments(self.file, self.numbers[at], self.seconds[at], self.durations[at], stamps)
        stamp = None if self.stamps is None else self.stamps.item(at)
        return Moment(self.file, self.numbers.item(at), self.seconds.item(at), self.durations.item(at), stamp)

    def __iter__(self) -> Iterator[Moment]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moments):
            return NotImplemented
        return all(np.array_equal(ours, theirs) for ours, theirs in zip(_parts(self), _parts(other), strict=True))


def _parts(moments: Moments) -> Iterator[Any]:
    return (getattr(moments, field.name) for field in fields(moments))
