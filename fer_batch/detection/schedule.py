"""The detection schedule of videos: when to search the full frame, and where to search in between. Pure functions.

About twice a second the detector searches the full frame. Frames in between wait for the next full-frame detection;
then the detector searches them in squares around the places where faces are expected. A face found at both ends is
expected on the straight line between its two places. A face found only at the earlier end is followed forwards until it
is lost, one found only at the later end is followed backwards. So a face is found from its first frame on, not only
from the next full-frame detection on.

A detector gives the same face another box in a full frame than in a square, by up to a tenth. So a full-frame detection
says who is there, and a square says where: each of its faces gets the box of one more search, in the same square as if
there had been no full-frame detection.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fer_batch.detection.looks import CONFIDENT_SCORE, DUPLICATE_OVERLAP, distinct
from fer_batch.types import Box, Detection, FrameTime, Kind

FULL_SCAN_SECONDS = 0.5
"""Time after a full-frame detection from which on the next frame gets one, too.

Measured on four videos with one to four faces that enter, leave, cross and change direction (5,100 faces), with squares
of 128 px: .993 to 1.000 of the faces that full-frame detection in every frame finds. With .75 s: .970 to 1.000.
"""

FULL_SCAN_FRAMES = 15
"""The same in frames, for videos without timestamps."""

MAX_WAITING_PIXELS = 2**26
"""Pixels of all frames that wait for the next full-frame detection: 32 frames of 1920x1080, 8 of 3840x2160."""

CROWD_FACES = 8
"""With more faces than this, every frame gets a full-frame detection. It takes as long as 25 squares, but if faces are
close together, each square shows several. With as many times more if a frame is searched in several pieces."""

SEARCH_SQUARES = ((1.6, 96), (2.0, 128))
"""Squares to search, one after the other until a face has CONFIDENT_SCORE: the side as a multiple of the face's size,
and the side in pixels to which the square is scaled.

Chosen on 36 frames of one face, 30 to 220 px, turned by up to 20 degrees, dark and noisy, with squares shifted by up to
.2 of the face. All found it with an IoU of .5. Multiple and side, mean score (full frames: .88), time on one core of an
AMD EPYC in float32: 1.6 and 96: .89, 1.7 ms; 2.0 and 96: .82; 2.0 and 128: .90, 2.8 ms; 2.5 and 128: .87; 2.0 and 160:
.90, 4.5 ms. Grey squares did as well as coloured ones. Four squares in one call take as long as in four calls.

