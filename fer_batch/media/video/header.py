"""What a film announces of itself: enough to forecast how long it takes, without reading all of it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from fer_batch.media.sampling import Sampling, frame_times
from fer_batch.media.video.index import FORMATS_WITH_DURATION, VideoIndex, open_video, reading_index, video_stream

SMALL_VIDEO_BYTES = 2**24
"""Bytes of a film up to which its packets are read all the same: 16 MB. Reading all of 300 long films takes an hour."""


@dataclass(frozen=True)
class VideoHeader:
    """A film's length, and how many frames there are to look at."""

    video_type: tuple[object, ...]
    """What films that take equally long have in common: codec, pixel format, width and height."""
    seconds: float
    frames: tuple[int, ...]
    """One number for each sampling that was asked for."""


def reading_header(path: Path, samplings: Sequence[Sampling]) -> Generator[None, None, VideoHeader]:
    """What a film's header says. Of a small film, and where the header does not say it, what its packets say.

    Raises:
        MediaError: it cannot be opened, or holds no picture.
    """
    with open_video(path) as container:
        stream = video_stream(container)
        seconds = (container.duration or 0) / 1_000_000
        rate = stream.average_rate or stream.guessed_rate
        count = stream.frames or round(seconds * (rate or 0))
        codec = stream.codec_context
        video_type = codec.name, codec.pix_fmt, codec.width, codec.height
        known = container.format.name.startswith(FORMATS_WITH_DURATION) and count > 0
    if known and path.stat().st_size > SMALL_VIDEO_BYTES:
        return VideoHeader(video_type, seconds, tuple(_announced(seconds, count, one) for one in samplings))
    index = yield from reading_index(path)
    return VideoHeader(
        video_type, float(index.clock.seconds(index.end_pts)), tuple(_counted(index, one) for one in samplings)
    )


def _announced(seconds: float, count: int, sampling: Sampling) -> int:
    """How many of evenly spread frames are looked at."""
    inside = max(0.0, min(seconds, sampling.end or seconds) - (sampling.start or 0.0))
    every = ceil(count * inside / seconds)
    return every if sampling.fps is None else min(every, ceil(inside * sampling.fps))


def _counted(index: VideoIndex, sampling: Sampling) -> int:
    if not index.complete:
        return index.packets
    return len(frame_times("", index.pts, index.end_pts, index.clock, sampling))
