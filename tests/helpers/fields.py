"""Interlaced H.264 in which pictures are single fields, as AVCHD camcorders write it; no encoder at hand does.

The syntax is that of ITU-T H.264, 7.3. Every macroblock holds its pixels as they are (I_PCM), so that each picture is
the same whatever came before it.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.helpers import media

SIDE = 64
"""Width and height of the video."""

DELIMITER = b"\0\0\0\1\x09\x10"

TICKS = 3600
"""Of 90,000 a second: a frame lasts 40 ms."""


class _Writer:
    """Writes bits."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def number(self, value: int, bits: int = 1) -> None:
        """u(n)."""
        self._bits.append(f"{value:0{bits}b}")

    def golomb(self, *values: int) -> None:
        """ue(v); se(v) of 0 is the same."""
        for value in values:
            binary = f"{value + 1:b}"
            self._bits.append("0" * (len(binary) - 1) + binary)

    def align(self) -> None:
        self._bits.append("0" * (-len("".join(self._bits)) % 8))

    def content(self, content: bytes) -> None:
        """Whole bytes, after :meth:`align`."""
        self._bits.append("".join(f"{byte:08b}" for byte in content))

    def unit(self, header: int) -> bytes:
        """All of it as a NAL unit with a start code."""
        self.number(1)
        self.align()
        bits = "".join(self._bits)
        payload = int(bits, 2).to_bytes(len(bits) // 8)
        escaped, zeros = bytearray(), 0
        for byte in payload:
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\0\0\0\1" + bytes([header]) + bytes(escaped)


def _sequence() -> bytes:
    """Main profile, frames and fields, 50 fields a second."""
    writer = _Writer()
    for value, bits in ((77, 8), (0, 8), (40, 8)):
        writer.number(value, bits)
    writer.golomb(0, 0, 2, 1)  # four bits for a frame's number; shown in the order of decoding
    writer.number(0)
    writer.golomb(SIDE // 16 - 1, SIDE // 32 - 1)
    for flag in (0, 0, 1, 0, 1):  # not only frames; no mix of both within a frame
        writer.number(flag)
    for flag in (0, 0, 0, 0, 1):
        writer.number(flag)
    writer.number(1, 32)
    writer.number(50, 32)
    for flag in (1, 0, 0, 0, 0):
        writer.number(flag)
    return writer.unit(0x67)


def _pictures() -> bytes:
    """The picture parameter set."""
    writer = _Writer()
    writer.golomb(0, 0)
    writer.number(0, 2)
    writer.golomb(0, 0, 0)
    writer.number(0, 3)
    writer.golomb(0, 0, 0)
    writer.number(0b100, 3)
    return writer.unit(0x68)


def _picture(luma: np.ndarray, number: int, first: bool, bottom: bool | None) -> bytes:
    """A picture of ``luma`` (height, width) in one slice; ``bottom``: which field it is, None: a frame."""
    writer = _Writer()
    writer.golomb(0, 7, 0)
    writer.number(number, 4)
    writer.number(bottom is not None)
    if bottom is not None:
        writer.number(bottom)
    if first:
        writer.golomb(0)
        writer.number(0, 2)
    else:
        writer.number(0)
    writer.golomb(0, 1)
    for top in range(0, luma.shape[0], 16):
        for left in range(0, SIDE, 16):
            writer.golomb(25)
            writer.align()
            writer.content(luma[top : top + 16, left : left + 16].tobytes() + bytes([128]) * 128)
    return writer.unit(0x65 if first else 0x61)


def frames(count: int, as_frames: Iterable[int] = (), keyframe_every: int = 10) -> list[list[bytes]]:
    """The pictures of each frame: two fields, but one picture for those whose number is in ``as_frames``."""
    found, whole = [], set(as_frames)
    for number in range(count):
        place = number % keyframe_every
        luma = np.full((SIDE, SIDE), 16 + round(media.level(number) * 219 / 255), np.uint8)
        head = DELIMITER + (_sequence() + _pictures() if place == 0 else b"")
        if number in whole:
            found.append([head + _picture(luma, place, place == 0, None)])
        else:
            top, bottom = (
                _picture(luma[parity::2], place, place == 0 and not parity, bool(parity)) for parity in (0, 1)
            )
            found.append([head + top, DELIMITER + bottom])
    return found


def write(path: Path, pictures: Sequence[Sequence[bytes]], in_pairs: bool) -> Path:
    """A video of these frames; ``in_pairs``: both fields of a frame in one packet, else each in its own."""
    raw = path.with_suffix(".264")
    raw.write_bytes(b"".join(b"".join(fields) for fields in pictures))
    with av.open(str(raw), format="h264") as origin, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(origin.streams.video[0])
        stream.time_base = Fraction(1, 90_000)
        for number, fields in enumerate(pictures):
            parts = [b"".join(fields)] if in_pairs else fields
            for part, content in enumerate(parts):
                packet = av.Packet(content)
                packet.duration = TICKS // len(parts)
                packet.pts = packet.dts = TICKS * number + packet.duration * part
                packet.time_base, packet.stream = Fraction(1, 90_000), stream
                packet.is_keyframe = number % 10 == 0 and part == 0
                container.mux(packet)
    return path
