"""How long a video file is by its own account: the parts of mp4, mov and their kin, AVI, WMV, MPEG streams and Ogg.

FFmpeg passes over what is missing at the end of these, and it may give the last frame of an mp4 the duration of another
one. Specifications: ISO/IEC 14496-12, 4.2, 8.6.1.2 and 8.6.6; Advanced Systems Format, 3.2; ISO/IEC 13818-1, 2.4.3 and
2.5.3; RFC 3533, 6.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from mmap import ACCESS_READ, mmap
from pathlib import Path
from uuid import UUID

import numpy as np

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

_TS_SYNC = 0x47
_TS_PACKETS = {188: 0, 192: 4, 204: 0}
"""Bytes of a packet of MPEG transport streams, as broadcast, by cameras (AVCHD), and with error correction; and where
in the packet its mark is."""

_PS_PACK, _PS_END = 0xBA, 0xB9
_OGG_SEGMENTS = 26
"""Where an Ogg page has the number of its segments, before their sizes."""
_TAIL_BYTES = 2**18

_HEADS = {
    "matroska": b"\x1a\x45\xdf\xa3",
    "flv": b"FLV\1",
    "asf": UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le,
}
"""What files of these formats begin with (RFC 8794, 11.2.1; Flash Video specification, E.2; ASF, 3.1)."""

_SPEED = 1 << 16
"""The usual speed of an edit."""

_MOST_BYTES = 2**26
"""Of the content of a box that is read whole: a list of 8 million stretches of samples."""


@dataclass(frozen=True)
class Box:
    """A part of an mp4."""

    kind: bytes
    """Four letters."""
    content: int
    """Where its content begins in the file."""
    end: int
    """Where it ends, by its own header; that may be behind the end of the file."""


@dataclass(frozen=True)
class TrackEnd:
    """What an mp4 says of the end of one of its tracks."""

    last_sample: Fraction
    """Seconds that the sample lasts which is decoded last; 0: unknown."""
    edited: Fraction | None
    """The second at which the edit list ends the track; None: there is no edit list, or it leaves its end open."""
    retimed: bool = False
    """The edit list plays parts at another speed, or pauses between them."""


def boxes(path: Path, within: Box | None = None) -> Iterator[Box]:
    """The outermost boxes of an mp4, or those within one of its boxes."""
    with path.open("rb") as file:
        position, end = 0, path.stat().st_size
        if within is not None:
            position, end = within.content, min(within.end, end)
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


def track_end(path: Path, track: int) -> TrackEnd | None:
    """The end of the track with this id; None: the file is no mp4 with an index that lists its samples.

    Raises:
        OSError: it cannot be read.
    """
    for movie in boxes(path):
        for trak in boxes(path, movie) if movie.kind == b"moov" else ():
            header = _content(path, trak, b"tkhd")
            if trak.kind == b"trak" and _number(header, 20 if header[:1] == b"\1" else 12) == track:
                return _track_end(path, movie, trak)
    return None


def _track_end(path: Path, movie: Box, trak: Box) -> TrackEnd | None:
    clocks = _content(path, movie, b"mvhd"), _content(path, trak, b"mdia", b"mdhd")
    movie_clock, media_clock = (_number(clock, 20 if clock[:1] == b"\1" else 12) for clock in clocks)
    samples, edits = _content(path, trak, b"mdia", b"minf", b"stbl", b"stts"), _content(path, trak, b"edts", b"elst")
    if not (movie_clock and media_clock and _number(samples, 4)):
        return None
    table = _edits(edits)
    edited = int(table["duration"].sum())
    last_sample = _number(samples, 8 * _number(samples, 4) + 4)
    return TrackEnd(
        Fraction(last_sample, media_clock), Fraction(edited, movie_clock) if edited else None, _is_retimed(table)
    )


def _edits(content: bytes) -> np.ndarray:
    """The edits of a track (N,): how long each lasts, where in the track it begins (-1: it is a pause), its speed."""
    width = 8 if content[:1] == b"\1" else 4
    entry = np.dtype([("duration", f">u{width}"), ("begin", f">i{width}"), ("speed", ">u4")])
    # A damaged size of the box may lead far behind its list.
    count = min(max(0, len(content) - 8) // entry.itemsize, _number(content, 4))
    return np.frombuffer(content, entry, count, 8) if count else np.zeros(0, entry)


def _is_retimed(edits: np.ndarray) -> bool:
    """Whether an edit list changes the speed, or pauses in between. A speed of zero everywhere means nothing."""
    played = np.flatnonzero(edits["begin"] >= 0)
    if not len(played):
        return False
    speeds = edits["speed"][played]
    return bool(played[-1] - played[0] >= len(played) or (speeds.any() and (speeds != _SPEED).any()))


def _content(path: Path, box: Box | None, *kinds: bytes) -> bytes:
    """The content of the first box that this path of ``kinds`` leads to; empty: there is none."""
    for kind in kinds:
        box = box and next((one for one in boxes(path, box) if one.kind == kind), None)
    if box is None:
        return b""
    with path.open("rb") as file:
        file.seek(box.content)
        return file.read(max(0, min(box.end - box.content, _MOST_BYTES)))  # a damaged size may be any number


def _number(content: bytes, at: int, size: int = 4) -> int:
    """The number of ``size`` bytes at a place of a box's content; 0 behind its end."""
    return int.from_bytes(content[at : at + size])


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
    """How many bytes a video lacks at its end, at least; 0: none, or its format does not tell.

    Of mp4 and its kin only those in fragments tell: in others, an index lists what there should be. MPEG streams
    and Ogg tell of their last packet, or page, only.

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
    end_of = _ENDS.get(format_name)
    return max(0, end_of(path) - size) if end_of else 0


def bytes_of_another(path: Path, format_name: str, end: int, *, jumps: bool) -> int:
    """How many bytes of another video follow in a file on one; 0: none, or its format does not tell.

    Args:
        path: the video.
        format_name: FFmpeg's name of its format.
        end: where in the file its packets end.
        jumps: its clock jumps back. Else a fragmented mp4 may repeat its header, and be one video.

    Raises:
        OSError: it cannot be read.
    """
    if head := _HEADS.get(format_name.split(",")[0]):
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            begin = data.find(head, end)
        return path.stat().st_size - begin if begin >= 0 else 0
    if not format_name.startswith("mov"):
        return 0
    found = list(boxes(path))
    kinds = [box.kind for box in found]
    if kinds.count(b"moov") < 2 or (b"moof" in kinds and not jumps):
        return 0
    second = kinds.index(b"moov", kinds.index(b"moov") + 1)
    begin = kinds.index(b"ftyp", 1) if b"ftyp" in kinds[1:second] else second
    return found[-1].end - found[begin - 1].end


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


def _end_of_ts(path: Path) -> int:
    """Where the last packet of an MPEG transport stream ends, of which all are equally long; 0: unknown."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4 * max(_TS_PACKETS))
        for length, sync in _TS_PACKETS.items():
            begin = next((at for at in range(length) if set(head[at + sync :: length]) == {_TS_SYNC}), None)
            if begin is not None:
                last = size - (size - begin) % length
                file.seek(last + sync)
                return last + length if file.read(1) == bytes([_TS_SYNC]) else 0
    return 0


