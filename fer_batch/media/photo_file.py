"""Decodes photo files, by Pillow and JPEGs by libjpeg-turbo, to one upright image of 8 bits, whatever the format.

There is a rule for files with several images, for orientation, bit depth and transparency; the documentation lists
them. Colour profiles are not applied: the detector and the model were trained on images as they are stored.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from fer_batch.errors import MediaError
from fer_batch.media import jpeg, kinds, photo_damage
from fer_batch.media.video.frame import FrameConverter
from fer_batch.media.video.index import open_video, video_stream

FORMATS = "JPEG PNG HEIF WEBP TIFF GIF BMP DIB AVIF JPEG2000 PPM PSD ICO".split()
"""Formats that Pillow may read. Others do not hold photos, and reading EPS would run a program. JPEG includes MPO."""

MAX_PIXELS = 200_000_000
"""Largest photo: as large as phones take them. Decoding needs up to 9 bytes for each pixel."""

MAX_ANIMATION_PIXELS = 50_000_000
"""Largest animation. Its decoders keep several whole images, and need up to 21 bytes for each pixel."""

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to make an image of each EXIF orientation upright (CIPA DC-008, 4.6.4). With 1, or any other value, it is."""

_SIDEWAYS = {_TRANSPOSES[orientation] for orientation in (5, 6, 7, 8)}
"""Those that swap width and height."""

_ORIENTATION = 0x0112
_SUBFILE_TYPE, _BITS, _PHOTOMETRIC, _SAMPLE_FORMAT, _DNG_VERSION = 254, 258, 262, 339, 50706
"""Tags of EXIF, TIFF 6.0 and Adobe's DNG."""

_UNSIGNED, _SIGNED = 1, 2
"""Of _SAMPLE_FORMAT."""

_MULTI_PHOTO_FORMATS = frozenset({"AVIF", "GIF", "HEIF", "PNG", "TIFF", "WEBP"})
"""Formats that can hold several photos. Further images in MPO are previews and maps, in PSD layers, in ICO sizes."""

_BITMAP_FORMATS = frozenset({"BMP", "DIB"})

_JPEG_FORMATS = frozenset({"JPEG", "MPO"})

_JPEG_FACTORS = (8, 4, 2, 1)
"""What libjpeg divides an image's size by fastest."""

_ANIMATION_FORMATS = frozenset({"AVIF", "GIF", "PNG", "WEBP"})

NO_PHOTO = "Not a photo, or too damaged to tell."
CUT_OFF = "Cut off: the file ends too early."
UNREADABLE = "Damaged, or of a kind that cannot be read: open it in another program and save it as PNG."
RAW = "A camera's raw file, of which only a thumbnail can be read: develop it first."
SEVERAL_PHOTOS_NOTE = "It holds several images; only the first is analysed."
OUT_OF_RANGE_NOTE = "It has levels outside of 0 to 1, which count as black or white: save it with 8 or 16 bits."
DARK_NOTE = (
    "None of its levels is above a sixteenth of white, as where a camera's 12 bits are stored in 16: it is analysed as "
    "dark as it is stored. Save it with levels up to white."
)
DARKEST_WHITE = 16
"""Of 255: the greatest number of 12 bits, in 16."""
BY_FFMPEG_NOTE = "Pillow cannot read it: decoded by FFmpeg, without its transparency if it has any."
DAMAGED_EXIF = "Its EXIF data cannot be read: the photo is not rotated."

pillow_heif.register_heif_opener()


