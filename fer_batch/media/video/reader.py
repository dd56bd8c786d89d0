"""Videos, read by PyAV: planned as chunks that begin at keyframes; every frame gets the time that its timestamp says.

How a video is read depends on how far its timestamps can be relied on. If they tell all frames apart, it is read chunk
by chunk, and each chunk must give exactly the frames that the index lists. If a chunk does not (a damaged stretch, or a
decoder that needs more packets to begin with), the video is read from start to end, and frames are identified by their
timestamps. If the decoder's timestamps do not even increase (H.264 in AVI, raw streams), frames are identified by their
order: the k-th decoded frame gets the k-th timestamp of the index.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from math import ceil
from operator import attrgetter
from typing import Literal

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from fer_batch.errors import MediaError, number_of
from fer_batch.media.frame import Frame, ReadItem, UnsampledFrame, scene
from fer_batch.media.sampling import Sampling, frame_times
from fer_batch.media.video.frame import FrameConverter
from fer_batch.media.video.index import MAX_PIXELS, Packets, VideoIndex, open_video, pixel_aspect, video_stream, words
from fer_batch.types import Chunk, FrameTime, Severity, Skipped, Source

CHUNK_SECONDS = Fraction(30)
"""Length of a chunk while much of a video is left. A chunk goes on to the next keyframe."""

LEAST_CHUNK_SECONDS = Fraction(5)
"""Length of a video's last chunks."""

CHUNKS_LEFT = 16
"""What is left of a video is divided into this many chunks: chunks get shorter towards the end, so that all workers
finish at about the same time."""

SEEK_MARGINS = Fraction(0), Fraction(1, 2)
"""Seconds before a chunk's keyframe to seek to, tried in turn. Transport streams and intra-refresh need a margin, which
makes the decoder go through the whole stretch before, up to its keyframe."""

UNSEEKABLE_PROFILES = frozenset({"High 4:4:4 Predictive"})
"""Old videos of this H.264 profile decode to garbage after a seek, under the right timestamps."""

MARKED = "a part is marked as damaged in the file"
"""The text of the error for a packet that is marked as corrupt."""

_Decoded = tuple[av.VideoFrame, FrameTime, bool] | Skipped | None
"""As :data:`ReadItem`, with a frame as the decoder gave it, and whether it is sampled."""


class ReadMode(IntEnum):
    """How far a video's timestamps are relied on."""

    CHUNKS = 2
    """Read chunk by chunk."""
    TIMESTAMPS = 1
    """Read from start to end; frames are identified by their timestamps."""
    ORDER = 0
    """Read from start to end; frames are identified by their order."""


class IndexMismatch(MediaError):
    """Decoding does not give the frames that the index lists: the video must be read in a lower mode."""


def read_mode(index: VideoIndex) -> ReadMode:
    """The highest mode that the index allows."""
    if not index.exact:
        return ReadMode.ORDER
    if index.damage or index.facts.get("profile") in UNSEEKABLE_PROFILES:
        return ReadMode.TIMESTAMPS
    return ReadMode.CHUNKS


def plan(source: Source, index: VideoIndex, sampling: Sampling, mode: ReadMode) -> list[Chunk]:
    """The chunks of a video that hold a frame of the part that ``sampling`` asks for.

    Every frame of that part is decoded, sampled or not: a cut shows only from frame to frame.
    """
    if not index.complete:
        return [Chunk(source, 0, None, frames=index.packets)]
    sampled = frame_times(source.name, index.pts, index.ends, index.clock, sampling)
    decoded = frame_times(source.name, index.pts, index.ends, index.clock, replace(sampling, fps=None))
    if mode is not ReadMode.CHUNKS:
        if mode is ReadMode.ORDER:
            sampled, decoded = replace(sampled, pts=None), replace(decoded, pts=None)
        return [Chunk(source, 0, sampled, frames=len(index.pts), decoded=decoded)] if decoded else []
    chunks: list[Chunk] = []
    for start, stop in pairwise([*_chunk_starts(index), None]):
        first, end = _rank(index.pts, start, 0), _rank(index.pts, stop, len(index.pts))
        inside, all_inside = (
            times[slice(*np.searchsorted(times.numbers, (first, end)).tolist())] for times in (sampled, decoded)
        )
        if all_inside:
            chunks.append(Chunk(source, len(chunks), inside, start, stop, end - first, all_inside))
    return chunks


