"""Pure: when and where the detector looks. At whole frames now and then, in between at squares around known faces.

A film is looked at from one whole look to the next, about twice a second. What lies in between waits until both are
known: a face seen at both ends is sought on the way from one place to the other, one that only the earlier look has is
followed until it is lost, one that only the later look has is followed backwards until it is lost. So a face is there
from its first frame on, not from the first whole look that noticed it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fer_batch.types import Box, Detection, FrameTime, Kind

_LONGEST_SIDES = {Kind.VIDEO: 640, Kind.PHOTOS: 960}
"""Pixels. Measured on 116 photographs of WIDER FACE's validation set (674 faces of 20 px or more): at 960 the default
detector finds 86 % with 6 false faces."""

FULL_SCAN_SECONDS = 0.5
"""A whole look follows at the first frame that is so long after the last one.

Measured on four films of one to four faces that enter, leave, cross and change direction (5,100 faces), with squares
of 128 px: of the faces that whole looks at every frame find, this finds .993 to 1.000. At .75 s it is .970 to 1.000.
"""

FULL_SCAN_FRAMES = 15
"""The same in frames, for films whose times are unknown."""

MAX_WAITING_PIXELS = 2**26
"""Of frames that wait for the next whole look, at most: 32 frames of 1920x1080, 8 of 3840x2160."""

CROWD_FACES = 8
"""With more faces than this every frame is looked at whole. A whole look takes as long as 25 squares, but squares of
faces that stand close show each other's."""

CONFIDENT_SCORE = 0.5
"""Score from which a face is found for sure, and losing it is worth a whole look; detectors flicker below."""

SEARCH_SQUARES = ((1.6, 96), (2.0, 128))
"""Squares to look at, one after the other until a face is found for sure: the side in sizes of the face, and the pixels
that it is scaled to.

Chosen on 36 frames of one face, 30 to 220 px, turned by up to 20 degrees, dark and noisy, squares off by up to .2 of
the face. All found it with an IoU of .5; scale and side, mean score (whole frames: .88), time on one core of an AMD
EPYC in float32: 1.6 and 96: .89, 1.7 ms; 2.0 and 96: .82; 2.0 and 128: .90, 2.8 ms; 2.5 and 128: .87; 2.0 and 160: .90,
4.5 ms. Grey squares did as well as coloured ones. Four squares in one call take as long as in four.

Of the faces that whole looks at every frame find for sure, these find, with an IoU of .5, .993 to 1.000 in eight films
of one to four faces of up to 200 px that turn, shake, vanish at random and move up to eight times their size a second,
blurred, noisy, dark and compressed (4,076 faces); the larger square alone finds .994 to 1.000. Where the detector
itself hardly sees the faces (pasted pictures of FER2013, 1,267 faces), it is .971 and .974.
"""

MAX_MOVE_IN_FACE_SIZES = 2.0
"""Sizes of a face that it may move between two whole looks and still be taken for the same one."""

MIN_EXPECTED_OVERLAP = 0.2
"""Intersection over union of a face found in a square with the place where it was expected."""

NEXT_FRAME_OVERLAP = 0.5
"""The same of a face with where it was in the frame next to this one; with less, it may be another that stands close,
and a second look is taken at where the first one was."""

DUPLICATE_OVERLAP = 0.3
"""Two squares that find boxes with more intersection over union than this have found one face."""


@dataclass(frozen=True)
class Square:
    """A square of a frame, in whole pixels; may reach past the frame's edges."""

    left: int
    top: int
    side: int


def longest_side(kind: Kind) -> int:
    """To what longest side a whole frame is shrunk before the detector looks at it, in pixels."""
    return _LONGEST_SIDES[kind]


def search_square(box: Box, scale: float, width: int, height: int) -> Square:
    """The square of ``scale`` sizes of the face that is expected in ``box``, in a frame of so many pixels.

    It stays within the frame if it can: a face that the frame's edge cuts then looks as it does in a whole look.
    """
    side = max(1, round(scale * max(box.width, box.height)))
    across, down = _centre(box)
    left, top = round(across - side / 2), round(down - side / 2)
    return Square(max(0, min(left, width - side)), max(0, min(top, height - side)), side)


def best_match(expected: Box, found: Iterable[Detection]) -> Detection | None:
    """Of what a square shows, the face that was expected; others have squares of their own."""
    most, best = 0.0, None
    for one in found:
        if (overlap := one.box.overlap(expected)) > most:
            most, best = overlap, one
    return best if most >= MIN_EXPECTED_OVERLAP else None


