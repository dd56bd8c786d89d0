"""A decoded video frame as a FrameImage: its luma as the decoder stores it, and colour only on request."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter

from fer_batch.media.frame import Luma

LUMA_FIRST_PREFIXES = ("yuv", "nv", "p0", "p2", "p4", "gray")
"""FFmpeg's names of pixel formats whose first plane is the luma begin with these."""

PACKED_PREFIXES = ("yuyv", "yvyu")
"""Formats whose names begin with these mix luma and colour in one plane."""

LIMITED_RANGE, FULL_RANGE = 1, 2
"""FFmpeg's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG. 0 is unspecified; it means limited range, but full range for grey."""

UNSPECIFIED = 2
"""Code for an unspecified colour space, transfer function or primaries (ITU-T H.273)."""

SQUARE_PIXELS = Fraction(1)
"""Aspect of pixels that are as wide as they are high."""


@dataclass(frozen=True)
class Orientation:
    """How to make a stored image upright: swap its axes if ``swap``, then mirror it along each axis or not."""

    swap: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def upright(self, image: np.ndarray) -> np.ndarray:
        """A view of the stored ``image`` (height, width, …) that is upright."""
        if self.swap:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


def orientation(frame: av.VideoFrame) -> Orientation:
    """The orientation from the frame's display matrix; upright if it has none.

    The matrix, row by row (a b u, c d v, x y w), moves a pixel from (p, q) to (a p + c q, b p + d q).
    """
    data: Any
    try:
        for data in frame.side_data:  # PyAV's stubs say that this gives names, but it gives values
            if data.type == SideDataType.DISPLAYMATRIX:
                a, b, _, c, d = np.frombuffer(data, "<i4")[:5].tolist()
                if abs(a) + abs(d) >= abs(b) + abs(c):
                    return Orientation(False, a < 0, d < 0)
                return Orientation(True, c < 0, b < 0)
    except ValueError:  # PyAV cannot list side data if any of it is of an unknown type, such as EXIF
        return QUARTER_TURNS[round(frame.rotation / 90) % 4]
    return Orientation()


_TURN_FLAGS = ((False, False, False), (True, False, True), (False, True, True), (True, True, False))
QUARTER_TURNS = tuple(Orientation(*flags) for flags in _TURN_FLAGS)
"""Orientations of images that are to be turned anticlockwise by 0, 90, 180 and 270 degrees."""


@lru_cache
def _stored_levels(pixel_format: str, color_range: int) -> tuple[np.dtype[Any], int, int]:
    """How a pixel format (FFmpeg's name) stores luma: the data type, and the levels of black and white."""
    bits = av.VideoFormat(pixel_format).components[0].bits
    dtype = np.dtype(np.uint8 if bits == 8 else ">u2" if pixel_format.endswith("be") else "<u2")
    full_by_default = pixel_format.startswith(("yuvj", "gray")) and color_range != LIMITED_RANGE
    full = color_range == FULL_RANGE or full_by_default
    black, white = (0, 2**bits - 1) if full else (16 << bits - 8, 235 << bits - 8)
    if pixel_format.startswith(("p0", "p2", "p4")) or "msb" in pixel_format:  # these use the highest of 16 bits
        black, white = black << 16 - bits, white << 16 - bits
    return dtype, black, white


@dataclass(frozen=True)
class VideoImage:
    """An image of a video; implements :class:`fer_batch.media.frame.FrameImage`."""

    frame: av.VideoFrame
    orientation: Orientation
    reformatter: VideoReformatter
    aspect: Fraction = SQUARE_PIXELS
    """Width of a stored pixel divided by its height. The image has square pixels: the stored width is stretched."""

    @cached_property
    def _stretched_width(self) -> int:
        """The stored width in square pixels."""
        return max(1, round(self.frame.width * self.aspect))

    @cached_property
    def width(self) -> int:
        """Square pixels, upright."""
        return self.frame.height if self.orientation.swap else self._stretched_width

    @cached_property
    def height(self) -> int:
        """Square pixels, upright."""
        return self._stretched_width if self.orientation.swap else self.frame.height

    def luma(self, smallest: float = 0.0) -> Luma:  # noqa: ARG002
        """The luma plane as a view of the decoder's memory, with the levels of black and white of its format."""
        return self._luma

    @cached_property
    def _luma(self) -> Luma:
        plane, black, white = self._levels()
        upright = self.orientation.upright(plane)
        return Luma(upright, black, white, upright.shape[0] / self.height, self._upright_aspect)

    @property
    def _upright_aspect(self) -> float:
        """Width of a pixel of the upright plane divided by its height, by the rounded sizes."""
        aspect = self._stretched_width / self.frame.width
        return 1 / aspect if self.orientation.swap else aspect

    def _levels(self) -> tuple[np.ndarray, int, int]:
        """The stored luma (height, width), uint8 or uint16, and its levels of black and white."""
        pixel_format = self.frame.format.name
        if not pixel_format.startswith(LUMA_FIRST_PREFIXES) or pixel_format.startswith(PACKED_PREFIXES):
            return self._converted(format="gray"), 0, 255
        dtype, black, white = _stored_levels(pixel_format, self.frame.color_range)
        plane = self.frame.planes[0]
        padded_width = plane.line_size // dtype.itemsize
        rows = np.frombuffer(memoryview(plane), dtype).reshape(-1, padded_width)
        view = rows[: self.frame.height, : self.frame.width]
        return view.astype(np.uint16) if dtype.byteorder == ">" else view, black, white

    def rgb(self, longest_side: int) -> np.ndarray:
        """(height, width, 3) uint8 RGB, converted and shrunk in one step to at most ``longest_side`` pixels."""
        ratio = min(1.0, longest_side / max(self.width, self.height))
        options: dict[str, Any] = {"format": "rgb24", "interpolation": Interpolation.BILINEAR}
        if ratio < 1 or self.aspect != 1:
            options |= {
                "width": max(1, round(self._stretched_width * ratio)),
                "height": max(2, round(self.frame.height * ratio)),  # FFmpeg needs a row for each interlaced field
                "interpolation": Interpolation.AREA,
            }
        return np.ascontiguousarray(self.orientation.upright(self._converted(**options)))

    def _converted(self, **options: Any) -> np.ndarray:
        """The frame in another format or size. If FFmpeg does not know its colours, the default is assumed."""
        try:
            return self.reformatter.reformat(self.frame, **options).to_ndarray()
        except OSError:
            self.frame.colorspace = self.frame.color_trc = self.frame.color_primaries = UNSPECIFIED
            return self.reformatter.reformat(self.frame, **options).to_ndarray()


class FrameConverter:
    """Makes the images of one video. They all get the orientation of the first frame.

    It does not read the side data of other frames: in PyAV, a frame and its side data then refer to each other. Such
    frames stay in memory until the garbage collector runs, at 3 MB each in 1080p.
    """

    def __init__(self, aspect: Fraction = SQUARE_PIXELS) -> None:
        self._aspect = aspect
        self._reformatter = VideoReformatter()
        self._orientation: Orientation | None = None

    def image(self, frame: av.VideoFrame) -> VideoImage:
        """The upright image of a frame."""
        if self._orientation is None:
            self._orientation = orientation(frame)
        return VideoImage(frame, self._orientation, self._reformatter, self._aspect)
