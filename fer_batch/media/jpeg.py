"""Decodes JPEGs by simplejpeg, which says where libjpeg-turbo patches up damage.

Pillow and OpenCV pass these warnings over. FFmpeg's decoder, told to give up on errors, notices fewer. Of 1,944
damaged JPEGs (cut off, closed after a cut, a tenth or a sector zeroed, parts swapped, a bit flipped), it told of 1,589,
simplejpeg of 1,706: of all that were cut off or lost a tenth of their data, but for two that end between two scans of
a progressive JPEG. Where there is no warning, the pixels are those of Pillow. A photo of 12 megapixels takes 33 ms at a
quarter of its size and 43 ms at full size. Pillow takes 34 and 62.
"""

import re
from collections.abc import Iterator

import numpy as np
import simplejpeg

END = b"\xff\xd9"
"""The marker at the end of a JPEG."""

CUT_OFF = "Cut off: a part of the photo is missing."
DAMAGED = "Damaged: a part of the photo may be missing or wrong."

_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Second bytes of the markers before an image's size (ITU-T T.81, table B.1)."""

_COSINE_MARKERS = _FRAME_MARKERS - {0xC3, 0xC7, 0xCB, 0xCF}
"""Those of images that are not lossless."""

_APP_2, _SCAN = 0xE2, 0xDA

_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_COLOUR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""By Pillow's mode."""


def decode(data: bytes, mode: str, width: int, height: int) -> tuple[np.ndarray | None, str | None]:
    """The pixels of a JPEG, and what is damaged in it, in a sentence; None: nothing.

    ``data`` may hold more after the JPEG. ``mode`` is Pillow's for it. The pixels are (height, width, channels) uint8,
    at the smallest scale at which they are at least ``width`` and ``height``, or in full size; those of CMYK are
    inverted. None: the library cannot decode it, for instance because its colours have an unusual resolution.
    """
    if not may_be_reduced(data):
        width = height = 0
    try:
        return _decode(data, mode, width, height, strict=True), None
    except (KeyError, ValueError) as error:
        warning = str(error)
    try:
        pixels = _decode(data, mode, width, height, strict=False)
    except (KeyError, ValueError):
        return None, DAMAGED if "Corrupt" in warning else None
    if "Premature end of JPEG file" in warning:
        try:
            return _decode(data + END, mode, width, height, strict=True), None  # only the end marker is missing
        except ValueError:
            return pixels, CUT_OFF
    left_over = _LEFT_OVER.search(warning)
    is_padding = left_over is not None and bytes(int(left_over[1])) + END in data  # some cameras fill up with zeros
    return pixels, None if is_padding else DAMAGED


def _decode(data: bytes, mode: str, width: int, height: int, *, strict: bool) -> np.ndarray:
    """Decode a JPEG; ``strict``: raise a ValueError at the first warning of libjpeg."""
    colour_space = _COLOUR_SPACES[mode]
    return np.asarray(simplejpeg.decode_jpeg(data, colour_space, min_width=width, min_height=height, strict=strict))


def may_be_reduced(data: bytes) -> bool:
    """Whether a JPEG consists of cosine terms, of which some can be left out; others are lossless (T.81, annex H).

    If told to decode those at a reduced size, libjpeg-turbo gives them whole, and simplejpeg has it write beyond the
    end of the memory for the reduced ones.
    """
    return next((marker in _COSINE_MARKERS for marker, _, _ in _segments(data) if marker in _FRAME_MARKERS), False)


def is_sequence(data: bytes) -> bool:
    """Whether another JPEG of the same size follows directly on the first one: then they are frames of a video.

    JPEGs in one file of which the first tells (MPO, CIPA DC-007) are not a sequence. ``data`` may be cut off.
    """
    first = _frame_of(data)
    if first is None:
        return False
    end = data.find(END, first[1])
    return (
        end >= 0 and (second := _frame_of(data[end + len(END) :].lstrip(b"\0"))) is not None and second[0] == first[0]
    )


def _frame_of(data: bytes) -> tuple[bytes, int] | None:
    """A JPEG's height and width as it stores them, and where its first scan begins; None: it has none, or is an MPO."""
    size = b""
    for marker, begin, end in _segments(data):
        if marker in _FRAME_MARKERS:
            size = data[begin + 1 : begin + 5]
        if marker == _APP_2 and data.startswith(b"MPF\0", begin):
            return None
        if marker == _SCAN:
            return (size, end) if size else None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The second byte of each marker up to the first scan's, and where its content begins and ends (T.81, B.1)."""
    at, marker = 2, 0
    while data.startswith(b"\xff\xd8\xff") and marker != _SCAN and data[at : at + 1] == b"\xff":
        while data[at : at + 1] == b"\xff":  # any number of them may fill up the place before a marker
            at += 1
        if at + 3 > len(data):
            return
        marker, begin = data[at], at + 3
        at = at + 1 + int.from_bytes(data[at + 1 : begin])
        yield marker, begin, at
