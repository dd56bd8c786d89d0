"""How far a run is: who wants to know, and how every frame is told of once, however often it is looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fer_batch.types import Outcome, Source


class Progress(Protocol):
    """Who wants to know how far a run is."""

    def begin(self, source: Source, frames: int) -> None:
        """A source's frames are about to be looked at, so many of them."""

    def advance(self, frames: int) -> None:
        """So many more have been looked at, or given up."""

    def end(self, source: Source, outcome: Outcome | None) -> None:
        """A source is finished; None: it was left out."""


class NullProgress:
    """The Progress of somebody who does not want to know."""

    def begin(self, source: Source, frames: int) -> None:
        """Say nothing."""

    def advance(self, frames: int) -> None:
        """Say nothing."""

    def end(self, source: Source, outcome: Outcome | None) -> None:
        """Say nothing."""


@dataclass
class _ChunkProgress:
    """A chunk that is being looked at."""

    left: int
    """Frames that were announced and not told of yet."""
    told: int = 0
    tried: int = 0
    """Frames that this try has looked at."""


class ProgressCounter:
    """Tells a Progress of exactly as many frames as it was announced, also where a chunk is begun again or given up."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._chunks: dict[str, _ChunkProgress] = {}

    def begin(self, source: Source, frames: Mapping[str, int], instead_of: Iterable[str] = ()) -> None:
        """A source's chunks, by their keys, are about to be looked at, in the place of others that never will be."""
        spare = sum(self._chunks.pop(key).left for key in instead_of if key in self._chunks)
        self._chunks |= {key: _ChunkProgress(count) for key, count in frames.items()}
        more = sum(frames.values()) - spare
        if more > 0:
            self._progress.begin(source, more)
        elif more < 0:
            self._progress.advance(-more)

    def looked(self, key: str, frames: int) -> None:
        """So many more frames of a chunk have been looked at."""
        chunk = self._chunks.get(key)
        if chunk is None:
            return
        chunk.tried += frames
        self._tell(chunk, min(chunk.tried - chunk.told, chunk.left))

    def again(self, key: str) -> None:
        """A chunk is begun again: what was told of it is passed over in silence."""
        if key in self._chunks:
            self._chunks[key].tried = 0

    def end(self, key: str) -> None:
        """Nothing more comes of a chunk."""
        chunk = self._chunks.pop(key, None)
        if chunk is not None:
            self._tell(chunk, chunk.left)

    def _tell(self, chunk: _ChunkProgress, frames: int) -> None:
        if frames > 0:
            chunk.left -= frames
            chunk.told += frames
            self._progress.advance(frames)
