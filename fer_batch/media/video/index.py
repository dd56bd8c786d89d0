"""A video's index: the timestamps of all frames, read from the packets without decoding them."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from fer_batch.errors import MediaError, number_of
from fer_batch.media.sampling import Clock
from fer_batch.media.video import layout
from fer_batch.media.video.encryption import ENCRYPTED, is_encrypted
from fer_batch.media.video.fields import FieldPairs
from fer_batch.media.video.layout import TrackEnd
from fer_batch.media.video.timestamps import SEAM_PACKETS, Timestamps, frame_ends

PLAYLIST_FORMATS = frozenset(
    "adf bin concat dash hls idf image2 image2pipe lavfi rtp rtsp sap sdp tty vobsub webm_dash_manifest xbin".split()
)
"""FFmpeg's formats that open other files, which no input may make fer-batch do, or that show any data as a video."""

PLAYLIST_HEADS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"v=0")
"""First bytes of files in most of these formats."""

MAX_PIXELS = 2**27
"""Largest frame: 16384x8192. A damaged header may give any size, and the decoder would allocate memory for it."""

MAX_PIXEL_ASPECT = 8
"""Greatest ratio of a pixel's width and height, or height and width. With a greater ratio, it is taken as square."""

INTERLACED_FIELD_ORDERS = frozenset({2, 3, 4, 5})
"""FFmpeg's AV_FIELD_TT, _BB, _TB and _BT: the codes for interlaced video."""

HDR_TRANSFERS = {16: "HDR (PQ)", 18: "HDR (HLG)"}
"""Codes of transfer functions for high dynamic range (ITU-T H.273: SMPTE ST 2084, ARIB STD-B67)."""

DURATION_TOLERANCE_SECONDS = Fraction(1)
"""A video that ends earlier than its header says, by more than this, is reported as cut off."""

READ_TIMEOUT_SECONDS = 15.0
"""Longest time that FFmpeg may take for a file's header, or for one packet. On damaged files it may never return."""

MAX_BYTES_BETWEEN_PACKETS = 16384
"""Bytes that may lie between two Matroska packets: headers of blocks and clusters, other parts of a laced block."""

FORMATS_WITHOUT_TIMES = ("cavsvideo", "dnxhd", "h261", "h263", "mjpeg", "obu", "vc1")
"""Formats without times or a frame rate, for which FFmpeg assumes 25 frames per second."""

NEAR = 16
"""Frames before and after a place in a file among whose times those of missing frames would be: an H.264 decoder
reorders at most so many."""

FORMATS_WITH_DURATION = ("mov", "matroska", "avi", "flv", "asf")
"""Formats that store the duration in the header. For others, FFmpeg estimates it from the file's size."""

FORMATS_WITH_DURATION_OF_STREAMS = ("mov", "avi")
"""Of these, formats that store it for each stream."""

FORMATS_OF_DECODING_TIMES = ("avi", "asf")
"""Formats that store decoding times only. FFmpeg's estimates of presentation times are late by the number of B-frames:
the k-th frame that is shown gets the k-th decoding time."""

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class VideoIndex:
    """The timestamps and keyframes of a video of N frames, and facts about the file."""

    pts: np.ndarray
    """(N,) int64: presentation timestamps, sorted, in units of the clock's time base."""
    keyframes: np.ndarray
    """(K,) int64, sorted: the pts at which decoding can begin."""
    ends: np.ndarray
    """(N,) int64: the pts at which each frame ends: where the next one begins, unless there is a gap between them; for
    the last one its own pts and its packet's duration."""
    complete: bool
    """All frames have a pts, or it can be filled in; or no more frames lack one than packets are marked as corrupt."""
    packets: int
    """Number of the stream's packets that hold a frame, with or without a pts."""
    clock: Clock
    facts: dict[str, Any]
    """Properties of the file, ready for JSON."""
    damage: str | None
    """What the packets show to be damaged, in a sentence; None: nothing."""
    corrected: bool = False
    """Some pts differ from those that the decoder will give: they were missing, came after a jump of the clock, or are
    AVI's."""
    notes: tuple[str, ...] = ()
    """What users should know about an undamaged file, in sentences."""

    @property
    def exact(self) -> bool:
        """Whether the pts in the container identify each frame."""
        return self.complete and not self.corrected and bool((np.diff(self.pts) > 0).all())


