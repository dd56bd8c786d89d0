"""A film's index: what its packets say of every frame, read once without decoding any."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from fer_batch.errors import MediaError
from fer_batch.sampling import Clock

PLAYLISTS = frozenset({"hls", "dash", "concat", "image2", "image2pipe", "lavfi"})
"""Formats that only point to other files, which an input must not make us read."""

ANNOUNCED_SLACK = Fraction(1)
"""Seconds by which a container may end before the duration that it announces, before it counts as cut off."""

LARGEST_HEADER = 16384
"""Bytes that may lie between two packets: headers of blocks and clusters, and the other parts of a laced block."""

HEADERS_KNOW_DURATION = ("mov", "matroska", "avi", "flv", "asf")
"""Formats whose header holds a duration; elsewhere it is only guessed from the size."""


@dataclass(frozen=True)
class FilmIndex:
    """Every frame's stamp, in presentation order."""

    stamps: np.ndarray
    """(N,) int64, sorted, in units of the clock's time base."""
    keyframes: np.ndarray
    """(K,) int64, sorted: stamps at which decoding can begin."""
    end_stamp: int
    """Where the last frame ends: its stamp and its packet's duration."""
    complete: bool
    """Every packet has a stamp, but for as many as are marked as corrupt: a damaged place may cost a neighbour's."""
    packets: int
    """Packets with a picture, stamped or not."""
    clock: Clock
    facts: dict[str, Any]
    """What a reader wants to know of the file, ready for JSON."""
    damage: str | None
    """What the packets alone show to be wrong; None: nothing."""

    @property
    def exact(self) -> bool:
        """Stamps tell every frame from every other."""
        return self.complete and bool((np.diff(self.stamps) > 0).all())


@dataclass
class Holes:
    """Bytes of a file that no packet accounts for.

    Matroska's packets lie one behind the other. Where it is damaged, FFmpeg goes on at the next cluster, and nothing
    but the hole tells of the frames that it passed over.
    """

    bytes: int = 0
    _reached: int | None = None

    def add(self, packet: "Packet[Any]") -> None:
        """Take the next packet, in the order of the file."""
        if packet.pos is None or packet.pos < 0:
            return
        if self._reached is not None and packet.pos - self._reached > LARGEST_HEADER:
            self.bytes += packet.pos - self._reached
        self._reached = max(self._reached or 0, packet.pos + packet.size)


def open_film(path: Path) -> InputContainer:
    """Open a film for reading; nothing but this file is ever opened on its behalf.

    Raises:
        MediaError: it is empty, unreadable, or not a film.
    """
    try:
        container = av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if path.is_file() and path.stat().st_size == 0:
            raise MediaError("The file is empty.") from None
        raise MediaError(f"Cannot be opened as a film: {_reason(error)}.") from error
    if PLAYLISTS & set(container.format.name.split(",")):
        container.close()
        raise MediaError("A playlist, not a film: it only points to other files.")
    return container


def picture_stream(container: InputContainer) -> VideoStream:
    """The stream to look at: FFmpeg's choice of the best, cover pictures apart.

    Raises:
        MediaError: there is none.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not films:
        raise MediaError("There is no film in it, only sound or a cover picture.")
    best = container.streams.best("video")
    return best if best in films and isinstance(best, VideoStream) else films[0]


def read_index(path: Path, alive: Callable[[], object] = lambda: None) -> FilmIndex:
    """Read all packets of a film, decoding none; ``alive`` is called for each.

    Raises:
        MediaError: it cannot be opened, or holds no picture.
    """
    with open_film(path) as container:
        stream = picture_stream(container)
        time_base = stream.time_base or Fraction(1, 1000)
        timed = {one.index for one in container.streams if one.type in ("video", "audio") and not _is_cover(one)}
        stamps: list[int] = []
        keyframes: list[int] = []
        packets = corrupt = stampless = 0
        end_stamp, reached = 0, Fraction(0)
        holes = Holes()
        # AVI holds no other times than those of decoding; FFmpeg guesses presentation times, late by B-frames.
        decoding_times = container.format.name == "avi"
        broken: str | None = None
        try:
            for packet in container.demux():
                alive()
                if packet.size == 0 or packet.is_discard:
                    continue
                holes.add(packet)
                if packet.stream_index not in timed:
                    continue
                reached = max(reached, _end(packet))
                if packet.stream_index != stream.index:
                    continue
                packets += 1
                corrupt += packet.is_corrupt
                stamp = packet.dts if decoding_times else packet.pts
                if stamp is None:
                    stampless += 1
                    continue
                stamps.append(stamp)
                end_stamp = max(end_stamp, stamp + (packet.duration or 0))
                if packet.is_keyframe:
                    keyframes.append(stamp)
        except (av.error.FFmpegError, OSError) as error:
            broken = f"Reading broke off after {packets} frames: {_reason(error)}."
        if packets == 0:
            raise MediaError(broken or "There is a film in it by name, but not one frame.")
        zero = _zero(container)
        return FilmIndex(
            stamps=np.sort(np.array(stamps, np.int64)),
            keyframes=np.sort(np.array(keyframes, np.int64)),
            end_stamp=end_stamp,
            complete=stampless <= corrupt,
            packets=packets,
            clock=Clock(time_base, zero),
            facts=_facts(path, container, stream, zero, packets),
            damage=broken or _damage(container, stream, packets, corrupt, reached, holes),
        )


def _damage(
    container: InputContainer, stream: VideoStream, packets: int, corrupt: int, reached: Fraction, holes: "Holes"
) -> str | None:
    """What the packets, held against the header, show to be wrong."""
    known = container.format.name.startswith(HEADERS_KNOW_DURATION)
    if known and container.duration is not None:
        announced = Fraction(container.duration + (container.start_time or 0), 1_000_000)
        if announced - reached > ANNOUNCED_SLACK:
            return f"Cut off: its header announces {float(announced):.3f} s, but it ends after {float(reached):.3f} s."
    if container.format.name.startswith("mov") and stream.frames > packets:
        return f"Cut off: its header announces {stream.frames} frames, but only {packets} are there."
    if container.format.name.startswith("matroska") and holes.bytes:
        return f"Damaged: {holes.bytes} bytes between its packets could not be read, and what was in them is missing."
    if corrupt:
        return f"{corrupt} of {packets} packets are marked as corrupt."
    return None


def _zero(container: InputContainer) -> Fraction:
    """Start of the earliest stream in seconds, exactly; the container's own figure is rounded to microseconds."""
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.type in ("video", "audio") and stream.start_time is not None and stream.time_base
        if not _is_cover(stream)
    ]
    return min(starts, default=Fraction(0))


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _end(packet: "Packet[Any]") -> Fraction:
    if packet.pts is None or packet.time_base is None:
        return Fraction(0)
    return (packet.pts + (packet.duration or 0)) * packet.time_base


def _facts(path: Path, container: InputContainer, stream: VideoStream, zero: Fraction, packets: int) -> dict[str, Any]:
    start = None if stream.start_time is None or stream.time_base is None else stream.start_time * stream.time_base
    return {
        "container": container.format.name,
        "codec": stream.codec_context.name,
        "profile": stream.profile,
        "pixel_format": stream.codec_context.pix_fmt,
        "width": stream.codec_context.width,
        "height": stream.codec_context.height,
        "time_base": str(stream.time_base),
        "container_start": float(zero),
        "stream_start": None if start is None else float(start),
        "frames": packets,
        "bytes": path.stat().st_size,
    }


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")
