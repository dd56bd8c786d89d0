"""Films, read by PyAV: cut into chunks at keyframes, every frame with the time that its stamp says.

A film is trusted by degrees. Where stamps tell all frames apart it is read chunk by chunk, and each chunk must give
exactly the frames that the index has. Where one does not (a damaged stretch, a decoder that needs more to begin with)
the film is read straight through, frames known by their stamps. Where the decoder's stamps do not even increase (H.264
in AVI, raw streams), its order is the truth and the k-th frame gets the k-th stamp.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from math import ceil

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from fer_batch.errors import MediaError
from fer_batch.media.frame import Frame
from fer_batch.media.sampling import Sampling, frame_times
from fer_batch.media.video.frame import FrameConverter
from fer_batch.media.video.index import MOST_PIXELS, VideoIndex, open_video, packets, pixel_aspect, video_stream
from fer_batch.types import Chunk, FrameTime, Skipped, Source

CHUNK_SECONDS = Fraction(30)
"""Span of a chunk while much of a film is left. It goes on to the next keyframe."""

LEAST_SECONDS = Fraction(5)
"""Span of a film's last chunks."""

CHUNKS_LEFT = 16
"""Into so many chunks is divided what is left: they grow shorter towards the end, so that all workers end together."""

SEEK_MARGINS = Fraction(0), Fraction(1, 2)
"""Seconds before a chunk's keyframe to seek to, tried in turn: transport streams and intra-refresh need a margin, which
makes the decoder go through all of the stretch before, up to its keyframe."""

UNSEEKABLE_PROFILES = frozenset({"High 4:4:4 Predictive"})
"""Old films of this H.264 profile decode to garbage after a seek, under the right stamps."""


class ReadMode(IntEnum):
    """How far a film's stamps are relied on."""

    CHUNKS = 2
    """Chunk by chunk."""
    TIMESTAMPS = 1
    """Straight through, frames known by their stamps."""
    ORDER = 0
    """Straight through, frames known by their order."""


class IndexMismatch(MediaError):
    """Decoding does not give the frames that the index has: read the film with less trust."""


def read_mode(index: VideoIndex) -> ReadMode:
    """The most that the index alone allows."""
    if not index.exact:
        return ReadMode.ORDER
    if index.damage or index.facts.get("profile") in UNSEEKABLE_PROFILES:
        return ReadMode.TIMESTAMPS
    return ReadMode.CHUNKS


def plan(source: Source, index: VideoIndex, sampling: Sampling, level: ReadMode) -> list[Chunk]:
    """The chunks of a film; those without a frame to look at are left out."""
    if not index.complete:
        return [Chunk(source, 0, None, frames=index.packets)]
    wanted = frame_times(source.name, index.pts, index.end_pts, index.clock, sampling)
    if level is not ReadMode.CHUNKS:
        if level is ReadMode.ORDER:
            wanted = replace(wanted, pts=None)
        return [Chunk(source, 0, wanted, frames=len(index.pts))] if wanted else []
    bounds = [*_cuts(index), None]
    chunks: list[Chunk] = []
    for start, stop in pairwise(bounds):
        low, high = _rank(index.pts, start, 0), _rank(index.pts, stop, len(index.pts))
        inside = wanted[slice(*np.searchsorted(wanted.numbers, (low, high)).tolist())]
        if inside:
            chunks.append(Chunk(source, len(chunks), inside, start, stop, high - low))
    return chunks


def read(chunk: Chunk, skipped: list[Skipped], alive: Callable[[], object]) -> Iterator[Frame]:
    """The frames of a chunk that are to be looked at; ``alive`` is called for every one that is decoded.

    Raises:
        Misaligned: the chunk is not what the index announces; nothing of it should be kept.
        MediaError: the film cannot be opened.
    """
    with open_video(chunk.source.files[0]) as container:
        stream = video_stream(container)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        seen = _FrameCounter(chunk, FrameConverter(pixel_aspect(stream)))
        if chunk.start is not None or chunk.stop is not None:
            yield from _read_stretch(chunk, _decoded(container, stream, chunk.start, alive), seen)
            skipped.extend(seen.told())
            return
        errors: list[str] = []
        frames = _telling(_frames(container, stream, errors), alive)
        by_pts = chunk.times is not None and chunk.times[0].pts is not None
        yield from (_read_by_pts if by_pts else _read_in_order)(chunk, frames, errors, seen, skipped)
        skipped.extend(seen.told())


class _FrameCounter:
    """What a chunk's frames turn out to be while they are decoded."""

    def __init__(self, chunk: Chunk, viewer: FrameConverter) -> None:
        self._chunk = chunk
        self._viewer = viewer
        self._corrupt = 0
        self.found = 0

    def look(self, frame: av.VideoFrame, time: FrameTime) -> Frame:
        """A frame that is looked at."""
        self.found += 1
        self._corrupt += frame.is_corrupt
        return Frame(time, self._viewer.image(frame))

    def told(self) -> Iterator[Skipped]:
        """What there is to say in the end."""
        if self._corrupt:
            reason = f"{self._corrupt} frames in chunk {self._chunk.index} are damaged: the decoder patched them up."
            yield Skipped(self._chunk.source.name, reason, rows_kept=True)


def _telling(frames: Iterable[av.VideoFrame], alive: Callable[[], object]) -> Iterator[av.VideoFrame]:
    for frame in frames:
        alive()
        yield frame