@dataclass
class MissingBytes:
    """Finds bytes of a Matroska file that belong to no packet.

    In Matroska, each packet follows directly on the one before, but for other elements. After damage, FFmpeg goes on at
    the next cluster. That frames were left out shows only in the gap between two packets, and in the frames' times.
    """

    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Numbers of frames that come before a gap in the file, and of bytes in it."""
    end: int = 0
    """Position in the file at which the packets so far end."""
    begun: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By stream index: number of frames that come before its first packet, and where the packets before that end."""

    def add(self, packet: "Packet[Any]", frames: int) -> None:
        """Add the next packet of the file, which ``frames`` frames come before."""
        self.begun.setdefault(packet.stream_index, (frames, self.end))
        if packet.pos is None or packet.pos < 0:
            return
        if self.end and packet.pos - self.end > MAX_BYTES_BETWEEN_PACKETS:
            self.gaps.append((frames, packet.pos - self.end))
        self.end = max(self.end, packet.pos + packet.size + _additional_bytes(packet))

    def bytes(self, pts: Sequence[int | None]) -> int:
        """Number of bytes in the gaps at which frames are missing, given the ``pts`` of all frames in file order."""
        return sum(count for frames, count in self.gaps if _has_gap(pts[max(0, frames - NEAR) : frames + NEAR]))


def _has_gap(pts: Sequence[int | None]) -> bool:
    """Whether one of successive frames lasts longer than the others; or if that is not known."""
    steps = np.diff(sorted(one for one in pts if one is not None))
    return not len(steps) or bool(2 * steps.max() > 3 * np.median(steps))


def _additional_bytes(packet: "Packet[Any]") -> int:
    """Bytes that follow on a Matroska packet and belong to it, such as a frame's transparency."""
    kind: Any = "matroska_block_additional"
    return packet.get_sidedata(kind).buffer_size if packet.has_sidedata(kind) else 0


def open_video(path: Path) -> InputContainer:
    """Open a video for reading. FFmpeg cannot open any other file because of it.

    FFmpeg does not buffer what it reads (the system does): it checks READ_TIMEOUT_SECONDS only when it reads from the
    file, and within a buffer it may loop for ever.

    Raises:
        MediaError: it is empty, unreadable, or not a video.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "avioflags": "direct"}
    jpegs = (_head(path) or b"").startswith(b"\xff\xd8\xff")  # FFmpeg takes them for a photo, or for nothing
    try:
        return av.open(
            str(path),
            format="mjpeg" if jpegs else None,
            metadata_errors="replace",
            options=options,
            timeout=READ_TIMEOUT_SECONDS,
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        head = _head(path)
        if head == b"":
            raise MediaError("The file is empty.") from None
        if head is not None and head.startswith(PLAYLIST_HEADS):
            raise MediaError("A playlist, not a video: it only points to other files.") from None
        if isinstance(error, av.error.InvalidDataError):
            raise _unreadable(path, "Not a video, or too damaged to tell.") from error
        raise _unreadable(path, f"Cannot be opened as a video: {words(error)}.") from error


def _unreadable(path: Path, reason: str) -> MediaError:
    """Why nothing can be read of a video: for this ``reason``, or because its index is missing."""
    with suppress(OSError):
        reason = layout.NO_INDEX if layout.lacks_index(path) else reason
    return MediaError(reason)


def _readable_formats() -> str:
    """Names of the formats that FFmpeg may read, separated by commas."""
    names: set[str] = set()
    for name in av.formats_available:
        with suppress(ValueError):  # a format that can only be written
            names |= set(av.ContainerFormat(name, "r").name.split(","))
    return ",".join(sorted(names - PLAYLIST_FORMATS))


FORMATS = _readable_formats()
"""Value of FFmpeg's option format_whitelist: all readable formats but PLAYLIST_FORMATS."""


