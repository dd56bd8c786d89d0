"""Tells whether a video is encrypted: then its frames cannot be decoded, and damage is not the reason."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from av.container import InputContainer

from fer_batch.media.video import layout

ENCRYPTED = "It is encrypted (copy protection, DRM): save it without the protection in the program that can play it."

_SAMPLE_ENTRIES = (b"encv", b"drmi")
"""Types of encrypted video in the ISO base media file format: Common Encryption (ISO/IEC 23001-7), Apple's FairPlay."""

_ASF_OBJECTS = tuple(
    UUID(name).bytes_le for name in ("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e", "298ae614-2622-4c17-b935-dae07ee9289c")
)
"""The Content Encryption Object and the Extended one (Advanced Systems Format specification, 10.1)."""

_TS_SYNC, _TS_PACKET_BYTES, _SCRAMBLED = b"G", 188, 0x80
"""A packet's first byte, its length, and the least value of its fourth byte if it is scrambled (ISO/IEC 13818-1,
2.4.3)."""

_BEGINNING_BYTES = 2**16
_MAX_MOVIE_BYTES = 2**27


def is_encrypted(container: InputContainer) -> bool:
    """Whether the header of an open video says that it is encrypted.

    Files in Common Encryption of which FFmpeg knows the codec show it in their packets only.
    """
    if container.format.name == "asf":
        return any(name in _beginning(Path(container.name)) for name in _ASF_OBJECTS)
    if container.format.name == "mpegts":
        packets = _beginning(Path(container.name))
        scrambled = [packets[at + 3] >= _SCRAMBLED for at in range(0, len(packets) - 3, _TS_PACKET_BYTES)]
        return packets[:1] == packets[_TS_PACKET_BYTES:][:1] == _TS_SYNC and 2 * sum(scrambled) > len(scrambled)
    if container.format.name.startswith("matroska"):
        return any("enc_key_id" in stream.metadata for stream in container.streams.video)
    unknown = any(stream.codec_context is None for stream in container.streams.video)
    if container.format.name.startswith("mov") and unknown:
        return any(entry in movie for movie in _movie_boxes(Path(container.name)) for entry in _SAMPLE_ENTRIES)
    return False


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING_BYTES)


def _movie_boxes(path: Path) -> Iterator[bytes]:
    """The content of the boxes ``moov`` of an ISO base media file."""
    with path.open("rb") as file:
        for box in layout.boxes(path):
            if box.kind == b"moov":
                file.seek(box.content)
                yield file.read(min(box.end - box.content, _MAX_MOVIE_BYTES))
