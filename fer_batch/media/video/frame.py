"""One decoded frame of a film as a Picture: its luma as the decoder holds it, colour only when asked for."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter

from fer_batch.media.frame import Luma

LUMA_FIRST = ("yuv", "nv", "p0", "p2", "p4", "gray")
"""Prefixes of FFmpeg's names of the pixel formats whose first plane is the luma."""

PACKED = ("yuyv", "yvyu")
"""Formats whose name begins alike, but which mix luma and colour in one plane."""

LIMITED_RANGE, FULL_RANGE = 1, 2
"""FFmpeg's AVCOL_RANGE_MPEG and _JPEG; 0, unspecified, means limited range, and full where there is only grey."""

UNSPECIFIED = 2
"""ITU-T H.273's code for a colour space, transfer function or primaries of which nothing is said."""

SQUARE = Fraction(1)
"""The aspect of pixels that are as wide as high."""


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to hold a picture: the axes swapped first, then each mirrored or not."""

    swap: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def upright(self, image: np.ndarray) -> np.ndarray:
        """A view of ``image`` (height, width, …) the way it is meant to be seen."""
        if self.swap:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


def orientation(frame: av.VideoFrame) -> Orientation:
    """How the frame's display matrix wants it shown; upright where it has none.

    The matrix, row by row (a b u, c d v, x y w), sends a pixel at (p, q) to (a p + c q, b p + d q).
    """
    data: Any
    try:
        for data in frame.side_data:  # the stubs have it yield names, it yields values
            if data.type == SideDataType.DISPLAYMATRIX:
                a, b, _, c, d = np.frombuffer(data, "<i4")[:5].tolist()
                if abs(a) + abs(d) >= abs(b) + abs(c):
                    return Orientation(False, a < 0, d < 0)
                return Orientation(True, c < 0, b < 0)
    except ValueError:  # PyAV lists none where one is of a kind that it does not know, as EXIF is
        return TURNED[round(frame.rotation / 90) % 4]
    return Orientation()


TURNED = (Orientation(), Orientation(True, False, True), Orientation(False, True, True), Orientation(True, True, False))
"""By quarter turns, anticlockwise."""


@lru_cache
def _stored_levels(name: str, color_range: int) -> tuple[np.dtype[Any], int, int]:
    """How FFmpeg's pixel format of that name holds luma: the type, and the levels of black and white."""
    bits = av.VideoFormat(name).components[0].bits
    kind = np.dtype(np.uint8 if bits == 8 else ">u2" if name.endswith("be") else "<u2")
    grey = name.startswith(("yuvj", "gray")) and color_range != LIMITED_RANGE
    full = color_range == FULL_RANGE or grey
    black, white = (0, 2**bits - 1) if full else (16 << bits - 8, 235 << bits - 8)
    if name.startswith(("p0", "p2", "p4")) or "msb" in name:  # these keep their bits at the top of the 16
        black, white = black << 16 - bits, white << 16 - bits
    return kind, black, white


@dataclass(frozen=True)
class VideoImage:
    """A film's frame; implements :class:`fer_batch.media.frame.FrameImage`."""

    frame: av.VideoFrame
    orientation: Orientation
    reformatter: VideoReformatter
    aspect: Fraction = SQUARE
    """Width of a stored pixel in heights. The picture's own pixels are square: its stored width is stretched."""

    @cached_property
    def _stretched(self) -> int:
        """The stored width in square pixels."""
        return max(1, round(self.frame.width * self.aspect))

    @cached_property
    def width(self) -> int:
        """Square pixels, upright."""
        return self.frame.height if self.orientation.swap else self._stretched

    @cached_property
    def height(self) -> int:
        """Square pixels, upright."""
        return self._stretched if self.orientation.swap else self.frame.height

    def luma(self, smallest: float = 0.0) -> Luma:  # noqa: ARG002
        """The luma plane as a view of the decoder's memory, with its own levels of black and white."""
        return self._luma

    @cached_property
    def _luma(self) -> Luma:
        plane, black, white = self._levels()
        upright = self.orientation.upright(plane)
        return Luma(upright, black, white, upright.shape[0] / self.height, self._upright_aspect)

    @property
    def _upright_aspect(self) -> float:
        """Width of an upright plane's pixel in heights, exactly as the sizes have it."""
        aspect = self._stretched / self.frame.width
        return 1 / aspect if self.orientation.swap else aspect

    def _levels(self) -> tuple[np.ndarray, int, int]:
        """The stored luma (height, width), uint8 or uint16, and its levels of black and white."""
        name = self.frame.format.name
        if not name.startswith(LUMA_FIRST) or name.startswith(PACKED):
            return self._converted(format="gray"), 0, 255
        kind, black, white = _stored_levels(name, self.frame.color_range)
        plane = self.frame.planes[0]
        row = plane.line_size // kind.itemsize  # rows are padded
        view = np.frombuffer(memoryview(plane), kind).reshape(-1, row)[: self.frame.height, : self.frame.width]
        return view.astype(np.uint16) if kind.byteorder == ">" else view, black, white

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8, converted and shrunk in one step."""
        ratio = min(1.0, longest_side / max(self.width, self.height))
        options: dict[str, Any] = {"format": "rgb24", "interpolation": Interpolation.BILINEAR}
        if ratio < 1 or self.aspect != 1:
            options |= {
                "width": max(1, round(self._stretched * ratio)),
                "height": max(2, round(self.frame.height * ratio)),  # one for each field, which FFmpeg asks for
                "interpolation": Interpolation.AREA,
            }
        return np.ascontiguousarray(self.orientation.upright(self._converted(**options)))

    def _converted(self, **options: Any) -> np.ndarray:
        """The frame in another format or size; colours that FFmpeg cannot convert are taken for the usual ones."""
        try:
            return self.reformatter.reformat(self.frame, **options).to_ndarray()
        except OSError:
            self.frame.colorspace = self.frame.color_trc = self.frame.color_primaries = UNSPECIFIED
            return self.reformatter.reformat(self.frame, **options).to_ndarray()


class FrameConverter:
    """Makes the pictures of one film, whose orientation it takes from the first frame.

    From that one alone: PyAV ties a frame and its side data into a circle, and frames that only the garbage collector
    frees fill the memory, at 3 MB each in 1080p.
    """

    def __init__(self, aspect: Fraction = SQUARE) -> None:
        self._aspect = aspect
        self._reformatter = VideoReformatter()
        self._orientation: Orientation | None = None

    def image(self, frame: av.VideoFrame) -> VideoImage:
        """The frame as it is meant to be seen."""
        if self._orientation is None:
            self._orientation = orientation(frame)
        return VideoImage(frame, self._orientation, self._reformatter, self._aspect)
