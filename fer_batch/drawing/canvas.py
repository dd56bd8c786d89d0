"""An upright picture to draw on: the planes of a video's frame, or the channels of a photo, written to in place.

Only what is drawn over changes. A frame is not converted: it keeps its depth, its range and its fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import av
import cv2
import numpy as np

from fer_batch.media.video.frame import FULL_RANGE, VideoImage
from fer_batch.options import COVER, PIXELATE
from fer_batch.types import Box

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
"""The parts of red and of blue in luma."""

MATRICES = {1: BT709, 5: BT601, 6: BT601, 9: BT2020, 10: BT2020}
"""By the codes of colour spaces (ITU-T H.273). Others are BT.601 in small frames, and BT.709 in large ones."""

LARGE_HEIGHT = 720

HDR_WHITE = {16: 0.58, 18: 0.75}
"""The level of a white sheet in HDR, by the codes of its transfer functions (ITU-R BT.2408, table 1)."""

DRAWABLE = (
    *(f"yuv{sampling}p{bits}" for sampling in (420, 422, 444) for bits in ("", "10le", "12le")),
    *(f"yuvj{sampling}p" for sampling in (420, 422, 444)),
)
"""FFmpeg's names of the pixel formats whose planes can be drawn on."""

CELLS = 4
"""Squares along each side to which what is blurred or pixelated is reduced; a face is then less than three wide."""

FADED = 0.4
"""The part that is left of the contrast of these squares: what is only blurred can still look like a face."""

COVERED: Colour = (0.35, 0.35, 0.35)


@dataclass(frozen=True)
class Canvas:
    """A picture of square pixels, drawn on in pixels of the upright picture."""

    planes: Sequence[np.ndarray]
    """(rows, columns) each, upright, perhaps smaller than the picture; what is drawn is written into them."""
    width: int
    height: int
    levels: Callable[[Colour], Sequence[float]]
    """The levels of a colour in each plane."""

    @classmethod
    def of_frame(cls, image: VideoImage) -> "Canvas":
        """For a frame in a format of DRAWABLE, which is made writable."""
        frame = image.frame
        frame.make_writable()
        planes = [image.orientation.upright(_pixels(plane, frame.format.name)) for plane in frame.planes]
        return cls(planes, image.width, image.height, _levels_of(frame))

    @classmethod
    def of_photo(cls, pixels: np.ndarray) -> "Canvas":
        """For (height, width, 3) uint8 RGB."""
        height, width = pixels.shape[:2]
        return cls([pixels[:, :, channel] for channel in range(3)], width, height, _levels_of_rgb)

    def fill(self, box: Box, colour: Colour) -> None:
        """Fill a rectangle with a colour."""
        for plane, level in zip(self.planes, self.levels(colour), strict=True):
            rows, columns = self._part(plane, box)
            plane[rows, columns] = round(level)

    def frame(self, box: Box, colour: Colour, thickness: float) -> None:
        """Draw the edges of a rectangle, outside of it."""
        x, y, width, height = box.x - thickness, box.y - thickness, box.width, box.height
        self.fill(Box(x, y, width + 2 * thickness, thickness), colour)
        self.fill(Box(x, box.y + height, width + 2 * thickness, thickness), colour)
        self.fill(Box(x, y, thickness, height + 2 * thickness), colour)
        self.fill(Box(box.x + width, y, thickness, height + 2 * thickness), colour)

    def blend(self, x: float, y: float, opacity: np.ndarray, colour: Colour) -> None:
        """Paint a colour through a mask (height, width) uint8, 255: it covers, whose left upper corner is (x, y)."""
        height, width = opacity.shape
        for plane, level in zip(self.planes, self.levels(colour), strict=True):
            scale_x, scale_y = plane.shape[1] / self.width, plane.shape[0] / self.height
            left, top = round(x * scale_x), round(y * scale_y)
            size = max(1, round(width * scale_x)), max(1, round(height * scale_y))
            mask = opacity if size == (width, height) else cv2.resize(opacity, size, interpolation=cv2.INTER_AREA)
            rows, columns = _within(top, size[1], plane.shape[0]), _within(left, size[0], plane.shape[1])
            under = plane[rows, columns]
            mask = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            part = mask.astype(np.float32) / 255
            plane[rows, columns] = np.rint(under + part * (level - under)).astype(plane.dtype)

    def hide(self, box: Box, way: str) -> None:
        """Make what a rectangle holds unrecognisable, in one of options.WAYS."""
        if way == COVER:
            self.fill(box, COVERED)
            return
        for plane in self.planes:
            rows, columns = self._part(plane, box)
            part = np.ascontiguousarray(plane[rows, columns])
            if part.size:
                # Averages only, of squares larger than an eye: nothing can be sharpened out of a single frame again.
                cells = min(CELLS, part.shape[1]), min(CELLS, part.shape[0])
                small = cv2.resize(part, cells, interpolation=cv2.INTER_AREA).astype(np.float32)
                small = small.mean() + FADED * (small - small.mean())
                back = cv2.INTER_NEAREST if way == PIXELATE else cv2.INTER_LINEAR
                hidden = cv2.resize(small, part.shape[::-1], interpolation=back)
                plane[rows, columns] = np.rint(hidden).astype(plane.dtype)

    def _part(self, plane: np.ndarray, box: Box) -> tuple[slice, slice]:
        """The rows and columns of a plane that a rectangle touches."""
        scale_x, scale_y = plane.shape[1] / self.width, plane.shape[0] / self.height
        left, top = floor(box.x * scale_x + 0.25), floor(box.y * scale_y + 0.25)
        right, bottom = ceil((box.x + box.width) * scale_x - 0.25), ceil((box.y + box.height) * scale_y - 0.25)
        return _within(top, bottom - top, plane.shape[0]), _within(left, right - left, plane.shape[1])


def _within(start: int, length: int, end: int) -> slice:
    first = min(max(start, 0), end)
    return slice(first, min(max(start + length, first), end))


def _pixels(plane: Any, pixel_format: str) -> np.ndarray:
    """A plane's pixels (rows, columns), a view of the frame's memory."""
    dtype = np.dtype("<u2" if pixel_format.endswith("le") else np.uint8)
    rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
    return rows[:, : plane.width]


def _levels_of_rgb(colour: Colour) -> Sequence[float]:
    return [255 * part for part in colour]


def _levels_of(frame: av.VideoFrame) -> Callable[[Colour], Sequence[float]]:
    """The luma and the two colour differences of a colour, by the frame's colour space, range and depth."""
    red_part, blue_part = MATRICES.get(int(frame.colorspace), BT709 if frame.height >= LARGE_HEIGHT else BT601)
    bits = frame.format.components[0].bits
    white = HDR_WHITE.get(int(frame.color_trc), 1.0)
    if frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj"):
        black, luma_span, chroma_span = 0.0, 2.0**bits - 1, 2.0**bits - 1
    else:
        black, luma_span, chroma_span = (float(level << bits - 8) for level in (16, 219, 224))

    def levels(colour: Colour) -> Sequence[float]:
        red, green, blue = (white * part for part in colour)
        luma = red_part * red + (1 - red_part - blue_part) * green + blue_part * blue
        differences = (blue - luma) / (2 * (1 - blue_part)), (red - luma) / (2 * (1 - red_part))
        middle = 2.0 ** (bits - 1)
        return [black + luma_span * luma, *(middle + chroma_span * difference for difference in differences)]

    return levels