def _head(path: Path) -> bytes | None:
    """The first 16 bytes; None: it is not a regular file, or cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(16) if path.is_file() else None
    except OSError:
        return None


def video_stream(container: InputContainer) -> VideoStream:
    """The stream to analyse: the best one by FFmpeg's choice, cover images left out.

    Raises:
        MediaError: there is none.
    """
    videos = [stream for stream in container.streams.video if not _is_cover(stream)]
    if is_encrypted(container):
        raise MediaError(ENCRYPTED)
    if not videos:
        raise _unreadable(Path(container.name), "There is no video in it, only sound or a cover image.")
    videos = [stream for stream in videos if stream.codec_context is not None]
    if not videos:
        raise MediaError("There is a video in it, but in a codec that FFmpeg does not know: convert it.")
    best = container.streams.best("video")
    return best if best in videos and isinstance(best, VideoStream) else videos[0]


class Packets:
    """The packets of the given streams, or of all; then for each stream an empty one, which flushes its decoder."""

    def __init__(self, container: InputContainer, *streams: VideoStream) -> None:
        self._container, self._streams = container, streams
        self.begun_later = False
        """Whether there are streams that begin in the middle of the file: PyAV does not know them. When it comes to
        their empty packets, it raises an IndexError; all other packets have been given by then."""

    def __iter__(self) -> "Iterator[Packet[Any]]":
        try:
            yield from self._container.demux(*self._streams)
        except IndexError:
            self.begun_later = True


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
        timestamps = Timestamps(stream.time_base or Fraction(1, 1000))
        fields = FieldPairs(stream)
        encrypted = 0
        discarded = False  # an edit list leaves some of its packets out
        no_frames = 0  # packets that are discarded, are empty, or hold the second field of a frame
        ends: dict[int, int] = {}
        missing = MissingBytes()
        use_dts = container.format.name in FORMATS_OF_DECODING_TIMES
        broken: str | None = None
        packets = Packets(container)
        try:
            for packet in packets:
                yield
                if packet.size == 0:  # shows the frame before for longer; without a time, it is the stream's end
                    no_frames += packet.stream_index == stream.index and packet.dts is not None
                    continue
                if packet.is_discard:
                    discarded |= packet.stream_index == stream.index
                    no_frames += packet.stream_index == stream.index
                    continue
                missing.add(packet, len(timestamps.pts))
                encrypted += packet.stream_index == stream.index and packet.has_sidedata("encryption_info")
                if packet.pts is not None:
                    end = packet.pts + (packet.duration or 0)
                    ends[packet.stream_index] = max(end, ends.get(packet.stream_index, end))
                if container.format.name in FORMATS_WITHOUT_TIMES:
                    packet.pts = packet.dts = None
                if packet.stream_index == stream.index and fields.completes(packet):
                    timestamps.add_second_field(packet)
                    no_frames += 1
                elif packet.stream_index == stream.index:
                    timestamps.add(packet, use_dts)
        except (av.error.FFmpegError, OSError) as error:
            broken = f"Reading broke off after {number_of(len(timestamps.pts), 'frame')}: {words(error)}."
        broken = _checked(path, len(timestamps.pts), encrypted, broken)
        timestamps.discard_displaced()
        pts = np.sort(np.array(timestamps.filled() if timestamps.fillable else timestamps.known, np.int64))
        is_mp4 = container.format.name.startswith("mov")
        whole = is_mp4 and not broken and len(stream.index_entries) <= len(timestamps.pts) + no_frames
        track = layout.track_end(path, stream.id) if is_mp4 and not broken else None
        last_duration = timestamps.last_duration(mp4=is_mp4, track=track if whole else None, cut=discarded)
        frames_end = frame_ends(pts, last_duration, timestamps.time_base)
        # Not the end of its last frame as analysed, which is bounded.
        ends |= {stream.index: int(pts[-1]) + last_duration} if len(pts) else {}
        zero = _zero(container)
        if len(pts) and not use_dts:  # of a stream with a single packet FFmpeg may not know the start
            zero = min(zero, int(pts[0]) * timestamps.time_base)
        clock = Clock(timestamps.time_base, zero)
        complete = timestamps.fillable or timestamps.missing <= timestamps.corrupt
        return VideoIndex(
            pts=pts,
            keyframes=np.sort(np.array(timestamps.keyframes, np.int64)),
            ends=frames_end,
            complete=complete,
            packets=len(timestamps.pts),
            clock=clock,
            facts=_facts(path, container, stream, clock.zero, len(timestamps.pts)),
            damage=broken
            or _damage(container, stream, timestamps, no_frames, ends, missing)
            or _another(container, stream, timestamps, missing, packets.begun_later),
            corrected=timestamps.fillable or timestamps.differ_from_decoder or bool(timestamps.jumps),
            notes=(*_notes(container, timestamps, track), *(_gaps(pts, frames_end, clock) if complete else ())),
        )


def _checked(path: Path, frames: int, encrypted: int, broken: str | None) -> str | None:
    """What is damaged in a video of so many ``frames``; ``broken``: why reading broke off.

    Raises:
        MediaError: there is no frame, or none that is not encrypted.
    """
    if not frames:
        raise _unreadable(path, broken or "It has a video stream, but not a single frame.")
    if encrypted == frames:
        raise MediaError(ENCRYPTED)
    return f"Encrypted, and therefore not decoded: {encrypted} of its {frames} frames." if encrypted else broken


def _refuse_sizes(stream: VideoStream) -> None:
    """Refuse frames that are larger than any camera's, before a decoder allocates memory for them."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_PIXELS:
        limit = f"more than the limit of {MAX_PIXELS // 10**6} megapixels"
        raise MediaError(f"Its frames are {width}x{height}, {limit}: scale it down.")


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a stored pixel divided by its height; 1 if the video does not say, or says what is not plausible."""
    aspect = stream.sample_aspect_ratio
    if aspect is None or not Fraction(1, MAX_PIXEL_ASPECT) <= aspect <= MAX_PIXEL_ASPECT:
        return Fraction(1)
    return Fraction(aspect)


def _notes(container: InputContainer, timestamps: Timestamps, track: TrackEnd | None) -> Iterator[str]:
    """See :attr:`VideoIndex.notes`."""
    if track is not None and track.retimed:
        yield (
            "Its edit list has it played at another speed, or with pauses, which FFmpeg does not do: its times are "
            "those of its frames, not those of a player such as QuickTime."
        )
    videos = sum(not _is_cover(stream) for stream in container.streams.video)
    if videos > 1:
        yield f"It holds {videos} video streams; only the default one is analysed."
    if timestamps.jumps:
        yield (
            f"Its clock jumps back, first at frame {timestamps.jumps[0]} ({number_of(len(timestamps.jumps), 'time')} "
            "in all), as in joined videos: after each jump, times go on from where they were before it."
        )
    if timestamps.fillable:
        yield (
            f"It has no valid timestamps for {timestamps.missing} of its {len(timestamps.pts)} frames: they are set "
            "between those of the neighbouring frames."
        )


def _gaps(pts: np.ndarray, ends: np.ndarray, clock: Clock) -> Iterator[str]:
    """A sentence about the gaps between frames, if there are any."""
    gaps = np.flatnonzero(ends[:-1] < pts[1:])
    if len(gaps):
        begin, end = (float(clock.seconds(int(moment))) for moment in (ends[gaps[0]], pts[gaps[0] + 1]))
        seconds = float(sum((pts[gaps + 1] - ends[gaps]).tolist()) * clock.time_base)
        times = number_of(len(gaps), "time")
        yield f"It pauses {times}, first from {begin:.3f} to {end:.3f} s: {seconds:.3f} s count as missing."


def _damage(
    container: InputContainer,
    stream: VideoStream,
    timestamps: Timestamps,
    no_frames: int,
    ends: Mapping[int, int],
    missing: MissingBytes,
) -> str | None:
    """What the packets show to be damaged, compared with the header; ``ends`` as for :func:`_announced_end`."""
    packets = len(timestamps.pts)
    if cut_off := _cut_off(container, stream, packets, no_frames, ends):
        return f"Cut off: {cut_off}."
    if container.format.name.startswith("matroska") and (lost := missing.bytes(timestamps.pts)):
        return f"Damaged: {lost} bytes between its frames could not be read, and what was in them is missing."
    if timestamps.corrupt:
        return f"The file marks {timestamps.corrupt} of its {packets} frames as damaged."
    return None


def _another(
    container: InputContainer,
    stream: VideoStream,
    timestamps: Timestamps,
    missing: MissingBytes,
    begun_later: bool,
) -> str | None:
    """What in the file follows on the video and is not read, in a sentence.

    ``begun_later``: there are streams that begin in the middle of the file. Their packets are not in ``missing``.
    """
    path = Path(container.name)
    size = path.stat().st_size
    count = layout.bytes_of_another(path, container.format.name, missing.end, jumps=bool(timestamps.jumps))
    if begun_later:
        count = max(count, size - missing.end)
    for other in container.streams.video:
        frames, end = missing.begun.get(other.index, (0, size))
        if (
            other.index != stream.index
            and not _is_cover(other)
            and frames >= max(1, len(timestamps.pts) - SEAM_PACKETS)
        ):
            count = max(count, size - end)
    if count > MAX_BYTES_BETWEEN_PACKETS:
        return (
            f"Another video follows on it in the file ({count} bytes), of which little or nothing can be read. Split "
            "the file; videos are joined by a program such as ffmpeg, not by copying one file behind the other."
        )
    return None


def _cut_off(
    container: InputContainer, stream: VideoStream, packets: int, no_frames: int, ends: Mapping[int, int]
) -> str | None:
    """What is missing at the end, compared with the header, in a clause."""
    path, name = Path(container.name), container.format.name
    # Not the number of frames in the header: an edit list may leave frames out. FFmpeg's index takes it into account.
    listed = sum(entry.size > 0 for entry in stream.index_entries) - no_frames
    if name.startswith("mov") and listed > packets:
        return f"its header announces {number_of(listed, 'frame')}, but it holds only {packets}"
    missing = layout.missing_bytes(path, name)
    if name == "avi" and missing and stream.frames > packets + no_frames:
        return f"its header announces {number_of(stream.frames, 'frame')}, but it holds only {packets}"
    # An mp4 of which all frames are listed in one place is whole, whatever duration it announces: edit lists change it.
    if name.startswith(FORMATS_WITH_DURATION) and not (name.startswith("mov") and stream.frames >= listed):
        announced, end = _announced_end(container, stream, ends)
        if announced - end > DURATION_TOLERANCE_SECONDS:
            return f"its header announces {float(announced):.3f} s, but it ends after {float(end):.3f} s"
    return f"at least {missing} bytes are missing at its end" if missing and name != "avi" else None


def _zero(container: InputContainer) -> Fraction:
    """Exact start of the earliest stream in seconds. The container's own value is rounded to microseconds."""
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.type in ("video", "audio") and stream.start_time is not None and stream.time_base
        if not _is_cover(stream)
    ]
    return min(starts, default=Fraction(0))


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _announced_end(
    container: InputContainer, stream: VideoStream, ends: Mapping[int, int]
) -> tuple[Fraction, Fraction]:
    """The second at which the header says that the video ends, and the one at which it does.

    If the header tells of the whole file only, these are the ends of the stream that ends last, such as subtitles.
    ``ends``: by stream index, each stream's end in its time base.
    """
    time_bases = {one.index: one.time_base or Fraction(0) for one in container.streams}
    found = {index: end * time_bases[index] for index, end in ends.items()}
    end = max([Fraction(0), *found.values()])
    # Also where it begins late: most formats count from 0, and others must not be called cut off for it.
    announced = Fraction(min(0, container.start_time or 0) + (container.duration or 0), 1_000_000)
    own = _own_end(container, stream)
    return (announced, end) if own is None else (min(own, announced), found.get(stream.index, end))


