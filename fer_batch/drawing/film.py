"""Writes a video anew: every frame with its own time, drawn over, and the sound as it was."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from fer_batch.drawing.canvas import Canvas
from fer_batch.drawing.carried import SUFFIXES, Carried, rounds
from fer_batch.drawing.encoders import Encoder
from fer_batch.errors import MediaError
from fer_batch.media.frame import Frame
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.frame import VideoImage
from fer_batch.media.video.index import HDR_TRANSFERS, INTERLACED_FIELD_ORDERS, VideoIndex, open_video, video_stream
from fer_batch.types import Chunk, FrameTime, Severity, Skipped, Source

Paint = Callable[[FrameTime, Canvas], None]
"""Draws on a frame."""

ASSUMED_TIME_BASE = Fraction(1, 25)
"""A frame of a video without times lasts so long, as FFmpeg assumes."""

HDR_NOTE = "Its HDR levels, colours and bits are kept; what it says of the display that it was made on is left out."

RESIZED_NOTE = "Its frames change their size: all are scaled to that of the first."

NO_TIMES_NOTE = "Its times are not known: it is written with 25 frames a second."

TELLTALES = ("a53cc", "udu_sei")
"""Options by which encoders carry captions and other texts of frames over."""


@dataclass(frozen=True)
class Film:
    """A video that is read from its beginning to its end."""

    source: Source
    index: VideoIndex
    chunk: Chunk
    """All of it."""

    @classmethod
    def of(cls, source: Source, index: VideoIndex) -> "Film":
        """The whole video, in one chunk.

        Raises:
            MediaError: it has no frame.
        """
        mode = min(reader.read_mode(index), reader.ReadMode.TIMESTAMPS)
        chunks = reader.plan(source, index, Sampling(), mode)
        if not chunks:
            raise MediaError("It has not a single frame.")
        return cls(source, index, chunks[0])

    def frames(self) -> Iterator[tuple[FrameTime, VideoImage] | Skipped | None]:
        """Its frames in order, what could not be read, and None now and then.

        Where the decoder's timestamps turn out not to increase, it goes on by the order of the frames.

        Raises:
            MediaError: it cannot be read.
        """
        last = -1
        chunk = self.chunk
        while True:
            try:
                for item in reader.read(chunk):
                    if isinstance(item, Frame):
                        assert isinstance(item.image, VideoImage)
                        if item.time.number > last:
                            last = item.time.number
                            yield item.time, item.image
                    else:
                        yield item if isinstance(item, Skipped) else None
                return
            except reader.IndexMismatch:
                if chunk.times is None or chunk.times[0].pts is None:
                    raise
                (chunk,) = reader.plan(self.source, self.index, Sampling(), reader.ReadMode.ORDER)

    @property
    def seconds(self) -> list[float]:
        """When each frame begins; if that is not known, as if there were 25 a second."""
        if self.chunk.times is None:
            return [number * float(ASSUMED_TIME_BASE) for number in range(self.index.packets)]
        return [time.seconds or 0.0 for time in self.chunk.times]


def write(
    film: Film, path: Path, container: str, encoder: Encoder, paint: Paint, *, anonymous: bool, threads: int
) -> Generator[bool, None, list[str]]:
    """Write the film to ``path``; yields True for each frame, and False in between.

    Returns what there is to know of the result, in sentences. ``anonymous``: only images and sound are taken over.

    Raises:
        MediaError: it cannot be read.
        OSError: ``path`` cannot be written.
    """
    notes: list[str] = []
    original = film.source.files[0]
    with open_video(original) as origin, av.open(str(path), "w", format=container) as made:
        images = _Images(film, video_stream(origin), made, encoder, anonymous=anonymous, threads=threads)
        with Carried(original, made, anonymous=anonymous) as carried:

            def mux(packets: Iterator[Packet]) -> None:  # type: ignore[type-arg]
                for packet in packets:
                    carried.copy_until((packet.pts or 0) * (packet.time_base or Fraction(0)))
                    made.mux(packet)

            for item in film.frames():
                if isinstance(item, tuple):
                    time, image = item
                    image = images.prepared(image)
                    paint(time, Canvas.of_frame(image))
                    mux(images.encoded(image.frame, time.number))
                elif item is not None and item.severity is not Severity.NOTE:
                    notes.append(item.reason)
                yield isinstance(item, tuple)
            mux(images.rest())
            carried.copy_until(None)
            notes += [note.replace("FILE", SUFFIXES[container]) for note in carried.left_out]
    if film.index.complete and rounds(container, film.index.clock.time_base):
        notes.append("Its times are rounded to milliseconds: no container that keeps them holds its sound.")
    return list(dict.fromkeys([*notes, *images.notes]))


class _Images:
    """The images of a film: made ready to be drawn on, and encoded under their own times."""

    def __init__(
        self,
        film: Film,
        like: VideoStream,
        made: av.container.OutputContainer,
        encoder: Encoder,
        *,
        anonymous: bool,
        threads: int,
    ) -> None:
        index = film.index
        self._time_base = index.clock.time_base if index.complete else ASSUMED_TIME_BASE
        self._pts, self._ends = (index.pts, index.ends) if index.complete else (np.empty(0, int), np.empty(0, int))
        self._stream = encoder.add_stream(made, like, self._time_base, threads)
        self._encoder = encoder
        self._anonymous = anonymous
        self._reformatter = VideoReformatter()
        self._format = ""
        self._size = (0, 0)
        self._last = -(2**63)
        self._durations: dict[int, int] = {}
        """Of frames that are not out of the encoder yet, by their pts."""
        self.notes = [] if index.complete else [NO_TIMES_NOTE]
        if like.codec_context.field_order in INTERLACED_FIELD_ORDERS and not encoder.keeps_fields:
            self.notes.append(f"Its fields stay woven, but {encoder.name} does not mark them as such.")

    def prepared(self, image: VideoImage) -> VideoImage:
        """The same image in the format that is drawn on and encoded, and of the first frame's size."""
        frame = image.frame
        if not self._format:
            self._begin(frame)
        size = frame.width, frame.height
        if frame.format.name == self._format and size == self._size:
            return image
        if size != self._size and RESIZED_NOTE not in self.notes:
            self.notes.append(RESIZED_NOTE)
        width, height = self._size
        return replace(image, frame=self._reformatter.reformat(frame, width, height, self._format))

    def _begin(self, frame: av.VideoFrame) -> None:
        """Settle what the first frame tells: format, size, colours, orientation."""
        self._format = self._encoder.pixel_format(frame)
        self._size = frame.width, frame.height
        codec = self._stream.codec_context
        codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, self._format
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(codec, name, int(getattr(frame, name)))
        self._turn(frame)
        if self._anonymous:
            known = {option.name for option in codec.supported_options.private}
            self._stream.options = {**self._stream.options, **{name: "0" for name in TELLTALES if name in known}}
        if frame.format.name != self._format:
            self.notes.append(f"Its pixels were {frame.format.name}; now they are {self._format}.")
        if int(frame.color_trc) in HDR_TRANSFERS:
            self.notes.append(HDR_NOTE)

    def _turn(self, frame: av.VideoFrame) -> None:
        """Have the container turn the images as the original's does."""
        try:
            for data in frame.side_data:
                if data.type == SideDataType.DISPLAYMATRIX:  # type: ignore[attr-defined]
                    self._stream.set_display_matrix(np.frombuffer(data, "<i4").tolist())  # type: ignore[call-overload]
        except ValueError:  # as in media.video.frame.orientation
            if frame.rotation:
                self._stream.set_display_rotation(frame.rotation)

    def encoded(self, frame: av.VideoFrame, number: int) -> Iterator[Packet]:  # type: ignore[type-arg]
        """The packets that come out when a frame goes in."""
        pts = int(self._pts[number]) if len(self._pts) else number
        pts = max(pts, self._last + 1)  # two frames with one time: encoders take none
        self._last = pts
        frame.pts, frame.time_base, frame.pict_type = pts, self._time_base, PictureType.NONE
        self._durations[pts] = int(self._ends[number] - self._pts[number]) if len(self._pts) else 1
        yield from self._out(frame)

    def rest(self) -> Iterator[Packet]:  # type: ignore[type-arg]
        """The packets that are still in the encoder.

        Raises:
            MediaError: there was no frame.
        """
        if not self._format:
            raise MediaError("Not a single frame of it could be decoded.")
        yield from self._out(None)

    def _out(self, frame: av.VideoFrame | None) -> Iterator[Packet]:  # type: ignore[type-arg]
        for packet in self._stream.encode(frame):
            packet.duration = self._durations.pop(packet.pts or 0, packet.duration or 0)
            yield packet
