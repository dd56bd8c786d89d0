"""Length and number of frames of a video from its header: enough to forecast a run's time without reading all of it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from fer_batch.media.sampling import Sampling, frame_times
from fer_batch.media.video.index import FORMATS_WITH_DURATION, VideoIndex, open_video, reading_index, video_stream

SMALL_VIDEO_BYTES = 2**24
"""Of videos up to this size (16 MiB) all packets are read. To read those of 300 long videos would take an hour."""


@dataclass(frozen=True)
class VideoHeader:
    """A video's length and its number of sampled frames; estimates if they are from the header."""

    video_type: tuple[object, ...]
    """Codec, pixel format, width and height: videos in which these are the same take equally long for each frame."""
    seconds: float
    frames: tuple[int, ...]
    """Number of sampled frames, for each requested sampling."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in stored pixels; None: they are not known."""
        sides = [side for side in self.video_type if isinstance(side, int)]
        return (sides[0], sides[1]) if len(sides) == 2 else None


def reading_header(path: Path, samplings: Sequence[Sampling]) -> Generator[None, None, VideoHeader]:
    """A video's length and frames from its header; from its packets if it is small or the header does not tell.

    A generator that returns the header. It yields None after each packet, as :func:`reading_index` does.

    Raises:
        MediaError: it cannot be opened, or has no video stream or no frame.
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
        return VideoHeader(video_type, seconds, tuple(_announced(seconds, count, sampling) for sampling in samplings))
    index = yield from reading_index(path)
    seconds = float(index.clock.seconds(int(index.ends[-1]))) if len(index.ends) else 0.0
    return VideoHeader(video_type, seconds, tuple(_counted(index, sampling) for sampling in samplings))


def _announced(seconds: float, count: int, sampling: Sampling) -> int:
    """Number of sampled frames, if ``count`` frames are spread evenly over ``seconds``."""
    inside = max(0.0, min(seconds, sampling.end or seconds) - (sampling.start or 0.0))
    frames = ceil(count * inside / seconds)
    return frames if sampling.fps is None else min(frames, ceil(inside * sampling.fps))


def _counted(index: VideoIndex, sampling: Sampling) -> int:
    """Number of sampled frames by the index."""
    if not index.complete:
        return index.packets
    return len(frame_times("", index.pts, index.ends, index.clock, sampling))
