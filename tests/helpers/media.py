"""Videos and photos for the tests, made on the spot. A video's grey level tells the number of its frame."""

import os
import struct
import wave
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIZE = (64, 48)
"""Width and height of the videos."""

MILLISECONDS = Fraction(1, 1000)


def level(number: int) -> int:
    """The grey that stands for a frame's number: 32 levels, 6 apart, so that lossy codecs cannot blur them."""
    return 30 + 6 * (number % 32)


def number(grey: float) -> int:
    """The number, modulo 32, that a grey of limited range stands for."""
    return round(((grey - 16) * 255 / 219 - 30) / 6)


def pixels(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(height, width, 3) uint8 of one grey."""
    return np.full((size[1], size[0], 3), level(number), np.uint8)


def write_video(
    path: Path,
    timestamps: Sequence[int] = tuple(range(0, 1000, 40)),
    images: Sequence[np.ndarray] | None = None,
    *,
    codec: str = "libx264",
    time_base: Fraction = MILLISECONDS,
    pixel_format: str = "yuv420p",
    display: tuple[int, bool, bool] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    keyframe_every: int = 12,
    audio: bool = False,
    format: str | None = None,  # noqa: A002
    prepare: Callable[[av.VideoStream], object] = lambda stream: None,
    last: int | None = None,
) -> Path:
    """A video whose frames have the given timestamps; ``display`` is a rotation in degrees and two mirrors.

    If ``last`` is given, packets tell how long frames last, the last one so long; else, what the encoder thinks.
    """
    images = images or [pixels(at) for at in range(len(timestamps))]
    height, width = images[0].shape[:2]
    with av.open(str(path), "w", format=format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=min(Fraction(25), 1 / time_base))
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.gop_size = keyframe_every
        stream.options = options or {}
        prepare(stream)
        if display is not None:
            stream.set_display_rotation(*display)
        sound = container.add_stream("aac", rate=8000) if audio else None
        if sound is not None:
            _write_sound(container, sound, seconds=timestamps[-1] * time_base + 1)
        for image, pts in zip(images, timestamps, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = pts, time_base
            container.mux(_lasting(stream.encode(frame), timestamps, last))
        container.mux(_lasting(stream.encode(), timestamps, last))
    return path


def _lasting(packets: list[av.Packet], timestamps: Sequence[int], last: int | None) -> list[av.Packet]:
    """The packets, each with the time to the next timestamp as its duration."""
    if last is not None:
        steps = dict(zip(timestamps, [*np.diff(timestamps).tolist(), last], strict=True))
        for packet in packets:
            packet.duration = steps[packet.pts]
    return packets


def remux(
    source: Path,
    path: Path,
    change: Callable[[int, av.Packet], av.Packet | None] = lambda at, packet: packet,
    container_options: dict[str, str] | None = None,
) -> Path:
    """The packets of a video in another container, each as ``change`` wants it, given its place in the file."""
    with av.open(str(source)) as origin, av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream_from_template(origin.streams.video[0])
        for at, packet in enumerate(packet for packet in origin.demux(origin.streams.video[0]) if packet.size):
            changed = change(at, packet)
            if changed is not None:
                changed.stream = stream
                container.mux(changed)
    return path


def later(ticks: int) -> Callable[[int, av.Packet], av.Packet]:
    """Puts every packet so many units of its own time base later; negative: earlier."""

    def change(at: int, packet: av.Packet) -> av.Packet:
        packet.pts += ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
        return packet

    return change


def write_sound(path: Path) -> Path:
    """A second of silence, in a container that could hold a video."""
    with av.open(str(path), "w") as container:
        _write_sound(container, container.add_stream("aac", rate=8000), seconds=Fraction(1))
    return path


def write_wave(path: Path) -> Path:
    """A tenth of a second of silence as WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return path


def write_photo(path: Path, image: np.ndarray | None = None, **options: object) -> Path:
    """A photograph in the format that its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(3) if image is None else image).save(path, **options)
    return path


def truncate(path: Path, share: float) -> Path:
    """Keep only the first ``share`` of a file."""
    os.truncate(path, int(path.stat().st_size * share))
    return path


def damage(path: Path, at: float, count: int) -> Path:
    """Overwrite ``count`` bytes from the share ``at`` of a file on."""
    noise = np.random.default_rng(0).integers(0, 256, count, np.uint8).tobytes()
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * at))
        file.write(noise)
    return path


def _write_sound(container: av.container.OutputContainer, stream: av.AudioStream, seconds: Fraction) -> None:
    for at in range(0, int(seconds * 8000), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, at, Fraction(1, 8000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def interlaced_png(image: np.ndarray) -> bytes:
    """A PNG whose rows come in Adam7's seven passes (ISO/IEC 15948, 8.2), which Pillow and OpenCV do not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(
        b"\0" + row.tobytes() for top, left, down, across in passes for row in image[top::down, left::across]
    )
    height, width = image.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