def _end_of_ps(path: Path) -> int:
    """Where the last packet of an MPEG program stream ends; 0: unknown."""
    tail, before = _tail(path)
    at = tail.rfind(b"\0\0\1\xba")
    while 0 <= at < len(tail) - 3 and tail[at : at + 3] == b"\0\0\1":
        kind = tail[at + 3]
        if kind == _PS_PACK:
            # In MPEG-1 it has no stuffing, and is shorter.
            at += 14 + (tail[at + 13] & 7) if tail[at + 4 : at + 5] >= b"\x40" and len(tail) > at + 13 else 12
        elif kind > _PS_PACK:
            at += 6 + _number(tail, at + 4, 2)
        else:
            return 0 if kind != _PS_END else before + at + 4
    return before + at if at >= len(tail) else 0


def _end_of_ogg(path: Path) -> int:
    """Where the last page of an Ogg file ends; 0: unknown."""
    tail, before = _tail(path)
    at = tail.rfind(b"OggS\0")
    if at < 0 or len(tail) <= at + _OGG_SEGMENTS:
        return 0
    segments = at + _OGG_SEGMENTS + 1
    sizes = tail[segments : segments + tail[at + _OGG_SEGMENTS]]
    return before + segments + tail[at + _OGG_SEGMENTS] + sum(sizes)


def _tail(path: Path) -> tuple[bytes, int]:
    """The end of a file, in which a whole packet or page fits, and how many bytes come before it."""
    before = max(0, path.stat().st_size - _TAIL_BYTES)
    with path.open("rb") as file:
        file.seek(before)
        return file.read(), before


_ENDS: Mapping[str, Callable[[Path], int]] = {
    "avi": _end_of_avi,
    "asf": _end_of_asf,
    "mpegts": _end_of_ts,
    "mpeg": _end_of_ps,
    "ogg": _end_of_ogg,
}
"""Where a file should end, by FFmpeg's name of its format."""