@dataclass(frozen=True)
class DecodedPhoto:
    """A decoded photo."""

    image: Image.Image
    """Upright, of mode RGB or L; possibly decoded at a reduced size."""
    width: int
    """Pixels of the photo in its full size, upright."""
    height: int
    notes: tuple[str, ...] = ()
    """What in the file was ignored, in sentences for the user."""
    damage: tuple[str, ...] = ()
    """What in it is damaged, likewise."""

    @property
    def rgb(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        return np.asarray(self.image.convert("RGB"))

    @property
    def grey(self) -> np.ndarray:
        """(height, width) uint8, ITU-R BT.601 luma."""
        return np.asarray(self.image.convert("L"))


def decode(path: Path, min_longest_side: int | None = None) -> DecodedPhoto:
    """Decode a photo; if the file holds several images, the first.

    A JPEG whose longest side is at least twice ``min_longest_side`` is decoded at a half, a quarter or an eighth of its
    size, never below ``min_longest_side`` pixels. This is fast, since libjpeg leaves cosine terms out. None: full size.

    Raises:
        MediaError: it cannot be read, is damaged, is a camera's raw file, or has more than MAX_PIXELS (as an animation,
            MAX_ANIMATION_PIXELS).
    """
    head = b""
    try:
        head = kinds.head_of(path)
        if not head:
            raise MediaError("The file is empty.")
        if kinds.is_raw(path, head):
            raise MediaError(RAW)
        with _pillow_settings(), Image.open(path, formats=FORMATS) as image:
            return _decode(path, image, min_longest_side)
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(_too_large(MAX_PIXELS)) from error
    except Exception as error:  # on damaged files, Pillow's readers raise errors of any type
        if head and kinds.may_need_ffmpeg(head) and (by_ffmpeg := _decode_by_ffmpeg(path)) is not None:
            return by_ffmpeg
        raise MediaError(_words(error, head)) from error


def _decode_by_ffmpeg(path: Path) -> DecodedPhoto | None:
    """A photo that Pillow refuses, decoded by FFmpeg without its transparency; None: it cannot be."""
    try:
        with open_video(path) as container:
            stream = video_stream(container)
            stream.codec_context.options = {
                "max_pixels": str(MAX_PIXELS),
                "err_detect": "crccheck+bitstream+buffer+explode",
            }
            frame = next(container.decode(stream), None)
            if frame is None or frame.is_corrupt:
                return None
            image = FrameConverter().image(frame)
            pixels = image.rgb(max(image.width, image.height))
    except (MediaError, av.error.FFmpegError, OSError, ValueError):
        return None
    return DecodedPhoto(Image.fromarray(pixels), image.width, image.height, (BY_FFMPEG_NOTE,))


def _words(error: Exception, head: bytes) -> str:
    """An error of Pillow, or of the system, in the users' words; ``head``: the first bytes of the file."""
    if reason := getattr(error, "strerror", None):
        return f"Cannot be read: {reason}."
    if isinstance(error, UnidentifiedImageError) and not kinds.begins_as_photo(head):
        return NO_PHOTO
    if isinstance(error, MemoryError):
        return "It needs more memory than there is: scale it down."
    if "truncated" in str(error).lower():
        return CUT_OFF
    return UNREADABLE


@contextmanager
def _pillow_settings() -> Iterator[None]:
    """Set the limit of pixels, have libtiff decode every TIFF, and turn warnings off: what matters raises an error.

    Pillow's own decoder for TIFFs that are not compressed mixes up the planes of 16-bit colours, and takes YCbCr with
    reduced colour for a file that was cut off.
    """
    before = Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses more than twice as many
    TiffImagePlugin.READ_LIBTIFF = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF = before


def _decode(path: Path, image: Image.Image, min_longest_side: int | None) -> DecodedPhoto:
    _refuse_raw_files(image)
    if image.format in _ANIMATION_FORMATS and getattr(image, "is_animated", False):
        _refuse_size(image, MAX_ANIMATION_PIXELS)
    notes = [SEVERAL_PHOTOS_NOTE] if _has_several(image) else []
    damage = []
    width, height = image.size
    pixels, damaged = _pixels(path, image, min_longest_side)
    if damaged:
        damage.append(damaged)
    if pixels.mode == "F" and not np.all((np.asarray(pixels) >= 0) & (np.asarray(pixels) <= 1)):
        notes.append(OUT_OF_RANGE_NOTE)
    transpose = None
    try:
        exif = image.getexif()
        # For TIFF and HEIF, Pillow has turned the image already and has removed the tag.
        transpose = _TRANSPOSES.get(exif.get(_ORIENTATION, 1))
        exif_damaged = not exif and not _has_no_tags(image.info.get("exif") or b"")
    except Exception:  # on damaged data, Pillow raises errors of any type
        exif_damaged = True
    if exif_damaged:
        damage.append(DAMAGED_EXIF)
    image = _eight_bits(pixels)
    if pixels.mode[0] in "IF" and np.asarray(image).max() <= DARKEST_WHITE:
        notes.append(DARK_NOTE)
    if transpose is not None:
        image = image.transpose(transpose)
        if transpose in _SIDEWAYS:
            width, height = height, width
    return DecodedPhoto(image, width, height, tuple(notes), tuple(damage))


def _has_no_tags(exif: bytes) -> bool:
    """Whether EXIF data are whole, but hold nothing, as a program leaves them that takes everything out."""
    header = exif.removeprefix(b"Exif\0\0")
    begin = int.from_bytes(header[4:8], "little" if header.startswith(b"II") else "big")
    return not header or (header.startswith(kinds.TIFF_HEADS) and header[begin : begin + 2] == bytes(2))


def _pixels(path: Path, image: Image.Image, min_longest_side: int | None) -> tuple[Image.Image, str | None]:
    """The image with its pixels, possibly at a reduced size, and what is damaged in it; None: nothing that is known."""
    if image.format not in _JPEG_FORMATS:
        try:
            image.load()
        except OSError as error:
            raise MediaError(CUT_OFF) if photo_damage.is_cut_off(path, image) else error from error
        return image, photo_damage.damage_of(path, image)
    longest = max(image.size)
    factor = next(
        factor for factor in _JPEG_FACTORS if factor == 1 or longest >= factor * (min_longest_side or longest)
    )
    width, height = (ceil(side / factor) for side in image.size)
    data = path.read_bytes()
    pixels, damage = jpeg.decode(data, image.mode, width, height)
    if pixels is None:  # unusual, but Pillow may know it, or a reason
        if jpeg.may_be_reduced(data):
            image.draft(image.mode, (width, height))
        image.load()
        return image, damage
    size = pixels.shape[1::-1]
    return Image.frombytes(image.mode, size, 255 - pixels if image.mode == "CMYK" else pixels), damage


def _too_large(max_pixels: int) -> str:
    return f"It has more than {max_pixels // 10**6} megapixels: scale it down."


def _refuse_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise MediaError(_too_large(max_pixels))


def _refuse_raw_files(image: Image.Image) -> None:
    """A camera's raw file is a TIFF whose first image is a thumbnail; it must not be taken for the photo."""
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (_DNG_VERSION in tags or _is_reduced(image)):
        raise MediaError(RAW)


def _is_reduced(image: Image.Image) -> bool:
    """Whether a TIFF's current image is marked as a reduced copy of another one."""
    return bool(getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0) & 1)