def read(chunk: Chunk) -> Iterator[ReadItem]:
    """The frames of a chunk, sampled or not, None for each other frame that is decoded, and what could not be read.

    Raises:
        IndexMismatch: the chunk is not what the index lists; nothing of it should be kept.
        MediaError: the video cannot be opened.
    """
    with open_video(chunk.source.files[0]) as container:
        stream = video_stream(container)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        converter = FrameConverter(pixel_aspect(stream))
        corrupt = 0
        for item in _decode(chunk, container, stream):
            if isinstance(item, tuple):
                frame, time, sampled = item
                image = converter.image(frame)
                if not sampled:
                    yield UnsampledFrame(time, (image.width, image.height), scene(image.luma()))
                    continue
                if frame.is_corrupt:
                    corrupt += 1
                    time = replace(time, damaged=True)
                yield Frame(time, image)
            else:
                yield item
        if corrupt:
            reason = f"{number_of(corrupt, 'frame')}{_span(chunk)} came out damaged, as marked in the timeline."
            yield Skipped(chunk.source.name, reason, Severity.PARTIAL)


class _Expected:
    """The frames that a chunk should give, by what identifies them: their pts, or their numbers."""

    def __init__(self, chunk: Chunk, by: Literal["pts", "number"]) -> None:
        key = attrgetter(by)
        self.sampled: dict[int, FrameTime] = {key(time): time for time in chunk.times or ()}
        unsampled = chunk.decoded if chunk.decoded is not None and len(chunk.decoded) > len(self.sampled) else ()
        self._unsampled = {key(time): time for time in unsampled}
        self.last: int = max((*self.sampled, *self._unsampled))
        self.found = 0
        """Sampled frames that were found."""
        self.is_whole = chunk.frames == len(self.sampled) + sum(at not in self.sampled for at in self._unsampled)
        """Whether every frame of the index is expected: then the decoder should give no other."""

    def take(self, frame: av.VideoFrame, at: int) -> _Decoded:
        """The frame with its time; None if the chunk does not ask for it."""
        if at in self.sampled:
            self.found += 1
            return frame, self.sampled[at], True
        time = self._unsampled.get(at)
        return None if time is None else (frame, time, False)


def _decode(chunk: Chunk, container: InputContainer, stream: VideoStream) -> Iterator[_Decoded]:
    """Decode a chunk in the mode that it was planned for."""
    if chunk.start is not None or chunk.stop is not None:
        return _decode_stretch(chunk, _frames_from(container, stream, chunk.start))
    frames = _frames_and_errors(container, stream)
    if chunk.times is not None and chunk.times[0].pts is not None:
        return _decode_by_pts(chunk, frames)
    return _decode_in_order(chunk, frames)


def _frames_from(container: InputContainer, stream: VideoStream, start: int | None) -> Iterator[av.VideoFrame | None]:
    """Frames from the pts ``start`` on, or from a little before it; None for frames before that are passed over."""
    if start is None or stream.time_base is None:
        yield from _all_frames(container, stream)
        return
    first = None
    for margin in SEEK_MARGINS:
        container.seek(start - int(margin / stream.time_base), stream=stream)
        frames = _all_frames(container, stream)
        while (first := next(frames, None)) is not None and first.pts is not None and first.pts < start:
            yield None
        if first is not None and first.pts == start:
            break
    if first is not None:
        yield first
    yield from frames


def _all_frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Every frame from the container's current position on."""
    for packet in Packets(container, stream):
        yield from stream.codec_context.decode(packet)


def _decode_stretch(chunk: Chunk, frames: Iterable[av.VideoFrame | None]) -> Iterator[_Decoded]:
    """A chunk from keyframe to keyframe; any difference from the index is an error."""
    expected = _Expected(chunk, "pts")
    decoded = 0
    previous: int | None = None
    try:
        for frame in frames:
            if frame is None:
                yield None
                continue
            pts = frame.pts
            if pts is None or (previous is not None and pts <= previous):
                raise IndexMismatch("The decoder's timestamps do not increase.")
            previous = pts
            if chunk.stop is not None and pts >= chunk.stop:
                break
            inside = chunk.start is None or pts >= chunk.start
            decoded += inside
            yield expected.take(frame, pts) if inside else None
    except (av.error.FFmpegError, OSError) as error:
        raise IndexMismatch(str(error)) from error
    if decoded != chunk.frames or expected.found != len(expected.sampled):
        raise IndexMismatch(f"Its index has {chunk.frames} frames{_span(chunk)}, decoding gave {decoded}.")