Of the faces that full-frame detection in every frame finds with CONFIDENT_SCORE, these two squares find .993 to 1.000
with an IoU of .5; the larger square alone finds .994 to 1.000. This was measured on eight videos with one to four faces
of up to 200 px that turn, shake, vanish at random and move by up to eight times their size a second, blurred, noisy,
dark and compressed (4,076 faces). For faces that the detector hardly finds (FER2013's, pasted into videos, 1,267 faces)
it is .971 and .974.
"""

MAX_MOVE_IN_FACE_SIZES = 2.0
"""How far a face may move from one full-frame detection to the next and still be taken for the same face, in multiples
of its size."""

MIN_EXPECTED_OVERLAP = 0.2
"""Least intersection over union (IoU) of a face found in a square with the box in which it was expected."""

NEXT_FRAME_OVERLAP = 0.5
"""Least IoU of a face with itself in the frame before. If it is less, this may be another face close by; so a square
around the old place is searched, too."""


STEADY = 0.1
"""A face that moves by less than this part of its size from frame to frame, and grows or shrinks by less, is expected
where it was. Full frames show a face now larger or beside, now smaller, and squares that followed that would be other
ones with each schedule: of eight close-ups that move slowly (4 faces, 120 and 250 px high, 120 frames each), 1 to 47 %
of the crops were over one of their 48 pixels off those with full-frame detection in every frame. So they are the same.
Where another face is near, it is expected to go on, so that people who cross keep their faces.
"""

SETTLING_SEARCHES = {Kind.VIDEO: 2, Kind.PHOTOS: 1}
"""How often a face that was not there before is searched in a square around its last box. If the box is e times too
large, so is the square, and the next box is too large by the third to the half of that. A search takes 2 ms: in a video
twice for a new face, in a photo once for every face."""


Search = Generator[None, None, list[Detection]]
"""A search for faces that returns them, and meanwhile yields None to show that it goes on."""


@dataclass(frozen=True)
class Square:
    """A square part of a frame, in whole pixels. It may extend beyond the frame's edges."""

    left: int
    top: int
    side: int


def search_square(box: Box, scale: float, width: int, height: int) -> Square:
    """The square around a face that is expected in ``box``; its side is ``scale`` times the face's size.

    It is shifted to lie within the frame of ``width`` x ``height`` pixels, unless it is larger than the frame. So a
    face at the frame's edge is cut off as in a full-frame detection.
    """
    side = max(1, round(scale * max(box.width, box.height)))
    centre_x, centre_y = _centre(box)
    left, top = round(centre_x - side / 2), round(centre_y - side / 2)
    return Square(max(0, min(left, width - side)), max(0, min(top, height - side)), side)


def best_match(expected: Box, found: Iterable[Detection]) -> Detection | None:
    """The face that overlaps most with the expected box, if by MIN_EXPECTED_OVERLAP or more; else None."""
    greatest, best = 0.0, None
    for face in found:
        if (overlap := face.box.overlap(expected)) > greatest:
            greatest, best = overlap, face
    return best if greatest >= MIN_EXPECTED_OVERLAP else None


def full_frame_due(last: FrameTime, time: FrameTime, waiting: int, pixels: int, every: int | None) -> bool:
    """Whether the frame at ``time`` needs a full-frame detection.

    Args:
        last: the time of the frame that got the last full-frame detection.
        time: the time of this frame.
        waiting: number of frames since then, this one included.
        pixels: number of pixels of a frame.
        every: the user's limit for ``waiting``; None: no limit.
    """
    limit = max(1, min(every or FULL_SCAN_FRAMES * 4, MAX_WAITING_PIXELS // pixels))
    if last.seconds is None or time.seconds is None:
        return waiting >= min(limit, FULL_SCAN_FRAMES)
    return waiting >= limit or time.seconds - last.seconds >= FULL_SCAN_SECONDS


def detect_between(
    before: Sequence[Detection],
    count: int,
    full_frame: Callable[[int], Search],
    near: Callable[[int, Box], Detection | None],
    crowd: int = CROWD_FACES,
) -> Generator[None, None, list[list[Detection]]]:
    """The faces in each of ``count`` frames, the last of which gets a full-frame detection.

    So does a frame in which a face of CONFIDENT_SCORE is lost. A generator that returns the faces, and meanwhile yields
    None to show that it goes on.

    Args:
        before: the faces of the full-frame detection just before these frames.
        count: number of frames, 1 or more.
        full_frame: finds all faces in the frame of an index from 0 to ``count`` - 1.
        near: finds the face in a square around an expected box in the frame of an index; None: there is none.
        crowd: with more faces than this, every frame gets a full-frame detection.
    """
    found: list[list[Detection]] = []
    seen = yield from full_frame(count - 1)
    if max(len(before), len(seen)) > crowd:
        for index in range(count - 1):
            found.append((yield from full_frame(index)))  # noqa: PERF401  no comprehension may yield
        return [*found, seen]
    full_scans: dict[int, list[Detection]] = {}
    paths = _paths(before, seen, count)
    for index in range(count - 1):
        yield
        faces = [near(index, path.expected) for path in paths]
        steps = list(zip(paths, faces, strict=True))
        if any(face is None and path.last.confidence >= CONFIDENT_SCORE for path, face in steps):
            here = yield from full_frame(index)
            known = _paths([path.last for path in paths], here, 1)
            full_scans[index] = yield from settled(here, partial(near, index), known)
            found.append(full_scans[index])
            paths = _paths(full_scans[index], seen, count - 1 - index)
        else:
            paths = [_next_step(path, face, index, near) for path, face in steps if face is not None]
            found.append(distinct(path.last for path in paths))
    after = full_scans[count - 1] = yield from settled(seen, partial(near, count - 1), paths)
    for index in sorted(full_scans):
        for face in full_scans[index]:
            yield
            _follow_back(face, found[:index], near)
    return [*found, after]


def settled(
    seen: Sequence[Detection],
    near: Callable[[Box], Detection | None],
    paths: Sequence["_FacePath"] = (),
    kind: Kind = Kind.VIDEO,
) -> Search:
    """The faces of a full-frame detection, each with the box that it has in a square.

    Args:
        seen: what the full-frame detection found.
        near: finds the face in a square around an expected box in the same frame; None: there is none.
        paths: faces of the frame before; the square is where one of them is expected, if it leads to the face.
        kind: whether it is a frame of a video, or a photo.
    """
    expected = {id(path.goal): path.expected for path in paths}
    faces = []
    for face in seen:
        yield
        known = expected.get(id(face))
        same = None if known is None else _measured(face, near(known))
        if same is None:
            same = face
            for _ in range(SETTLING_SEARCHES[kind]):
                same = _measured(face, near(same.box)) or same
        faces.append(replace(same, seen=face.box))
    return faces


def _measured(seen: Detection, found: Detection | None) -> Detection | None:
    """What was found in a square, if it is sure, and is the face that was seen in the full frame; else None."""
    if found is None or found.confidence < CONFIDENT_SCORE or found.box.overlap(seen.box) < NEXT_FRAME_OVERLAP:
        return None
    return found


@dataclass(frozen=True)
class _FacePath:
    """The way of a face from its last place to its place in the next full-frame detection."""

    last: Detection
    goal: Detection | None = None
    """None: the next full-frame detection does not find it."""
    step: tuple[float, float] = (0.0, 0.0)
    """How far it moves from frame to frame, in pixels: from one full-frame detection to the next, evenly."""
    growth: float = 1.0
    """How many times as large it is from frame to frame."""

    @property
    def expected(self) -> Box:
        """The box where it is expected in the next frame."""
        box, (across, down) = self.last.box, self.step
        width, height = self.growth * box.width, self.growth * box.height
        return Box(box.x + across + (box.width - width) / 2, box.y + down + (box.height - height) / 2, width, height)


def _paths(before: Sequence[Detection], after: Sequence[Detection], frames: int) -> list[_FacePath]:
    """A path for each earlier face. Its goal is a later face nearby; the nearest pairs are matched first.

    The faces of ``after`` come from a full-frame detection ``frames`` later. Steps are those between full-frame
    detections: where squares see a face a little beside that, they always do.
    """
    pairs = sorted(
        (distance, early, late)
        for early, face in enumerate(before)
        for late, goal in enumerate(after)
        if (distance := _distance(face.box, goal.box)) <= MAX_MOVE_IN_FACE_SIZES
    )
    goals: dict[int, int] = {}
    for _, early, late in pairs:
        if early not in goals and late not in goals.values():
            goals[early] = late
    meets = Counter(early for _, early, _ in pairs), Counter(late for _, _, late in pairs)
    return [
        _path(face, after[goals[early]], frames, alone=meets[0][early] == meets[1][goals[early]] == 1)
        if early in goals
        else _FacePath(face)
        for early, face in enumerate(before)
    ]


def _path(face: Detection, goal: Detection, frames: int, *, alone: bool) -> _FacePath:
    start = face.seen or face.box
    (x, y), (goal_x, goal_y) = _centre(start), _centre(goal.box)
    step = (goal_x - x) / frames, (goal_y - y) / frames
    growth = (goal.box.height / start.height) ** (1 / frames) if min(goal.box.height, start.height) > 0 else 1.0
    moves = not alone or max(map(abs, step)) >= STEADY * max(goal.box.width, goal.box.height)
    grows = not alone or abs(growth - 1) >= STEADY
    return _FacePath(face, goal, step if moves else (0.0, 0.0), growth if grows else 1.0)


def _next_step(path: _FacePath, face: Detection, index: int, near: Callable[[int, Box], Detection | None]) -> _FacePath:
    """The path after ``face`` was found on it in a frame; if that is another face, the path loses its goal."""
    if face.box.overlap(path.last.box) < NEXT_FRAME_OVERLAP:
        at_old_place = near(index, path.last.box)
        if at_old_place is not None and at_old_place.box.overlap(face.box) <= DUPLICATE_OVERLAP:
            return _FacePath(at_old_place)
    return replace(path, last=face)


def _follow_back(face: Detection, earlier: list[list[Detection]], near: Callable[[int, Box], Detection | None]) -> None:
    """Add a face of a full-frame detection to the frames before it, back to the frame in which it is not found."""
    for index in reversed(range(len(earlier))):
        match = best_match(face.box, earlier[index])
        if match is None or match.box.overlap(face.box) < NEXT_FRAME_OVERLAP:
            match = near(index, face.box) or match
            if match is None:
                return
            earlier[index][:] = distinct([*earlier[index], match])
        face = match


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def _distance(box: Box, other: Box) -> float:
    """Distance of the centres, divided by the size of the larger face."""
    (x, y), (other_x, other_y) = _centre(box), _centre(other)
    size = max(box.width, box.height, other.width, other.height, 1.0)
    return float(((x - other_x) ** 2 + (y - other_y) ** 2) ** 0.5 / size)
