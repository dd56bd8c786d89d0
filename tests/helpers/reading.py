"""Read chunks as the scanner does."""

from collections.abc import Iterator

from fer_batch.detection.looks import DEFAULT_SIDES
from fer_batch.media import photos
from fer_batch.media.frame import Frame, ReadItem
from fer_batch.media.video import reader
from fer_batch.types import Chunk, Kind


def items(chunk: Chunk) -> Iterator[ReadItem]:
    """Everything that a reader yields."""
    if chunk.source.kind is Kind.VIDEO:
        return reader.read(chunk)
    return photos.read(chunk, DEFAULT_SIDES[Kind.PHOTOS])


def frames(chunk: Chunk) -> Iterator[Frame]:
    """The sampled frames alone."""
    return (item for item in items(chunk) if isinstance(item, Frame))