def _decode_by_pts(chunk: Chunk, frames: Iterable[av.VideoFrame | str]) -> Iterator[_Decoded]:
    """A whole video, damaged places included, frames identified by their pts."""
    expected = _Expected(chunk, "pts")
    errors: list[str] = []
    previous: int | None = None
    unlisted = 0
    for frame in frames:
        if isinstance(frame, str):
            errors.append(frame)
            continue
        pts = frame.pts
        if pts is None or (previous is not None and pts <= previous):
            if errors:
                continue  # a damaged place may confuse the decoder for a while
            raise IndexMismatch("The decoder's timestamps do not increase.")
        previous = pts
        taken = expected.take(frame, pts)
        unlisted += taken is None and not errors  # a damaged place may make times up
        yield taken
        if pts >= expected.last and not expected.is_whole:
            break
    yield from _unlisted(chunk, unlisted if expected.is_whole else 0)
    yield from _missing(chunk, expected.found, len(expected.sampled), errors)


def _decode_in_order(chunk: Chunk, frames: Iterable[av.VideoFrame | str]) -> Iterator[_Decoded]:
    """A whole video, damaged places included, frames identified by how many came before."""
    expected = None if chunk.times is None else _Expected(chunk, "number")
    errors: list[str] = []
    number = 0
    for frame in frames:
        if isinstance(frame, str):
            errors.append(frame)
            continue
        if expected is None:
            yield frame, FrameTime(chunk.source.name, number), True
        else:
            yield expected.take(frame, number)
            if number == expected.last and not expected.is_whole:
                break
        number += 1
    if expected is not None:
        yield from _unlisted(chunk, number - (chunk.frames or 0) if expected.is_whole and not errors else 0)
        yield from _missing(chunk, expected.found, len(expected.sampled), errors)
    else:
        yield from _missing(chunk, number, chunk.frames or 0, errors)
        reason = (
            "Its container has no timestamps: frames are numbered, their times are unknown and left empty, and every "
            "frame is analysed, since --fps, --start and --end cannot be applied."
        )
        yield Skipped(chunk.source.name, reason, Severity.PARTIAL)


def _frames_and_errors(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame | str]:
    """Every frame that can be decoded, and in between the text of every error; decoding goes on after an error."""
    coming = iter(Packets(container, stream))
    while True:
        try:
            packet = next(coming)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:
            yield words(error)
            packet = None
        if packet is not None and packet.is_corrupt:
            yield MARKED
        try:
            yield from stream.codec_context.decode(packet)  # None empties the decoder
        except (av.error.FFmpegError, OSError) as error:
            yield words(error)
        if packet is None:
            return


def _unlisted(chunk: Chunk, count: int) -> Iterator[Skipped]:
    """A line about frames that the decoder gives, but no packet has the time of, if there are any."""
    if count > 0:
        reason = f"Left out: {number_of(count, 'frame')} without a time in its packets; the others are in the timeline."
        yield Skipped(chunk.source.name, reason, Severity.PARTIAL)


def _missing(chunk: Chunk, found: int, expected: int, errors: list[str]) -> Iterator[Skipped]:
    """A line about frames that could not be decoded, if there are any, or if there were errors."""
    missing = expected - found
    if missing <= 0 and all(error == MARKED for error in errors):  # the index tells how many frames are marked
        return
    cause = f" ({errors[0]})" if errors else ""
    if missing <= 0:
        reason = f"Parts of it are damaged{cause}, but every frame that has a timestamp could be decoded."
    elif found:
        reason = f"{missing} of {expected} frames could not be decoded{cause}; the others are in the timeline."
    else:
        yield Skipped(chunk.source.name, f"None of its {expected} frames could be decoded{cause}.")
        return
    yield Skipped(chunk.source.name, reason, Severity.PARTIAL)


def _span(chunk: Chunk) -> str:
    """When a chunk begins and ends, as part of a sentence; empty: unknown, or it is the whole video."""
    if not chunk.times or chunk.times[0].seconds is None or (chunk.start is None and chunk.stop is None):
        return ""
    last = chunk.times[-1]
    return f" from {chunk.times[0].seconds:.3f} to {(last.seconds or 0) + (last.duration or 0):.3f} s"


def _chunk_starts(index: VideoIndex) -> list[int | None]:
    """The pts at which chunks begin: None for the video's beginning, then keyframes."""
    starts: list[int | None] = [None]
    least, most = (ceil(seconds / index.clock.time_base) for seconds in (LEAST_CHUNK_SECONDS, CHUNK_SECONDS))
    begin = int(index.pts[0])
    for keyframe in index.keyframes.tolist():
        if keyframe - begin >= min(most, max(least, (int(index.ends[-1]) - begin) // CHUNKS_LEFT)):
            starts.append(keyframe)
            begin = keyframe
    return starts


def _rank(all_pts: np.ndarray, pts: int | None, default: int) -> int:
    return default if pts is None else int(np.searchsorted(all_pts, pts))
