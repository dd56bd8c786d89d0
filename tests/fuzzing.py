"""Damaged media by the thousand, through the whole reader, in a process that may die.

``python -m tests.fuzzing --seconds 1200 --out DIR`` goes on for so long and keeps every file that was not read or
reported as it should be. Each video and photo begins as one that the tests make themselves.
"""

import argparse
import contextlib
import json
import math
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fer_batch.errors import MediaError
from fer_batch.media import photos, sources
from fer_batch.media.frame import Frame
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.media.video.reader import ReadMode
from fer_batch.pipeline.executors.serving import MAX_MEMORY_BYTES, bound_memory
from fer_batch.types import Chunk, Kind, Skipped
from tests.helpers import media, reading

ROOT = Path(__file__).parents[1]

PATIENCE = 60
"""Seconds without an answer after which a file counts as hanging; a run waits for 120."""


def _image() -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    return np.asarray(Image.fromarray(image).resize((64, 48)))


def _photo(**options: object) -> Callable[[Path], object]:
    exif = Image.Exif()
    exif[0x0112] = 6
    keeps = {"exif": exif} if options.pop("exif", False) else {}
    return lambda path: media.write_photo(path, _image(), **options, **keeps)


def _several(path: Path) -> None:
    Image.fromarray(_image()).save(path, save_all=True, append_images=[Image.new("RGB", (64, 48))] * 2)


def _video(codec: str = "libx264", pixel_format: str = "yuv420p", **options: Any) -> Callable[[Path], object]:
    images = [np.roll(_image(), at, 1) for at in range(16)]
    options = {"time_base": Fraction(1, 25), "keyframe_every": 5} | options
    return lambda path: media.write_video(path, range(16), images, codec=codec, pixel_format=pixel_format, **options)


_HEVC = {"x265-params": "log-level=none"}

ORIGINS: dict[str, Callable[[Path], object]] = {
    "baseline.jpg": _photo(exif=True),
    "progressive.jpg": _photo(progressive=True, exif=True),
    "cmyk.jpg": lambda path: Image.fromarray(_image()).convert("CMYK").save(path),
    "a.png": _photo(exif=True),
    "palette.png": lambda path: Image.fromarray(_image()).quantize(16).save(path, transparency=3),
    "deep.png": lambda path: Image.fromarray(_image()[:, :, 0].astype(np.uint16) * 257).save(path),
    "interlaced.png": lambda path: path.write_bytes(media.interlaced_png(_image())),
    "a.webp": _photo(exif=True),
    "lossless.webp": _photo(lossless=True),
    "a.bmp": _photo(),
    "a.tif": _photo(exif=True),
    "lzw.tif": _photo(compression="tiff_lzw"),
    "jpeg.tif": _photo(compression="jpeg"),
    "big.tif": _photo(big_tiff=True),
    "a.gif": _photo(),
    "a.heic": _photo(exif=True),
    "a.avif": _photo(exif=True),
    "a.jp2": _photo(),
    "a.ppm": _photo(),
    "pages.tif": _several,
    "moving.gif": _several,
    "moving.webp": _several,
    "moving.png": _several,
    "moving.avif": _several,
    "a.mp4": _video(audio=True, options={"bf": "2"}),
    "turned.mov": _video(display=(90, True, False)),
    "fragmented.mp4": _video(container_options={"movflags": "frag_keyframe+empty_moov"}),
    "faststart.mp4": _video(container_options={"movflags": "faststart"}),
    "a.mkv": _video(audio=True, options={"bf": "2"}),
    "live.mkv": _video(container_options={"live": "1"}),
    "a.webm": _video("libvpx-vp9", options={"cpu-used": "8"}),
    "old.webm": _video("libvpx"),
    "av1.mp4": _video("libsvtav1", options={"preset": "12"}),
    "hevc.mp4": _video("libx265", options=_HEVC),
    "ten.mkv": _video("libx265", "yuv420p10le", options=_HEVC),
    "a.ts": _video(audio=True),
    "old.ts": _video("mpeg2video"),
    "a.mpg": _video("mpeg1video"),
    "a.avi": _video("mpeg4"),
    "h264.avi": _video(),
    "motion.avi": _video("mjpeg", "yuvj420p"),
    "a.flv": _video(audio=False),
    "a.wmv": _video("wmv2"),
    "prores.mov": _video("prores_ks", "yuv422p10le"),
    "ffv1.mkv": _video("ffv1"),
    "a.h264": _video(format="h264"),
    "a.hevc": _video("libx265", format="hevc", options=_HEVC),
    "a.mxf": _video("mpeg2video"),
    "a.nut": _video("rawvideo"),
}
"""Every format that is read, and how a small file of it is made."""


def write_origins(folder: Path) -> dict[str, bytes]:
    """Make every origin; its content by its name."""
    for name, write in ORIGINS.items():
        write(folder / name)
    return {name: (folder / name).read_bytes() for name in ORIGINS}


EXTREMES = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\xff\xff")
"""What a number of four bytes can be at worst."""