def _decoded(
    container: InputContainer, stream: VideoStream, start: int | None, alive: Callable[[], object]
) -> Iterator[av.VideoFrame]:
    """Frames from ``start`` on, or from a little before it; nothing that goes wrong is stepped over."""
    if start is None or stream.time_base is None:
        yield from _telling(_all_frames(container, stream), alive)
        return
    for margin in SEEK_MARGINS:
        container.seek(start - int(margin / stream.time_base), stream=stream)
        frames = _telling(_all_frames(container, stream), alive)
        first = next((frame for frame in frames if frame.pts is None or frame.pts >= start), None)
        if first is not None and first.pts == start:
            break
    if first is not None:
        yield first
    yield from frames


def _all_frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Every frame from where the container stands."""
    for packet in packets(container, stream):
        yield from stream.codec_context.decode(packet)


def _read_stretch(chunk: Chunk, frames: Iterable[av.VideoFrame], seen: _FrameCounter) -> Iterator[Frame]:
    """From keyframe to keyframe, all or nothing."""
    wanted = {time.pts: time for time in chunk.times or ()}
    decoded = 0
    previous: int | None = None
    try:
        for frame in frames:
            pts = frame.pts
            if pts is None or (previous is not None and pts <= previous):
                raise IndexMismatch("The decoder's stamps do not increase.")
            previous = pts
            if chunk.start is not None and pts < chunk.start:
                continue
            if chunk.stop is not None and pts >= chunk.stop:
                break
            decoded += 1
            if pts in wanted:
                yield seen.look(frame, wanted[pts])
    except (av.error.FFmpegError, OSError) as error:
        raise IndexMismatch(str(error)) from error
    if decoded != chunk.frames or seen.found != len(wanted):
        raise IndexMismatch(f"Its index has {chunk.frames} frames in chunk {chunk.index}, decoding gave {decoded}.")


def _read_by_pts(
    chunk: Chunk, frames: Iterable[av.VideoFrame], errors: list[str], seen: _FrameCounter, skipped: list[Skipped]
) -> Iterator[Frame]:
    """Straight through, over damaged places; what is missing in the end is said."""
    wanted = {time.pts: time for time in chunk.times or ()}
    previous: int | None = None
    last = max(pts for pts in wanted if pts is not None)
    for frame in frames:
        pts = frame.pts
        if pts is None or (previous is not None and pts <= previous):
            if errors:
                continue  # a damaged place may confuse the decoder for a while
            raise IndexMismatch("The decoder's stamps do not increase.")
        previous = pts
        if pts in wanted:
            yield seen.look(frame, wanted[pts])
        if pts >= last:
            break
    _report_missing(chunk, len(wanted) - seen.found, len(wanted), errors, skipped)


def _read_in_order(
    chunk: Chunk, frames: Iterable[av.VideoFrame], errors: list[str], seen: _FrameCounter, skipped: list[Skipped]
) -> Iterator[Frame]:
    """Straight through; a frame is known by how many came before it."""
    wanted = None if chunk.times is None else {time.number: time for time in chunk.times}
    last = None if wanted is None else max(wanted)
    for number, frame in enumerate(frames):
        time = FrameTime(chunk.source.name, number) if wanted is None else wanted.get(number)
        if time is not None:
            yield seen.look(frame, time)
        if number == last:
            break
    expected = chunk.frames or 0 if wanted is None else len(wanted)
    _report_missing(chunk, expected - seen.found, expected, errors, skipped)
    if wanted is None:
        reason = (
            "Its container has no time stamps: frames are numbered, their times are unknown and left empty, and every "
            "frame is looked at, since --fps, --start and --end cannot be applied."
        )
        skipped.append(Skipped(chunk.source.name, reason, rows_kept=True))


def _frames(container: InputContainer, stream: VideoStream, errors: list[str]) -> Iterator[av.VideoFrame]:
    """Every frame that can be decoded; what goes wrong on the way is noted and stepped over."""
    coming = packets(container, stream)
    while True:
        try:
            packet = next(coming)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:
            errors.append(str(error))
            packet = None
        if packet is not None and packet.is_corrupt:
            errors.append("a packet is marked as corrupt")
        try:
            yield from stream.codec_context.decode(packet)  # None empties the decoder
        except (av.error.FFmpegError, OSError) as error:
            errors.append(str(error))
        if packet is None:
            return


def _report_missing(chunk: Chunk, missing: int, expected: int, errors: list[str], skipped: list[Skipped]) -> None:
    if missing <= 0 and not errors:
        return
    cause = f" ({errors[0].rstrip('.')})" if errors else ""
    reason = f"{max(0, missing)} of {expected} frames could not be decoded{cause}; the others are in the timeline."
    if missing <= 0:
        reason = f"Parts of it are damaged{cause}, but every frame that has a time stamp could be decoded."
    skipped.append(Skipped(chunk.source.name, reason, rows_kept=missing < expected))


def _cuts(index: VideoIndex) -> list[int | None]:
    """Where chunks begin: None for the film's beginning, then keyframes."""
    cuts: list[int | None] = [None]
    least, most = (ceil(seconds / index.clock.time_base) for seconds in (LEAST_SECONDS, CHUNK_SECONDS))
    begin = int(index.pts[0])
    for keyframe in index.keyframes.tolist():
        if keyframe - begin >= min(most, max(least, (index.end_pts - begin) // CHUNKS_LEFT)):
            cuts.append(keyframe)
            begin = keyframe
    return cuts


def _rank(timestamps: np.ndarray, pts: int | None, default: int) -> int:
    return default if pts is None else int(np.searchsorted(timestamps, pts))