def _has_several(image: Image.Image) -> bool:
    """Whether the file holds further images that are not reduced copies of the first."""
    if image.format not in _MULTI_PHOTO_FORMATS or not getattr(image, "is_animated", False):
        return False
    if image.format != "TIFF":
        return True
    try:
        image.seek(1)
        while _is_reduced(image):
            image.seek(image.tell() + 1)
    except EOFError:
        return False
    finally:
        image.seek(0)
    return True


def _eight_bits(image: Image.Image) -> Image.Image:
    """The image in mode RGB or L, on a white background if it is transparent."""
    if image.mode[0] in "IF" or (image.mode == "L" and _tag(image, _SAMPLE_FORMAT, _UNSIGNED) == _SIGNED):
        return Image.fromarray(_scaled_levels(image))
    if image.mode == "LAB":
        return image.getchannel("L")  # lightness serves as grey
    if image.mode == "RGBA" and image.format in _BITMAP_FORMATS and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")  # bitmaps leave the fourth byte at zero where there is no transparency
    if image.has_transparency_data:
        transparent = image.convert("RGBA")
        background = Image.new("RGB", transparent.size, "white")
        background.paste(transparent, mask=transparent.getchannel("A"))
        return background
    return image if image.mode in ("RGB", "L") else image.convert("L" if image.mode == "1" else "RGB")


def _scaled_levels(image: Image.Image) -> np.ndarray:
    """(height, width) uint8: a grey image of more than 8 bits, or of signed ones, scaled to black 0 and white 255.

    Integers reach from 0 (or the lowest signed value) to the highest value, floating-point numbers from 0 to 1 (TIFF
    Technical Note 3). Pillow's own conversion would set everything above 255 to 255.
    """
    bits = _tag(image, _BITS, 16)
    levels = np.asarray(image)
    if image.mode == "F":
        black, white = 0.0, 1.0
    elif _tag(image, _SAMPLE_FORMAT, _UNSIGNED) == _SIGNED:
        black, white = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
        levels = levels.view(np.int8) if levels.dtype == np.uint8 else levels
    else:
        black, white = 0.0, 2.0**bits - 1
        levels = levels.view(np.uint32) if levels.dtype == np.int32 else levels
    if _tag(image, _PHOTOMETRIC, 1) == 0:  # white is zero
        black, white = white, black
    grey = (np.nan_to_num(levels.astype(np.float32)) - black) * (255 / (white - black))
    return np.asarray(np.rint(grey).clip(0, 255), np.uint8)


def _tag(image: Image.Image, tag: int, default: int) -> int:
    """A tag of a TIFF, of several values the first; ``default``: it is not there, or the photo is no TIFF."""
    value = getattr(image, "tag_v2", {}).get(tag, default) if image.format == "TIFF" else default
    return int(value[0] if isinstance(value, tuple) else value)