def spoil(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Damage a file in one to four ways, near its head half of the time."""
    spoilt = bytearray(content)
    if rng.random() < 0.05:
        spoilt += rng.choice((content, *others))  # two videos one behind the other
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(max(1, min(len(spoilt), rng.choice((64, 1024, len(spoilt), len(spoilt))))))
        end = min(len(spoilt), at + rng.choice((1, 2, 4, 8, 64, 1024)))
        instead = _instead(bytes(spoilt[at:end]), rng, others)
        if instead is None:
            del spoilt[at:]
        else:
            spoilt[at:end] = instead
    return bytes(spoilt)


def _instead(piece: bytes, rng: random.Random, others: list[bytes]) -> bytes | None:
    """What stands in a piece's place; None: that is where the file ends."""
    other = rng.choice(others)
    begin = rng.randrange(len(other))
    flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in piece)
    return rng.choice(
        (
            None,
            b"",
            flipped,
            rng.randbytes(len(piece)),
            bytes(len(piece)),
            piece * rng.choice((2, 3, 50)),
            piece + rng.randbytes(rng.choice((1, 4, 64))),
            rng.choice(EXTREMES),
            other[begin : begin + len(piece)],
        )
    )


@dataclass(frozen=True)
class Finding:
    """A file that was not read or reported as it should be."""

    name: str
    what: str


class Child:
    """A process that reads one file after another, started again when it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def process(self) -> int:
        """The number of the process that is there."""
        assert self._process is not None
        return self._process.pid

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None

    def look(self, path: Path) -> dict[str, Any]:
        """What reading the file gave: ``frames``, ``lines``; or ``fault``, what must not happen."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzzing", "--child"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # the answer will be missing, too
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._end()
            return {"fault": f"It hangs for {PATIENCE} s."}
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._end()
            return {"fault": f"The process died with {code}."}
        told: dict[str, Any] = json.loads(line)
        if "fault" in told:
            self._end()
        return told


def _serve() -> None:
    """Read the files that are named on stdin; a line of JSON for each."""
    bound_memory()
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        try:
            told = _look(path)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if memory > MAX_MEMORY_BYTES:
                told = {"fault": f"{memory / 2**20:.0f} MiB of memory."}
        except BaseException:  # that is what is sought
            told = {"fault": traceback.format_exc()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        if "fault" in told:
            return


def _look(path: Path) -> dict[str, Any]:
    """Read one file as a run does."""
    found = sources.walk([path])
    lines = [*(one.reason for one in found.skipped), *found.ignored]
    frames = 0
    for source in found.sources:
        try:
            if source.kind is Kind.PHOTOS:
                frames += _draw(photos.plan(source), lines)
                continue
            index = read_index(path)
            lines += [*index.notes, *([index.damage] if index.damage else [])]
            json.dumps(index.facts, allow_nan=False)
            for mode in range(reader.read_mode(index), -1, -1):
                said: list[str] = []
                try:
                    frames += _draw(reader.plan(source, index, Sampling(), ReadMode(mode)), said)
                except reader.IndexMismatch as error:
                    if mode == 0:
                        lines.append(str(error))
                    continue
                lines += said
                break
        except MediaError as error:
            lines.append(str(error))
        except MemoryError:  # bounded, which a run reports
            lines.append("It asks for too much memory.")
    assert frames or lines, "neither read nor reported"
    assert all(line.strip() == line and line.endswith(".") and "\n" not in line for line in lines), lines
    return {"frames": frames, "lines": lines}


def _draw(chunks: list[Chunk], lines: list[str]) -> int:
    """Look at every frame; how many there were."""
    frames = 0
    last = -1
    for chunk in chunks:
        for item in reading.items(chunk):
            if isinstance(item, Skipped):
                lines.append(item.reason)
            if not isinstance(item, Frame):
                continue
            frame_time, frame_image = item.time, item.image
            assert frame_time.number > last
            assert frame_time.seconds is None or math.isfinite(frame_time.seconds)
            assert frame_time.duration is None or 0 <= frame_time.duration < math.inf
            plane = frame_image.luma(24.0).plane
            assert plane.ndim == 2
            assert min(plane.shape) > 0
            rgb = frame_image.rgb(96)
            assert rgb.dtype == np.uint8
            assert 0 < max(rgb.shape[:2]) <= 96
            last = frame_time.number
            frames += 1
    return frames


def spoilt_files(seed: int, origins: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Without an end: the name of an origin, and what became of it."""
    rng = random.Random(seed)
    names, contents = list(origins), list(origins.values())
    while True:
        name = rng.choice(names)
        yield name, spoil(origins[name], rng, contents)


def fuzz(seconds: float, seed: int, out: Path) -> tuple[Counter[str], list[Finding]]:
    """Go on for so long. What became of the files, and what should not have; those files are kept in ``out``."""
    counts: Counter[str] = Counter()
    findings: list[Finding] = []
    out.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, Child() as child:
        for name, content in spoilt_files(seed, write_origins(Path(folder))):
            if time.monotonic() > until:
                break
            path = Path(folder) / f"spoilt.{name.rpartition('.')[2]}"
            path.write_bytes(content)
            told = child.look(path)
            counts["files"] += 1
            if "fault" in told:
                findings.append(Finding(f"{len(findings):03}-{name}", told["fault"]))
                (out / findings[-1].name).write_bytes(content)
            else:
                counts["read"] += told["frames"] > 0
                counts["reported"] += bool(told["lines"])
    return counts, findings


def main() -> int:
    """Fuzz from the command line; 1 if something was found."""
    parser = argparse.ArgumentParser(description="Damaged media by the thousand, through the whole reader.")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        with contextlib.suppress(BrokenPipeError):
            _serve()
        return 0
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    counts, findings = fuzz(arguments.seconds, seed, arguments.out)
    where = f", in {arguments.out}" if findings else ""
    print(f"seed {seed}: {dict(counts)}, {len(findings)} to be looked at{where}")
    for finding in findings:
        print(f"{finding.name}: {finding.what}")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