def _own_end(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """The second at which the header says that a stream ends; None: it does not say.

    In other formats than these FFmpeg gives a stream the duration of the whole file.
    """
    has_own = container.format.name.startswith(FORMATS_WITH_DURATION_OF_STREAMS)
    if has_own and stream.duration is not None and stream.time_base is not None:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    clock = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))  # a tag that Matroska files may have
    return clock and Fraction(clock[3]) + 60 * int(clock[2]) + 3600 * int(clock[1])


def _facts(path: Path, container: InputContainer, stream: VideoStream, zero: Fraction, packets: int) -> dict[str, Any]:
    start = None if stream.start_time is None or stream.time_base is None else stream.start_time * stream.time_base
    codec = stream.codec_context
    only_if_unusual = {
        "stream": stream.index if len(container.streams.video) > 1 else None,
        "pixel_aspect": str(pixel_aspect(stream)) if pixel_aspect(stream) != 1 else None,
        "scan": "interlaced" if codec.field_order in INTERLACED_FIELD_ORDERS else None,
        "dynamic_range": HDR_TRANSFERS.get(codec.color_trc),
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
        **{name: value for name, value in only_if_unusual.items() if value is not None},
    }


def words(error: Exception) -> str:
    """An error of FFmpeg, or of the system, in the users' words."""
    if isinstance(error, av.error.ExitError):
        return f"nothing more of it could be read within {READ_TIMEOUT_SECONDS:g} s"
    if isinstance(error, av.error.InvalidDataError):
        return "its data are damaged"
    if isinstance(error, av.error.PatchWelcomeError):
        return "it uses a part of its format that FFmpeg does not know"
    return str(getattr(error, "strerror", None) or error).rstrip(".")
