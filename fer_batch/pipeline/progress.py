"""How far a run is. Every frame is counted once, however often it is scanned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fer_batch.types import Outcome, Source


class Progress(Protocol):
    """Is told how far a run is."""

    def begin(self, source: Source, frames: int) -> None:
        """So many frames of a source are about to be scanned."""

    def advance(self, frames: int) -> None:
        """So many more frames have been scanned, or given up."""

    def end(self, source: Source, outcome: Outcome | None) -> None:
        """A source is finished; None: it was left out."""

    def rendered(self, pages: int, of: int) -> None:
        """The report has the pages of so many sources, of so many in all."""

    def waiting(self, reason: str) -> None:
        """Nothing goes on for now, for a reason that users should know."""


class NullProgress:
    """A Progress that does nothing."""

    def begin(self, source: Source, frames: int) -> None:
        """Do nothing."""

    def advance(self, frames: int) -> None:
        """Do nothing."""

    def end(self, source: Source, outcome: Outcome | None) -> None:
        """Do nothing."""

    def rendered(self, pages: int, of: int) -> None:
        """Do nothing."""

    def waiting(self, reason: str) -> None:
        """Do nothing."""


@dataclass
class _ChunkProgress:
    """A chunk that is being scanned."""

    left: int
    """Frames that were announced and are not reported yet."""
    reported: int = 0
    scanned: int = 0
    """Frames that the current try has scanned."""


class ProgressCounter:
    """Reports to a Progress exactly as many frames as were announced, also if a chunk is tried again or given up."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._chunks: dict[str, _ChunkProgress] = {}
        self._expected: dict[str, int] = {}
        """Frames of sources that are announced, but not planned yet, by the sources' names."""

    def expect(self, source: Source, frames: int) -> None:
        """Announce so many frames of a source, as far as is known before it is planned."""
        if frames > 0:
            self._expected[source.name] = frames
            self._progress.begin(source, frames)

    def settle(self, source: Source) -> None:
        """A source is finished: what was announced of it and not planned will not come."""
        frames = self._expected.pop(source.name, 0)
        if frames:
            self._progress.advance(frames)

    def begin(self, source: Source, frames: Mapping[str, int], instead_of: Iterable[str] = ()) -> None:
        """Announce a source's chunks, by their keys, and drop others (``instead_of``) that will not be scanned."""
        dropped = sum(self._chunks.pop(key).left for key in instead_of if key in self._chunks)
        dropped += self._expected.pop(source.name, 0)
        self._chunks |= {key: _ChunkProgress(count) for key, count in frames.items()}
        more = sum(frames.values()) - dropped
        if more > 0:
            self._progress.begin(source, more)
        elif more < 0:
            self._progress.advance(-more)

    def scanned(self, key: str, frames: int) -> None:
        """So many more frames of a chunk have been scanned."""
        chunk = self._chunks.get(key)
        if chunk is None:
            return
        chunk.scanned += frames
        self._report(chunk, min(chunk.scanned - chunk.reported, chunk.left))

    def retry(self, key: str) -> None:
        """A chunk is scanned again: what was reported of it is not reported twice."""
        if key in self._chunks:
            self._chunks[key].scanned = 0

    def end(self, key: str) -> None:
        """A chunk is finished or given up."""
        chunk = self._chunks.pop(key, None)
        if chunk is not None:
            self._report(chunk, chunk.left)

    def _report(self, chunk: _ChunkProgress, frames: int) -> None:
        if frames > 0:
            chunk.left -= frames
            chunk.reported += frames
            self._progress.advance(frames)
