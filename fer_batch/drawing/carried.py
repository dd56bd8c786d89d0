"""What a film that is written anew takes over from its original beside the images, and in which container.

Packets of sound are copied as they are. Of a film in which faces are hidden, nothing else is taken over: titles,
chapters, subtitles, places, cameras' serial numbers, cover images and data streams may tell who or where it is.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from fer_batch.media.video.index import Packets, open_video

MP4, MOV, MATROSKA = "mp4", "mov", "matroska"

SUFFIXES = {MP4: ".mp4", MOV: ".mov", MATROSKA: ".mkv"}

KEPT_SUFFIXES = {MP4: (".mp4", ".m4v"), MOV: (".mov", ".qt"), MATROSKA: (".mkv",)}
"""A film whose name ends with one of these keeps its name in that container."""

MILLISECOND = Fraction(1, 1000)

LANGUAGE = "language"


def container_for(path: Path, encoder: str) -> str:
    """The first of FFmpeg's mp4, mov and matroska that holds a film by this encoder, its sound and its exact times.

    A Matroska file counts in milliseconds; mp4 and mov take any time base. So Matroska is the last choice, but for
    what was Matroska before.
    """
    with open_video(path) as origin:
        codecs = {encoder, *(stream.codec_context.name for stream in _sounds(origin))}
        was = origin.format.name
        major = origin.metadata.get("major_brand", "")
    choices = [MP4, MOV, MATROSKA]
    if was.startswith(MATROSKA):
        choices = [MATROSKA, MP4, MOV]
    elif major.startswith("qt") or path.suffix.lower() in KEPT_SUFFIXES[MOV]:
        choices = [MOV, MP4, MATROSKA]
    return next((choice for choice in choices if codecs <= _codecs(choice)), MATROSKA)


@lru_cache
def _codecs(container: str) -> frozenset[str]:
    """Names of the codecs, encoders and decoders that a container takes."""
    with av.open(os.devnull, "w", format=container) as empty:
        return frozenset(empty.supported_codecs)


class Carried:
    """Copies the sound of a film, and, unless it is made anonymous, its subtitles, chapters and descriptions."""

    def __init__(self, path: Path, container: OutputContainer, *, anonymous: bool) -> None:
        self._origin = open_video(path)
        self._container = container
        self._streams: dict[int, Any] = {}
        self.left_out: list[str] = []
        """What the container does not take, in sentences."""
        sounds = _sounds(self._origin)
        others = [] if anonymous else [one for one in self._origin.streams.subtitles if one.codec_context is not None]
        for stream in (*sounds, *others):
            try:
                copy: Any = container.add_stream_from_template(stream)
            except (ValueError, av.error.FFmpegError):
                kind = f"{stream.type} ({stream.codec_context.name})"
                self.left_out.append(f"Its {kind} is left out: FILE cannot hold it.")
                continue
            copy.metadata.update({key: tag for key, tag in stream.metadata.items() if key == LANGUAGE or not anonymous})
            self._streams[stream.index] = copy
        if not anonymous:
            container.metadata.update(self._origin.metadata)
            with suppress(ValueError):
                container.set_chapters(self._origin.chapters())
        self._coming = self._packets()
        self._next: Packet[Any] | None = next(self._coming, None)

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy the packets that begin up to this time, on the file's own clock; None: all that are left."""
        while self._next is not None and (seconds is None or _time(self._next) <= seconds):
            self._next.stream = self._streams[self._next.stream_index]
            self._container.mux(self._next)
            self._next = next(self._coming, None)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the original."""
        self._origin.close()

    def _packets(self) -> "Iterator[Packet[Any]]":
        last: dict[int, int] = {}
        streams = [stream for stream in self._origin.streams if stream.index in self._streams]
        if not streams:
            return
        with suppress(av.error.FFmpegError, OSError):  # what is damaged behind this is lost for the original, too
            for packet in Packets(self._origin, *streams):  # type: ignore[arg-type]
                if packet.size == 0 or packet.dts is None:
                    continue
                if packet.dts < last.get(packet.stream_index, packet.dts):
                    self.left_out.append("Its clock jumps back: the sound after that is left out.")
                    return
                last[packet.stream_index] = packet.dts
                yield packet


def _sounds(container: InputContainer) -> Sequence[Any]:
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def _time(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * (packet.time_base or Fraction(0))


def rounds(container: str, time_base: Fraction) -> bool:
    """Whether a container cannot hold times in this time base exactly."""
    return container == MATROSKA and (time_base / MILLISECOND).denominator != 1