def full_frame_due(last: FrameTime, time: FrameTime, waiting: int, pixels: int, every: int | None) -> bool:
    """Whether the frame at ``time`` is to be looked at whole.

    ``last`` is the moment of the last whole look, ``waiting`` the number of frames since then with this one, ``pixels``
    how many one has, ``every`` the most frames from one whole look to the next that the user allows.
    """
    most = max(1, min(every or FULL_SCAN_FRAMES * 4, MAX_WAITING_PIXELS // pixels))
    if last.seconds is None or time.seconds is None:
        return waiting >= min(most, FULL_SCAN_FRAMES)
    return waiting >= most or time.seconds - last.seconds >= FULL_SCAN_SECONDS


def detect_between(
    before: Sequence[Detection],
    count: int,
    whole: Callable[[int], list[Detection]],
    near: Callable[[int, Box], Detection | None],
) -> list[list[Detection]]:
    """The faces in ``count`` frames, of which the last one is looked at whole.

    ``before`` are the faces of the whole look that came just before the first of them. ``whole(at)`` looks at all of a
    frame, ``near(at, box)`` around a place where a face is expected.
    """
    after = whole(count - 1)
    if max(len(before), len(after)) > CROWD_FACES:
        return [*(whole(at) for at in range(count - 1)), after]
    found: list[list[Detection]] = []
    wholes = {count - 1: after}
    paths = _paths(before, after)
    for at in range(count - 1):
        seen = [(path, near(at, path.expected(count - at))) for path in paths]
        if any(one is None and path.last.confidence >= CONFIDENT_SCORE for path, one in seen):
            wholes[at] = whole(at)
            found.append(wholes[at])
            paths = _paths(wholes[at], after)
        else:
            paths = [_stepped(path, one, at, near) for path, one in seen if one is not None]
            found.append(_distinct(path.last for path in paths))
    for at in sorted(wholes):
        for face in wholes[at]:
            _follow_back(face, found[:at], near)
    return [*found, after]


@dataclass(frozen=True)
class _FacePath:
    """A face on its way from where it was last seen to where the next whole look sees it, if it does."""

    last: Detection
    goal: Detection | None

    def expected(self, frames_left: int) -> Box:
        """Where it is in the next frame, ``frames_left`` frames before the goal's own frame is passed."""
        start = self.last.box
        if self.goal is None:
            return start
        share, end = 1 / frames_left, self.goal.box
        return Box(
            start.x + share * (end.x - start.x),
            start.y + share * (end.y - start.y),
            start.width + share * (end.width - start.width),
            start.height + share * (end.height - start.height),
        )


def _paths(before: Sequence[Detection], after: Sequence[Detection]) -> list[_FacePath]:
    """Every earlier face with the later one that is nearest to it, nearest pairs first."""
    pairs = sorted(
        (distance, early, late)
        for early, one in enumerate(before)
        for late, other in enumerate(after)
        if (distance := _distance(one.box, other.box)) <= MAX_MOVE_IN_FACE_SIZES
    )
    goals: dict[int, int] = {}
    for _, early, late in pairs:
        if early not in goals and late not in goals.values():
            goals[early] = late
    return [_FacePath(one, after[goals[early]] if early in goals else None) for early, one in enumerate(before)]


def _stepped(path: _FacePath, one: Detection, at: int, near: Callable[[int, Box], Detection | None]) -> _FacePath:
    """The path after ``one`` was found on it in frame ``at``; without the goal where that was another face's."""
    if one.box.overlap(path.last.box) < NEXT_FRAME_OVERLAP:
        other = near(at, path.last.box)
        if other is not None and other.box.overlap(one.box) <= DUPLICATE_OVERLAP:
            return _FacePath(other, None)
    return _FacePath(one, path.goal)


def _follow_back(face: Detection, earlier: list[list[Detection]], near: Callable[[int, Box], Detection | None]) -> None:
    """Add a face of a whole look to the frames before it, as far back as it can be seen and is not known there."""
    for at in reversed(range(len(earlier))):
        seen = best_match(face.box, earlier[at])
        if seen is None or seen.box.overlap(face.box) < NEXT_FRAME_OVERLAP:
            seen = near(at, face.box) or seen
            if seen is None:
                return
            earlier[at][:] = _distinct([*earlier[at], seen])
        face = seen


def _distinct(faces: Iterable[Detection]) -> list[Detection]:
    """Faces without those that overlap a surer one, surest first."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda one: -one.confidence):
        if all(face.box.overlap(other.box) <= DUPLICATE_OVERLAP for other in kept):
            kept.append(face)
    return kept


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def _distance(one: Box, other: Box) -> float:
    """Between two centres, in sizes of the larger face."""
    (x, y), (u, v) = _centre(one), _centre(other)
    size = max(one.width, one.height, other.width, other.height, 1.0)
    return float(((x - u) ** 2 + (y - v) ** 2) ** 0.5 / size)
