"""What encodes a film: its name, its options, and the pixels that it takes."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.video.stream import VideoStream

from fer_batch.drawing.canvas import DRAWABLE
from fer_batch.errors import UsageError
from fer_batch.media.video.index import INTERLACED_FIELD_ORDERS

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libx265": {"preset": "veryfast", "crf": "24", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "9", "crf": "32"},
    "libvpx-vp9": {"crf": "32", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
}
"""Options by the encoder's name, where the user gives none of the same name."""

QUALITY = ("crf", "qp")
"""Options that x264 brings into its range without a word."""

INSTEAD_OF_CRF = ("qp", "b")

TOLD = 0.1
"""x264 tells its crf in tenths."""

NUMBER = re.compile(r"-?\d+(\.\d+)?")

MARK_FIELDS = ("libx264",)
"""Encoders that can say of a frame that it is interlaced."""

os.environ.setdefault("SVT_LOG", "1")  # libsvtav1 writes its settings on stderr otherwise

KEYFRAME_SECONDS = 2
"""A keyframe comes at least so often: players jump to them."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg and its options."""

    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "Encoder":
        """``libx264,crf=18,preset=slow``.

        Raises:
            UsageError: there is no such encoder for videos, it has not such an option, or does not take its value.
        """
        name, *given = (part.strip() for part in text.split(","))
        try:
            known = av.Codec(name, "w").type == "video"
        except (ValueError, av.error.FFmpegError):
            known = False
        if not known:
            raise UsageError(f"--encoder: FFmpeg has no encoder {name} for videos here. Usual: {', '.join(DEFAULTS)}.")
        pairs = [part.partition("=") for part in given]
        if not all(key and value for key, _, value in pairs):
            raise UsageError(f"--encoder must be a name and options, like libx264,crf=18,preset=slow; got {text}.")
        options = {key: value for key, _, value in pairs}
        if fault := _fault(name, options):
            raise UsageError(f"--encoder: {name} {fault}.")
        return cls(name, _with_defaults(name, options))

    def pixel_format(self, frame: av.VideoFrame) -> str:
        """The format in which frames like this one are drawn on and encoded: their own where that is possible."""
        formats = [one.name for one in av.Codec(self.name, "w").video_formats or ()]
        own = frame.format.name
        deep = "10le" if frame.format.components[0].bits > 8 else ""
        wanted = [own, f"yuv420p{deep}", "yuv420p"]
        if frame.width % 2 or frame.height % 2:  # encoders take no half pixels of colour
            wanted = [f"yuv444p{deep}", "yuv444p"]
        return next((one for one in wanted if one in DRAWABLE and (one in formats or not formats)), "yuv420p")

    def add_stream(
        self, container: av.container.OutputContainer, like: VideoStream, time_base: Fraction, threads: int
    ) -> VideoStream:
        """A stream in this time base, for frames of the shape and the fields of another."""
        rate = like.average_rate or like.guessed_rate or Fraction(25)
        stream: Any = container.add_stream(self.name, rate=rate)
        codec = stream.codec_context
        origin = like.codec_context
        codec.time_base = stream.time_base = time_base
        if like.sample_aspect_ratio:
            codec.sample_aspect_ratio = like.sample_aspect_ratio
        codec.gop_size = max(1, round(KEYFRAME_SECONDS * rate))
        codec.thread_count = threads
        # With B-frames, FFmpeg's demuxer of mp4 may drop the last frame where a keyframe comes just before it: it takes
        # the time to the next frame in the file for the keyframe's duration, and the edit list for ended.
        codec.max_b_frames = 0
        if self.keeps_fields and origin.field_order in INTERLACED_FIELD_ORDERS:
            codec.flags |= int(av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me)
        stream.options = dict(self.options)
        made: VideoStream = stream
        return made

    @property
    def keeps_fields(self) -> bool:
        """Whether interlaced frames stay marked as such."""
        return self.name in MARK_FIELDS


def _fault(name: str, given: Mapping[str, str]) -> str | None:
    """What an encoder has against a user's options, as a trial shows; None: nothing, or only films will tell."""
    with _said() as said:
        trial = _opened(name, _with_defaults(name, given))
    if trial is None:
        if _opened(name, DEFAULTS.get(name, {})) is None:  # it needs a certain size, or hardware
            return None
        wrong = [key for key in given if len(given) == 1 or _opened(name, {key: given[key]}) is None]
        return f"does not take {' with '.join(f'{key}={given[key]}' for key in wrong or given)}"
    if trial.options:  # those that FFmpeg would pass over without a word
        return f"has no option {min(trial.options)}"
    if said and any(key.endswith("-params") for key in given):  # it passes over mistakes in them
        return f"says: {said[0]}"
    packets = _first_packets(trial) if any(key in given for key in QUALITY) else ""
    for key in QUALITY:
        took = re.search(rf"\b{key}=(-?[\d.]+)", packets)
        if took and NUMBER.fullmatch(given.get(key, "")) and abs(float(took[1]) - float(given[key])) > TOLD:
            return f"would take {key}={float(took[1]):g} for {key}={given[key]}"
    return None


def _with_defaults(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """A user's options, and the defaults that do not stand against them: with a crf, encoders pass over the others."""
    usual = dict(DEFAULTS.get(name, {}))
    if not given.keys().isdisjoint(INSTEAD_OF_CRF):
        usual.pop("crf", None)
    return {**usual, **given}


@contextmanager
def _said() -> Iterator[list[str]]:
    """What FFmpeg says of options in its log while the block lasts."""
    said: list[str] = []
    before = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as lines:
            yield said
        said += [text.strip().rstrip(".") for _, _, text in lines if "option" in text.lower()]
    finally:
        av.logging.set_level(before)


def _opened(name: str, options: Mapping[str, str]) -> Any:
    """A small encoder with these options, which has taken from its own all that it knows; None: it does not open."""
    trial: Any = av.CodecContext.create(name, "w")
    formats = [one.name for one in av.Codec(name, "w").video_formats or ()]
    trial.width, trial.height, trial.time_base = 256, 256, Fraction(1, 25)
    trial.pix_fmt = "yuv420p" if not formats or "yuv420p" in formats else formats[0]
    trial.options = dict(options)
    try:
        trial.open()
    except av.error.FFmpegError:
        return None
    return trial


def _first_packets(trial: Any) -> str:
    """What an encoder makes of one frame, as a text: x264 and x265 write into it which options they have taken."""
    frame = av.VideoFrame(trial.width, trial.height, trial.pix_fmt)
    frame.pts, frame.time_base = 0, trial.time_base
    try:
        return b"".join(map(bytes, [*trial.encode(frame), *trial.encode(None)])).decode("latin-1")
    except av.error.FFmpegError:
        return ""
