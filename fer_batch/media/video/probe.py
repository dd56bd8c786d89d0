"""Finds out by FFmpeg what a file is whose first bytes and suffix do not tell."""

from pathlib import Path

import av

from fer_batch.errors import MediaError
from fer_batch.media.video.index import MAX_PIXELS, open_video, video_stream
from fer_batch.types import Kind

LEAST_SIDE = 16
"""Pixels: FFmpeg takes some files that are no media for tiny videos."""


def kind_by_ffmpeg(path: Path) -> Kind | None:
    """What FFmpeg takes a file for, if its first frame can be decoded; None: for neither a photo nor a video."""
    try:
        with open_video(path) as container:
            stream = video_stream(container)
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
            frame = next(container.decode(stream), None)
            if frame is None or frame.is_corrupt or min(frame.width, frame.height) < LEAST_SIDE:
                return None
            return Kind.PHOTOS if container.format.name.endswith("_pipe") else Kind.VIDEO
    except (MediaError, av.error.FFmpegError, OSError, ValueError):
        return None
