"""Decode a chunk, whatever it is a chunk of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fer_batch.media import photos
from fer_batch.media.frame import Frame
from fer_batch.media.video import reader
from fer_batch.types import Chunk, Kind, Skipped

READERS: dict[Kind, Callable[[Chunk, list[Skipped], Callable[[], object]], Iterator[Frame]]] = {
    Kind.PHOTOS: photos.read,
    Kind.VIDEO: reader.read,
}


@dataclass(frozen=True)
class Decoding:
    """Frames as they come, and what could not be read, known once they have all come."""

    frames: Iterator[Frame]
    skipped: list[Skipped] = field(default_factory=list)


def decode(chunk: Chunk, alive: Callable[[], object]) -> Decoding:
    """The chunk's frames in presentation order.

    What cannot be read is added to ``skipped`` while the frames are drawn, and the rest still comes. ``alive`` is
    called for everything that is decoded, also what comes before the first frame that is looked at.

    Raises (while frames are drawn):
        films.Misaligned: a stretch of a film, decoded on its own, is not what the film's index announces.
        MediaError: the film cannot be opened.
    """
    skipped: list[Skipped] = []
    return Decoding(READERS[chunk.source.kind](chunk, skipped, alive), skipped)
