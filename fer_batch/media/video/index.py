"""A film's index: what its packets say of every frame, read once without decoding any."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from fer_batch.errors import MediaError
from fer_batch.media.sampling import Clock
from fer_batch.media.video.timestamps import Timestamps

POINTERS = frozenset("concat dash hls image2 image2pipe lavfi rtp rtsp sap sdp tty vobsub webm_dash_manifest".split())
"""Formats that only point to other files, which an input must not make us read, or that make a film of any text."""

POINTER_HEADS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"v=0")
"""How the files of most of them begin."""

MAX_PIXELS = 2**27
"""Of a film's frame: 16384x8192. A header may claim any number, and a decoder would make room for it."""

MOST_STRETCHED = 8
"""Times as wide as high, or as high as wide, a pixel may be; what says more is not believed."""

INTERLACED = frozenset({2, 3, 4, 5})
"""Of FFmpeg's orders of fields: two fields, in any order of coding and showing."""

HIGH_RANGES = {16: "HDR (PQ)", 18: "HDR (HLG)"}
"""Transfer functions of high dynamic range (ITU-T H.273: SMPTE ST 2084, ARIB STD-B67)."""

ANNOUNCED_SLACK = Fraction(1)
"""Seconds by which a container may end before the duration that it announces, before it counts as cut off."""

READ_TIMEOUT_SECONDS = 15.0
"""Seconds that FFmpeg may go on in one file, for its header or for one packet, before it is taken to go in circles."""

LARGEST_HEADER = 16384
"""Bytes that may lie between two packets: headers of blocks and clusters, and the other parts of a laced block."""

FORMATS_WITH_DURATION = ("mov", "matroska", "avi", "flv", "asf")
"""Formats whose header holds a duration; elsewhere it is only guessed from the size."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class VideoIndex:
    """Every frame's stamp, in presentation order."""

    pts: np.ndarray
    """(N,) int64, sorted, in units of the clock's time base."""
    keyframes: np.ndarray
    """(K,) int64, sorted: stamps at which decoding can begin."""
    end_pts: int
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
    corrected: bool = False
    """Some stamps are not those that the decoder will give: they were missing, of a clock that jumped, or AVI's."""
    notes: tuple[str, ...] = ()
    """What a reader of the tables must know, though nothing is damaged."""

    @property
    def exact(self) -> bool:
        """Stamps, as the container holds them, tell every frame from every other."""
        return self.complete and not self.corrected and bool((np.diff(self.pts) > 0).all())


@dataclass
class MissingBytes:
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


def open_video(path: Path) -> InputContainer:
    """Open a film for reading; nothing but this file is ever opened on its behalf.

    Reading is not buffered by FFmpeg, only by the system: FFmpeg looks at the clock where it asks for bytes, and in a
    buffer it can go in circles for ever.

    Raises:
        MediaError: it is empty, unreadable, or not a film.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "avioflags": "direct"}
    try:
        return av.open(str(path), metadata_errors="replace", options=options, timeout=READ_TIMEOUT_SECONDS)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        head = _head(path)
        if head == b"":
            raise MediaError("The file is empty.") from None
        if head is not None and head.startswith(POINTER_HEADS):
            raise MediaError("A playlist, not a film: it only points to other files.") from None
        raise MediaError(f"Cannot be opened as a film: {_reason(error)}.") from error


def _readable_formats() -> str:
    """FFmpeg's readers that may be used, as its option wants them."""
    names: set[str] = set()
    for name in av.formats_available:
        with suppress(ValueError):  # it writes only
            names |= set(av.ContainerFormat(name, "r").name.split(","))
    return ",".join(sorted(names - POINTERS))


FORMATS = _readable_formats()
"""All but those of ``POINTERS``."""


def _head(path: Path) -> bytes | None:
    """The first bytes of a regular file that can be read."""
    try:
        with path.open("rb") as file:
            return file.read(16) if path.is_file() else None
    except OSError:
        return None


