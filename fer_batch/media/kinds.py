"""Tells photos, videos and other files apart by their content; by their suffix only where the content does not tell."""

import re
import stat
from pathlib import Path
from typing import Any

import filetype

from fer_batch.media import jpeg
from fer_batch.types import Kind

PHOTO_SUFFIXES = frozenset(
    ".avif .avifs .bmp .dib .gif .heic .heif .hif .j2c .j2k .jfif .jp2 .jpe .jpeg .jpf .jpg .jpx .pbm .pfm .pgm .png "
    ".pnm .ppm .psd .tif .tiff .webp".split()
)
RAW_SUFFIXES = frozenset(
    ".3fr .arw .cr2 .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos .nef .nrw .pef .sr2 .srf .srw".split()
)
"""Of cameras' raw photos that begin as a TIFF does."""
VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .asf .avi .divx .dv .f4v .flv .h264 .h265 .hevc .ivf .m1v .m2t .m2ts .m2v .m4v .mjpeg .mjpg "
    ".mkv .mov .mp4 .mpe .mpeg .mpg .mts .mxf .nut .obu .ogv .qt .rm .rmvb .ts .vob .webm .wmv .wtv .y4m".split()
)
"""Suffixes are used only if the content does not tell: raw and transport streams, and damaged or empty files."""

TEXT_SUFFIXES = frozenset({".mts", ".ts"})
"""Of videos, and of programs in TypeScript and translations by Qt, which are text."""

COPY_SUFFIXES = frozenset({".lrf", ".lrv", ".thm"})
"""Of the small copies and thumbnails that cameras by GoPro, DJI and others write beside their videos."""

SOUND_SUFFIXES = frozenset(".m4b .m4p .m4r .mka .wma .weba".split())
"""Of sound in containers that hold videos, too."""

PHOTO_BRANDS = frozenset(b"avif avis heic heim heis heix hevc hevx mif1 msf1".split())
"""Major brands of photos in the ISO base media file format, which videos use too (ISO/IEC 23008-12, AVIF 1.1)."""

_PHOTO_HEADS = re.compile(
    rb"II\+\0|MM\0\+|\xff\x4f\xff\x51|P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s|P[fF]\s+\d+\s+\d+\s+-?[\d.]+\s"
)
"""First bytes that the ``filetype`` library does not know: BigTIFF (with 64-bit offsets), JPEG 2000 without a
container, portable maps of bits, greys, colours and floating-point numbers."""

_RAW_HEADS = re.compile(
    rb"FUJIFILMCCD-RAW|II(?:RO|RS|U\0)|MMOR|FOVb|\0MRM|II\x1a\0\0\0HEAPCCDR|.{4}ftypcrx |"
    rb"(?:II\*\0|MM\0\*).{4}(?:.{4}){0,5}(?:IIII|MMMM)",
    re.DOTALL,
)
"""First bytes of raw photos by Fujifilm, Olympus, Panasonic, Sigma, Minolta, Canon and Phase One (as in dcraw.c)."""

TIFF_HEADS = (b"II*\0", b"MM\0*")

_RAW_MIMES = frozenset({"image/x-canon-cr2"})

_CONTROLS = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")

SNIFFED_BYTES = 8192
"""Bytes at the beginning of a file that are read to find out its kind."""

JPEG_BYTES = 2**18
"""Bytes at the beginning of a JPEG that are read to see whether another one of the same size follows."""

LEAST_PROBED_BYTES = 2**14
"""Smaller files are not given to FFmpeg to find out their kind."""


def kind_of(path: Path) -> Kind | None:
    """Whether a file is a photo or a video; None: neither, as far as its first bytes tell.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    head = head_of(path)
    suffix = path.suffix.lower()
    if is_raw(path, head) or _PHOTO_HEADS.match(head) or (head[4:8] == b"ftyp" and head[8:12] in PHOTO_BRANDS):
        return Kind.PHOTOS
    mime = _mime(head)
    if mime == "image/jpeg":
        is_video = suffix in VIDEO_SUFFIXES or jpeg.is_sequence(head_of(path, JPEG_BYTES))
        return Kind.VIDEO if is_video else Kind.PHOTOS
    if mime.startswith("image/"):
        # The library takes every file that begins with "BM" for a bitmap; in a bitmap, four reserved bytes are zero.
        return Kind.PHOTOS if mime != "image/bmp" or head[6:10] == bytes(4) else None
    if mime.startswith("video/"):
        return None if suffix in SOUND_SUFFIXES else Kind.VIDEO
    if suffix in VIDEO_SUFFIXES:
        return None if suffix in TEXT_SUFFIXES and head and _is_text(head) else Kind.VIDEO
    return Kind.PHOTOS if suffix in PHOTO_SUFFIXES else None


def kind_of_name(suffix: str) -> Kind | None:
    """Whether a file is a photo or a video, by the end of its name alone."""
    suffix = suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return Kind.VIDEO
    return Kind.PHOTOS if suffix in PHOTO_SUFFIXES or suffix in RAW_SUFFIXES else None


def worth_probing(path: Path) -> bool:
    """Whether a file of which :func:`kind_of` says None might hold a video nevertheless, as FFmpeg can tell.

    Raises:
        OSError: it cannot be read.
    """
    if path.stat().st_size < LEAST_PROBED_BYTES:
        return False
    head = head_of(path)
    mime = _mime(head)
    return (not mime or mime == "audio/ogg" or mime.startswith("video/")) and not _is_text(head)


def is_raw(path: Path, head: bytes) -> bool:
    """Whether a file is a camera's raw photo, by its first bytes or its suffix.

    There is another rule in :mod:`fer_batch.media.photo_file`, for what only the decoder sees.
    """
    if _RAW_HEADS.match(head) or _mime(head) in _RAW_MIMES:
        return True
    return path.suffix.lower() in RAW_SUFFIXES and head.startswith(TIFF_HEADS)


def begins_as_photo(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a photo, whatever its name."""
    return bool(_PHOTO_HEADS.match(head)) or _mime(head).startswith("image/")


def may_need_ffmpeg(head: bytes) -> bool:
    """Whether FFmpeg may read a photo that Pillow refuses, by its first bytes: an AVIF, or one that is not Pillow's.

    A photo of Pillow's other formats that Pillow refuses is damaged.
    """
    return _mime(head) in ("", "image/avif")


def head_of(path: Path, count: int = SNIFFED_BYTES) -> bytes:
    """The first bytes of a file.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe or a device could block for ever
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        return file.read(count)


def _mime(head: bytes) -> str:
    """The media type by the ``filetype`` library; empty: it does not know it."""
    guess: Any = filetype.guess(head)
    return str(guess.mime) if guess else ""


def _is_text(head: bytes) -> bool:
    """Whether these first bytes of a file are text in UTF-8 or UTF-16; no bytes are."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        head[:-3].decode()  # the last character may not be whole
    except UnicodeDecodeError:
        return False
    return not _CONTROLS.search(head)
