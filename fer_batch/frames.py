"""Frames: what photographs and films are decoded to, one at a time, upright, each with its true moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fer_batch.faces import Luma
from fer_batch.types import Chunk, Kind, Moment, Skipped


class Picture(Protocol):
    """An upright picture that converts no more of itself than it is asked for."""

    @property
    def width(self) -> int:
        """Pixels, upright."""

    @property
    def height(self) -> int:
        """Pixels, upright."""

    def luma(self) -> Luma:
        """The grey of the whole picture; valid until the next frame is decoded."""

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, shrunk so that no side is longer than ``longest_side``; never enlarged."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source and its place in it."""

    moment: Moment
    picture: Picture


@dataclass
class Decoding:
    """Frames as they come, and what could not be read, known once they have all come."""

    frames: Iterator[Frame]
    skipped: list[Skipped] = field(default_factory=list)


def decode(chunk: Chunk) -> Decoding:
    """The chunk's frames in presentation order.

    What cannot be read is added to ``skipped`` while the frames are drawn, and the rest still comes.

    Raises (while frames are drawn):
        films.Misaligned: a stretch of a film, decoded on its own, is not what the film's index announces.
    """
    from fer_batch import films, photographs

    readers: dict[Kind, Callable[[Chunk, list[Skipped]], Iterator[Frame]]] = {
        Kind.PHOTOS: photographs.read,
        Kind.VIDEO: films.read,
    }
    skipped: list[Skipped] = []
    return Decoding(readers[chunk.source.kind](chunk, skipped), skipped)
