"""A photograph's file as one upright picture of eight bits; what formats do differently is settled here.

Pillow decodes. Which of several pictures, which way up, how deep, how transparent: each has its rule, told in the
README. Colour profiles are not applied: the detector and the model were trained on pictures taken as they are stored.
"""

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from fer_batch.errors import MediaError

FORMATS = "JPEG PNG HEIF WEBP TIFF GIF BMP DIB AVIF JPEG2000 PPM PSD ICO".split()
"""Pillow's readers that are used. Others hold no photographs, and that of EPS would run a program. JPEG's reads MPO."""

MAX_PIXELS = 200_000_000
"""As many as telephones make. Decoding takes up to 9 bytes for each."""

MAX_ANIMATION_PIXELS = 50_000_000
"""Of an animation, whose decoders keep several whole pictures: up to 21 bytes for each pixel."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright (CIPA DC-008, 4.6.4); 1, and anything else, is upright."""

_ORIENTATION = 0x0112
_SUBFILE_TYPE, _BITS, _PHOTOMETRIC, _SAMPLE_FORMAT, _DNG_VERSION = 254, 258, 262, 339, 50706
"""Tags of EXIF and of TIFF 6.0, and one of Adobe's DNG."""

_SEVERAL_SHOTS = frozenset({"AVIF", "GIF", "HEIF", "PNG", "TIFF", "WEBP"})
"""Formats whose further pictures are pictures of their own. MPO's are previews and maps, PSD's layers, ICO's sizes."""

_MOVING = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats of animations."""

SEVERAL_PHOTOS_NOTE = "It holds several pictures; only the first is looked at."
DAMAGED_EXIF_NOTE = "Nothing of its EXIF data can be read: it is taken the way up that it is stored."

pillow_heif.register_heif_opener()


@dataclass(frozen=True)
class DecodedPhoto:
    """A picture that has been decoded."""

    image: Image.Image
    """Upright, of mode RGB or L."""
    width: int
    """Pixels of the whole picture, of which ``image`` may be a reduction."""
    height: int
    notes: tuple[str, ...] = ()
    """What of the file was passed over."""

    @property
    def rgb(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        return np.asarray(self.image.convert("RGB"))

    @property
    def grey(self) -> np.ndarray:
        """(height, width) uint8, ITU-R BT.601 luma."""
        return np.asarray(self.image.convert("L"))


def decode(path: Path, enough: int | None = None) -> DecodedPhoto:
    """Decode a photograph, its first picture if it holds several.

    A JPEG whose longest side is at least twice ``enough`` is decoded at a half, a quarter or an eighth of its size
    (libjpeg does it by leaving cosine terms out), never below ``enough``.

    Raises:
        MediaError: it cannot be read, is damaged, is a camera's raw file, or has more than ``MAX_PIXELS``.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # it may have become a pipe, which would block
            raise MediaError("Cannot be read: it is not a regular file.")
        with _quietly(), Image.open(path, formats=FORMATS) as image:
            return _decode(image, enough)
    except MediaError:
        raise
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise MediaError("The file is empty." if empty else "Not a photograph, or too damaged to tell.") from None
    except Image.DecompressionBombError as error:
        raise MediaError(_too_large(MAX_PIXELS)) from error
    except OSError as error:
        raise MediaError(_reason(error)) from error
    except Exception as error:  # Pillow's readers let through whatever a damaged file makes them stumble over
        raise MediaError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """What a reader said, in one line."""
    words = " ".join((getattr(error, "strerror", None) or str(error)).split()).rstrip(".")
    return f"Cannot be decoded: {words or type(error).__name__}."


@contextmanager
def _quietly() -> Iterator[None]:
    """With our limit of pixels and without warnings: what matters raises."""
    most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS // 2  # Pillow refuses twice as many
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = most


def _decode(image: Image.Image, enough: int | None) -> DecodedPhoto:
    _refuse_thumbnails(image)
    if image.format in _MOVING and getattr(image, "is_animated", False):
        _refuse_sizes(image, MAX_ANIMATION_PIXELS)
    notes = [SEVERAL_PHOTOS_NOTE] if _has_several(image) else []
    whole = image.size
    if enough is not None and image.mode in ("RGB", "L"):
        share = enough / max(whole)
        image.draft(image.mode, (int(whole[0] * share), int(whole[1] * share)))
    image.load()
    turn = None
    try:
        exif = image.getexif()
        turn = _TURNS.get(exif.get(_ORIENTATION, 1))  # TIFF's and HEIF's are applied already, and gone
        damaged = len(image.info.get("exif") or b"") > len(b"Exif\0\0") and not exif
    except Exception:  # as above
        damaged = True
    if damaged:
        notes.append(DAMAGED_EXIF_NOTE)
    flat = _eight_bits(image)
    width, height = whole
    if turn is not None:
        flat = flat.transpose(turn)
        if turn in _SWAPPING:
            width, height = height, width
    return DecodedPhoto(flat, width, height, tuple(notes))


_SWAPPING = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


def _too_large(most: int) -> str:
    return f"It has more than {most // 10**6} megapixels: scale it down."


def _refuse_sizes(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise MediaError(_too_large(most))


def _refuse_thumbnails(image: Image.Image) -> None:
    """Raw files of cameras are TIFFs whose first picture is a thumbnail, which must not pass for the photograph."""
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (_DNG_VERSION in tags or _is_reduced(image)):
        raise MediaError("A camera's raw file, of which only a thumbnail can be read: develop it first.")


def _is_reduced(image: Image.Image) -> bool:
    return bool(getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0) & 1)


def _has_several(image: Image.Image) -> bool:
    """Whether there are further pictures, reductions of the first one apart."""
    if image.format not in _SEVERAL_SHOTS or not getattr(image, "is_animated", False):
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
    """The picture in mode RGB or L, laid on white where it is transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_from_levels(image))
    if image.mode == "LAB":
        return image.getchannel("L")  # lightness, which is as good a grey
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        ground = Image.new("RGB", seen.size, "white")
        ground.paste(seen, mask=seen.getchannel("A"))
        return ground
    return image if image.mode in ("RGB", "L") else image.convert("L" if image.mode == "1" else "RGB")


def _from_levels(image: Image.Image) -> np.ndarray:
    """(height, width) uint8 of a grey picture with more than eight bits, by what its format calls black and white.

    Whole numbers fill their range, floating-point numbers that from 0 to 1 (TIFF Technical Note 3). Pillow's own
    conversion would cut off everything above 255.
    """
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    bits, kind = int(tags.get(_BITS, (16,))[0]), int(tags.get(_SAMPLE_FORMAT, (1,))[0])
    levels = np.asarray(image)
    if image.mode == "F":
        black, white = 0.0, 1.0
    elif kind == 2:  # signed
        black, white = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    else:
        black, white = 0.0, 2.0**bits - 1
        levels = levels.view(np.uint32) if levels.dtype == np.int32 else levels
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero
        black, white = white, black
    grey = (np.nan_to_num(levels.astype(np.float32)) - black) * (255 / (white - black))
    return np.asarray(np.rint(grey).clip(0, 255), np.uint8)
