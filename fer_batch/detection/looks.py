"""At which sizes, and in which tiles, whole frames are searched for faces. Pure functions.

By default a frame is shrunk and searched once, which is fast but misses small faces in large frames. A user who gives
the height of the smallest face (``--min-face``) gets a look at such a size that this face is :data:`SURE_HEIGHT` pixels
high. If that is larger than the detector's input, it is cut into overlapping tiles, and a second, coarser look finds
the faces that are too large for the tiles.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from fer_batch.types import Box, Detection, Kind

DEFAULT_SIDES = {Kind.VIDEO: 640, Kind.PHOTOS: 960}
"""Longest side in pixels to which a whole frame is shrunk by default. Measured on 116 photos of WIDER FACE's validation
set (674 faces of 20 px or more): at 960 the default detector finds 86 %, with 6 false faces."""

SURE_HEIGHT, SEEN_HEIGHT = 32, 24
"""Heights of a face's box in pixels of what the detector is given. Of faces of the first height it finds four fifths,
of the second a third to a half, and of those of 20 pixels one in twenty (180 faces of each height, cut from press
photographs, in noisy scenes of 960x720; score .5)."""

MAX_ENLARGEMENT = 3.0
"""Frames are enlarged by this factor at most. Of faces of 24 pixels in such scenes of 1024x768, .65 are found enlarged
by 2, .72 by 2.5, .82 by 3; of 20 pixels .61, .60, .71 (160 each, press photographs; score .5; a false box)."""

TILE_SHAPES = ((960, 960), (960, 736), (736, 960), (960, 544), (544, 960))
"""Width and height of tiles, of which those are taken that make the least work: inputs of the default detector."""

LARGEST_SIDE = 960
"""A look with a longer side is cut into tiles."""

COARSER = 10
"""How much smaller the next coarser look is, at most. Tiles overlap by as much as the height of a face that has
SURE_HEIGHT pixels in the coarser look: so each face is whole in a tile, or is seen in the coarser look."""

CONFIDENT_SCORE = 0.5
"""Faces with lower scores come and go from frame to frame, since detectors are not sure of them."""

DUPLICATE_OVERLAP = 0.3
"""Boxes with a greater intersection over union (IoU) than this are the same face."""


@dataclass(frozen=True)
class Look:
    """One search of a whole frame."""

    side: int
    """Longest side in pixels to which it is scaled."""
    overlap: int = 0
    """By how many of these pixels tiles overlap."""
    enlargement: float = 1.0
    """How much larger this is than the frame; 1 if it is shrunk, or left as it is."""


@dataclass(frozen=True)
class Region:
    """A rectangle in whole pixels of an upright image."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Region | None":
        """The part of it that lies in an image of that size; None: it lies outside."""
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        if right <= self.x or bottom <= self.y:
            return None
        return Region(self.x, self.y, right - self.x, bottom - self.y)

    def holds(self, box: Box) -> bool:
        """Whether a face belongs to it: its centre does."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def cuts(self, box: Box, width: int, height: int) -> bool:
        """Whether one of its edges that lie within an image of that size cuts a box."""
        return (
            (box.x < self.x and self.x > 0)
            or (box.y < self.y and self.y > 0)
            or (box.x + box.width > self.x + self.width and self.x + self.width < width)
            or (box.y + box.height > self.y + self.height and self.y + self.height < height)
        )


def of_frame(kind: Kind, width: int, height: int, min_face: int | None) -> list[Look]:
    """The looks at a frame of this size, coarse before fine.

    Args:
        kind: whether it is of a video or a photo.
        width: pixels of the frame, or of the region that is searched.
        height: likewise.
        min_face: height in pixels of the smallest face that is wanted; None: the user has not said.
    """
    longest = max(width, height)
    default = DEFAULT_SIDES[kind]
    if min_face is None or longest * SURE_HEIGHT / min_face <= min(default, longest):
        return [Look(min(default, longest))]
    sides = [ceil(longest * min(MAX_ENLARGEMENT, SURE_HEIGHT / min_face))]
    while sides[0] > LARGEST_SIDE:
        sides.insert(0, max(default, ceil(sides[0] / COARSER)))
    ratios = [finer / coarser for coarser, finer in pairwise(sides)]
    return [
        Look(side, ceil(SURE_HEIGHT * ratio), max(1.0, side / longest))
        for side, ratio in zip(sides, [1.0, *ratios], strict=True)
    ]


def smallest_seen(kind: Kind, width: int, height: int, min_face: int | None) -> int:
    """Height in pixels below which faces in a frame of this size are mostly missed."""
    return round(SEEN_HEIGHT * max(width, height) / of_frame(kind, width, height, min_face)[-1].side)


def tiles(width: int, height: int, look: Look) -> list[Region]:
    """The tiles of an image of this size, which is scaled as ``look`` says, but for an enlargement.

    A single one, the whole image, if the detector takes it in one piece.
    """
    if look.side <= LARGEST_SIDE:
        return [Region(0, 0, width, height)]
    scale = look.enlargement
    overlap = ceil(look.overlap / scale)

    def grid(shape: tuple[int, int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        across, down = (int(side / scale) for side in shape)
        return _spans(width, across, overlap), _spans(height, down, overlap)

    def work(shape: tuple[int, int]) -> int:
        columns, rows = grid(shape)
        return len(columns) * len(rows) * shape[0] * shape[1]

    columns, rows = grid(min(TILE_SHAPES, key=work))
    return [Region(left, top, across, down) for top, down in rows for left, across in columns]


def _spans(length: int, most: int, overlap: int) -> list[tuple[int, int]]:
    """Begin and length of as few equal stretches as cover ``length``, each of at most ``most`` pixels."""
    if length <= most:
        return [(0, length)]
    count = ceil((length - overlap) / (most - overlap))
    return [(round(index * (length - most) / (count - 1)), most) for index in range(count)]


def merge(coarse: Sequence[Detection], fine: Sequence[Detection], sure_height: float) -> list[Detection]:
    """The faces of two looks at the same frame, each once; both in pixels of the frame.

    A confident face that is at least ``sure_height`` high is taken from the coarse look, so that its box is the same
    whether or not there was a finer look. Of another face that both see, the one of higher confidence is taken. What
    the finer look sees within a face that is as confident is a part of that face.
    """
    settled = [face for face in coarse if face.confidence >= CONFIDENT_SCORE and face.box.height >= sure_height]
    others = [face for face in coarse if face not in settled]
    others += [face for face in fine if not any(_is_part(face, whole) for whole in coarse)]
    new = (face for face in others if all(face.box.overlap(known.box) <= DUPLICATE_OVERLAP for known in settled))
    return sorted([*settled, *distinct(new)], key=lambda face: -face.confidence)


def distinct(faces: Iterable[Detection]) -> list[Detection]:
    """The faces by falling confidence, without those that overlap another of higher confidence."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(face.box.overlap(other.box) <= DUPLICATE_OVERLAP for other in kept):
            kept.append(face)
    return kept


def _is_part(face: Detection, whole: Detection) -> bool:
    inner, outer = face.box, whole.box
    x, y = inner.x + inner.width / 2, inner.y + inner.height / 2
    is_inside = outer.x <= x < outer.x + outer.width and outer.y <= y < outer.y + outer.height
    is_smaller = inner.width * inner.height < DUPLICATE_OVERLAP * outer.width * outer.height
    return is_inside and is_smaller and face.confidence <= whole.confidence
