"""How long a video file is by its own account: the outermost parts of mp4, mov and their kin, AVI and WMV.

FFmpeg passes over what is missing at the end of these. Specifications: ISO/IEC 14496-12, 4.2; Advanced Systems Format,
3.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

_FIRST = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""Kinds of boxes that these files, and QuickTime's, begin with."""

NO_INDEX = (
    "Its index (the part called moov) is missing or not whole: the recording, or the copying, was broken off. Copy it "
    "again. If the original is no better, a repair program such as untrunc may rebuild the index, with the help of a "
    "whole video by the same camera."
)


_ASF_FILE_PROPERTIES = UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le
_ASF_SIZE, _ASF_FLAGS = slice(40, 48), 88
"""Where the object has the file's size, and flags of which the first says that the size means nothing."""
_ASF_HEADER_BYTES = 2**16


@dataclass(frozen=True)
class Box:
    """An outermost part of an mp4."""

    kind: bytes
    """Four letters."""
    content: int
    """Where its content begins in the file."""
    end: int
    """Where it ends, by its own header; that may be behind the end of the file."""


def boxes(path: Path) -> Iterator[Box]:
    """The outermost boxes of an mp4."""
    with path.open("rb") as file:
        position, end = 0, path.stat().st_size
        while position + 8 <= end:
            file.seek(position)
            size, kind = int.from_bytes(file.read(4)), file.read(4)
            if size == 1:
                size = int.from_bytes(file.read(8))
            content = file.tell()
            yield Box(kind, content, position + size if size else end)
            if position + size < content:  # 0: the last box, to the end of the file; other values mean nothing
                return
            position += size


def lacks_index(path: Path) -> bool:
    """Whether a file is an mp4 or one of its kin, but its index is missing or not whole.

    Raises:
        OSError: it cannot be read.
    """
    size, first = path.stat().st_size, True
    for box in boxes(path):
        if (first and box.kind not in _FIRST) or (box.kind in (b"moov", b"moof") and box.end <= size):
            return False
        first = False
    return not first


def missing_bytes(path: Path, format_name: str) -> int:
    """How many bytes a video lacks at its end; 0: none, or its format does not tell.

    Of mp4 and its kin only those in fragments tell: in others, an index lists what there should be.

    Args:
        path: the video.
        format_name: FFmpeg's name of its format.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if format_name.startswith("mov"):
        found = list(boxes(path))
        return max(0, found[-1].end - size) if any(box.kind == b"moof" for box in found) else 0
    if format_name == "avi":
        return max(0, _end_of_avi(path) - size)
    return max(0, _end_of_asf(path) - size) if format_name == "asf" else 0


def _end_of_avi(path: Path) -> int:
    """Where the last of an AVI's parts ends, of which there are several in long ones (OpenDML); 0: unknown."""
    with path.open("rb") as file:
        position = 0
        while (head := file.read(8))[:4] == b"RIFF" and len(head) == 8:
            position += 8 + int.from_bytes(head[4:], "little")
            file.seek(position)
    return position


def _end_of_asf(path: Path) -> int:
    """The size of a WMV by its header; 0: unknown."""
    with path.open("rb") as file:
        head = file.read(_ASF_HEADER_BYTES)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) <= at + _ASF_FLAGS or head[at + _ASF_FLAGS] & 1:
        return 0
    return int.from_bytes(head[at:][_ASF_SIZE], "little")
