"""Interlaced H.264 in which each field is a picture of its own: two packets may then hold one frame.

So code camcorders (AVCHD) and broadcasters. Transport streams give each field a packet. Only the headers in a packet
tell whether it holds a field, and of which frame: sections 7.3.2.1 and 7.3.3 of ITU-T H.264 are their syntax.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from av.packet import Packet
from av.video.stream import VideoStream

SLICE_BYTES = 32
"""So many bytes of a slice are read: enough for the few numbers that it begins with."""

PARAMETER_BYTES = 1024
"""So many bytes of a sequence parameter set are read: more than any takes up to the flag that is sought."""

SEARCHED_BYTES = 2**16
"""A packet's first slice begins within so many bytes: parameter sets, captions and the encoder's notes come before."""

SLICES = (1, 5)
"""Types of units that hold a slice of a picture: of any, of an IDR picture."""

SEQUENCE_PARAMETER_SET = 7

PROFILES_WITH_CHROMA_FORMAT = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})

START_CODE = b"\0\0\1"


@dataclass(frozen=True)
class _Sequence:
    """What a sequence parameter set says of the slices that follow."""

    may_have_fields: bool
    frame_number_bits: int
    separate_colours: bool


class FieldPairs:
    """Finds the packets of a video that hold the second field of a frame."""

    def __init__(self, stream: VideoStream) -> None:
        header = bytes(stream.codec_context.extradata or b"")
        self._is_h264 = stream.codec_context.name == "h264"
        # In mp4 and mkv a header (avcC, ISO/IEC 14496-15) gives the size of the lengths that units begin with, and the
        # first sequence parameter set after its own length of two bytes. Elsewhere, units begin with a start code.
        self._length_bytes = (header[4] & 3) + 1 if header[:1] == b"\1" and len(header) > 8 else 0
        self._sequence: _Sequence | None = None
        if self._is_h264:
            self._first_slice(header[6:] if self._length_bytes else header, 2 if self._length_bytes else 0)
        self._first_field: tuple[int, bool] | None = None
        """Number of the frame whose second field is yet to come, and whether the first is the bottom one."""

    def completes(self, packet: "Packet[Any]") -> bool:
        """Whether the next packet of the file holds the second field of the frame before."""
        if not self._is_h264 or (self._sequence and not self._sequence.may_have_fields):
            return False
        field = self._first_slice(bytes(memoryview(packet)[:SEARCHED_BYTES]), self._length_bytes)
        awaited = self._first_field and (self._first_field[0], not self._first_field[1])
        completes = field is not None and field == awaited
        self._first_field = None if completes else field
        return completes

    def _first_slice(self, data: bytes, length_bytes: int) -> tuple[int, bool] | None:
        """Frame number of the field that ``data`` begins with, and whether it is the bottom field; None: a frame."""
        try:
            for unit in _units(data, length_bytes):
                if unit[0] & 31 == SEQUENCE_PARAMETER_SET:
                    self._sequence = _sequence(_Bits(unit[1:PARAMETER_BYTES]))
                elif unit[0] & 31 in SLICES:
                    return _field(_Bits(unit[1:SLICE_BYTES]), self._sequence) if self._sequence else None
        except (IndexError, ValueError):  # damaged
            pass
        return None


class _Bits:
    """Reads the bits of a unit from its beginning."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\0\0\3", b"\0\0")  # the third byte only keeps start codes out
        self._bits = f"{int.from_bytes(data):0{8 * len(data)}b}"
        self._at = 0

    def number(self, bits: int) -> int:
        """An unsigned number of so many bits: u(n)."""
        self._at += bits
        return int(self._bits[self._at - bits : self._at], 2)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number: ue(v)."""
        zeros = self._bits.index("1", self._at) - self._at
        return self.number(2 * zeros + 1) - 1


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """The beginning of each NAL unit in ``data``; without ``length_bytes``, units begin with a start code."""
    if not length_bytes:
        at = data.find(START_CODE)
        while at >= 0:
            yield data[at + 3 : at + 3 + PARAMETER_BYTES]
            at = data.find(START_CODE, at + 3)
        return
    at = 0
    while at + length_bytes < len(data):
        length = int.from_bytes(data[at : at + length_bytes])
        at += length_bytes
        yield data[at : at + min(length, PARAMETER_BYTES)]
        at += length


def _sequence(bits: _Bits) -> _Sequence:
    """Read a sequence parameter set up to the flag that tells whether all pictures are frames."""
    profile = bits.number(8)
    bits.number(16)
    bits.golomb()
    colours = separate = 0
    if profile in PROFILES_WITH_CHROMA_FORMAT:
        colours = bits.golomb()
        separate = bits.number(1) if colours == 3 else 0
        bits.golomb(), bits.golomb(), bits.number(1)
        for index in range((12 if colours == 3 else 8) if bits.number(1) else 0):
            if bits.number(1):
                _pass_over_scaling_list(bits, 16 if index < 6 else 64)
    frame_number_bits = bits.golomb() + 4
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.number(1), bits.golomb(), bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()
    bits.golomb(), bits.number(1), bits.golomb(), bits.golomb()
    return _Sequence(not bits.number(1), frame_number_bits, bool(separate))


def _pass_over_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            following = (last + (code + 1) // 2 * (1 if code % 2 else -1)) % 256
        last = following or last


def _field(bits: _Bits, sequence: _Sequence) -> tuple[int, bool] | None:
    """Read the beginning of a slice: the number of its frame and whether it is a bottom field; None: it is a frame."""
    bits.golomb(), bits.golomb(), bits.golomb()
    if sequence.separate_colours:
        bits.number(2)
    frame_number = bits.number(sequence.frame_number_bits)
    is_field = sequence.may_have_fields and bits.number(1)
    return (frame_number, bool(bits.number(1))) if is_field else None