def video_stream(container: InputContainer) -> VideoStream:
    """The stream to look at: FFmpeg's choice of the best, cover pictures apart.

    Raises:
        MediaError: there is none.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        raise MediaError("There is no film in it, only sound or a cover picture.")
    videos = [stream for stream in videos if stream.codec_context is not None]
    if not videos:
        raise MediaError("There is a film in it, but in a codec that FFmpeg does not know: convert it.")
    best = container.streams.best("video")
    return best if best in videos and isinstance(best, VideoStream) else videos[0]


def packets(container: InputContainer, *streams: VideoStream) -> "Iterator[Packet[Any]]":
    """The packets of these streams, or of all, and last an empty one for each, which empties its decoder.

    PyAV does not know streams that turn up on the way, and stops with an IndexError when it comes to empty theirs: then
    all that there is has been given.
    """
    with suppress(IndexError):
        yield from container.demux(*streams)


def read_index(path: Path) -> VideoIndex:
    """Read all packets of a video, without decoding any.

    Raises:
        MediaError: it cannot be opened, or has no video stream.
    """
    return finish(reading_index(path))


def finish(steps: Generator[None, None, _Result]) -> _Result:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _Result = end.value
            return result


def reading_index(path: Path) -> Generator[None, None, VideoIndex]:
    """:func:`read_index` in steps: yields None after each packet, so that a worker can show that it is not hanging."""
    with open_video(path) as container:
        stream = video_stream(container)
        _refuse_sizes(stream)
        timed = {one.index for one in container.streams if one.type in ("video", "audio") and not _is_cover(one)}
        timestamps = Timestamps(stream.time_base or Fraction(1, 1000))
        discarded = 0
        ends: dict[int, int] = {}
        holes = MissingBytes()
        # AVI holds no other times than those of decoding; FFmpeg guesses presentation times, late by B-frames.
        decoding_times = container.format.name == "avi"
        broken: str | None = None
        try:
            for packet in packets(container):
                yield
                if packet.size == 0:
                    continue
                if packet.is_discard:
                    discarded += packet.stream_index == stream.index
                    continue
                holes.add(packet)
                if packet.stream_index in timed and packet.pts is not None:
                    end = packet.pts + (packet.duration or 0)
                    ends[packet.stream_index] = max(end, ends.get(packet.stream_index, end))
                if packet.stream_index == stream.index:
                    timestamps.add(packet, decoding_times)
        except (av.error.FFmpegError, OSError) as error:
            broken = f"Reading broke off after {len(timestamps.found)} frames: {_reason(error)}."
        if not timestamps.found:
            raise MediaError(broken or "There is a film in it by name, but not one frame.")
        zero = _zero(container)
        return VideoIndex(
            pts=np.sort(np.array(timestamps.filled() if timestamps.fillable else timestamps.known, np.int64)),
            keyframes=np.sort(np.array(timestamps.keyframes, np.int64)),
            end_pts=timestamps.end or 0,
            complete=timestamps.fillable or timestamps.missing <= timestamps.corrupt,
            packets=len(timestamps.found),
            clock=Clock(timestamps.time_base, zero),
            facts=_facts(path, container, stream, zero, len(timestamps.found)),
            damage=broken or _damage(container, stream, timestamps, discarded, _reached(container, ends), holes),
            corrected=timestamps.fillable or timestamps.differ_from_decoder or bool(timestamps.jumps),
            notes=tuple(_notes(container, timestamps)),
        )


def _refuse_sizes(stream: VideoStream) -> None:
    """Refuse what no camera makes, before a decoder makes room for it."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"Its frames are {width}x{height}, more than the {MAX_PIXELS // 10**6} megapixels that are looked at: "
            "scale it down."
        )


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a stored pixel in heights; 1 where the film does not say, or says what cannot be."""
    aspect = stream.sample_aspect_ratio
    believed = aspect is not None and Fraction(1, MOST_STRETCHED) <= aspect <= MOST_STRETCHED
    return Fraction(aspect) if aspect is not None and believed else Fraction(1)


def _notes(container: InputContainer, timestamps: Timestamps) -> Iterator[str]:
    """What is not damage, but is told."""
    videos = sum(not _is_cover(stream) for stream in container.streams.video)
    if videos > 1:
        yield f"It holds {videos} video streams; only the default one is looked at."
    if timestamps.jumps:
        yield (
            f"Its clock jumps back, first at frame {timestamps.jumps[0]} ({len(timestamps.jumps)} times in all): its "
            "times go on from where they were, as of films put one behind the other."
        )
    if timestamps.fillable:
        yield (
            f"It gives no time for {timestamps.missing} of its {len(timestamps.found)} frames: theirs are set between "
            "those of their neighbours."
        )


def _damage(
    container: InputContainer,
    stream: VideoStream,
    timestamps: Timestamps,
    discarded: int,
    reached: Fraction,
    holes: MissingBytes,
) -> str | None:
    """What the packets, held against the header, show to be wrong."""
    packets = len(timestamps.found)
    known = container.format.name.startswith(FORMATS_WITH_DURATION)
    if known and container.duration is not None:
        announced = Fraction(container.duration + (container.start_time or 0), 1_000_000)
        if announced - reached > ANNOUNCED_SLACK:
            return f"Cut off: its header announces {float(announced):.3f} s, but it ends after {float(reached):.3f} s."
    # Not the header's own count: an edit list may leave frames out, of which the reader's index knows.
    listed = len(stream.index_entries) - discarded
    if container.format.name.startswith("mov") and listed > packets:
        return f"Cut off: its header announces {listed} frames, but only {packets} are there."
    if container.format.name.startswith("matroska") and holes.bytes:
        return f"Damaged: {holes.bytes} bytes between its packets could not be read, and what was in them is missing."
    if timestamps.corrupt:
        return f"{timestamps.corrupt} of {packets} packets are marked as corrupt."
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


def _reached(container: InputContainer, ends: Mapping[int, int]) -> Fraction:
    """Seconds at which the last packet ends; ``ends`` are in each stream's own time base, by the stream's index."""
    bases = {one.index: one.time_base or Fraction(0) for one in container.streams}
    return max([Fraction(0), *(end * bases[at] for at, end in ends.items())])


def _facts(path: Path, container: InputContainer, stream: VideoStream, zero: Fraction, packets: int) -> dict[str, Any]:
    start = None if stream.start_time is None or stream.time_base is None else stream.start_time * stream.time_base
    codec = stream.codec_context
    oddities = {
        "stream": stream.index if len(container.streams.video) > 1 else None,
        "pixel_aspect": str(pixel_aspect(stream)) if pixel_aspect(stream) != 1 else None,
        "scan": "interlaced" if codec.field_order in INTERLACED else None,
        "dynamic_range": HIGH_RANGES.get(codec.color_trc),
    }
    return {
        "container": container.format.name,
        "codec": codec.name,
        "profile": stream.profile,
        "pixel_format": codec.pix_fmt,
        "width": codec.width,
        "height": codec.height,
        "time_base": str(stream.time_base),
        "container_start": float(zero),
        "stream_start": None if start is None else float(start),
        "frames": packets,
        "bytes": path.stat().st_size,
        **{name: value for name, value in oddities.items() if value is not None},
    }


def _reason(error: Exception) -> str:
    if isinstance(error, av.error.ExitError):
        return f"nothing more of it could be read in {READ_TIMEOUT_SECONDS:g} s"
    return str(getattr(error, "strerror", None) or error).rstrip(".")
