"""Which earlier face of a video a face may be that begins after a cut: a suggestion, which joins nothing.

Where people who talk are filmed in turn, every cut back to a set-up gives its people new numbers. A face of an earlier
shot is suggested where it was last seen in the same place, as large, and in a picture that is much the same. Two people
who are filmed in the same chair look the same to that rule: so it is for whoever names people, to look at.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fer_batch.tracking import shots
from fer_batch.tracking.motion import Position
from fer_batch.types import Scenes, TrackedFrame

MAX_DISTANCE = 0.75
"""How far apart the centres of the two boxes are at most, in heights of the face."""

MAX_RESIZE = 0.35
"""The greatest difference of the natural logarithms of their heights: one is at most 1.4 times as high."""

MAX_DIFFERENCE = 10.0
"""Grey levels by which half of the pictures' fields differ at most."""

MIN_LIKENESS = 0.8
"""Least :func:`fer_batch.tracking.shots.likeness` of the two pictures."""


@dataclass
class Sightings:
    """The frames in which each face of a video is seen first and last, and where. Spurious faces do not count."""

    first: dict[int, tuple[int, Position]] = field(default_factory=dict)
    """Number of the frame and place of the face, by its number."""
    last: dict[int, tuple[int, Position]] = field(default_factory=dict)

    def noted(self, tracked_frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
        """The same frames."""
        for tracked in tracked_frames:
            for face in tracked.faces:
                if not face.spurious:
                    sighting = tracked.time.number, Position.of(face.detection.box)
                    self.first.setdefault(face.face_id, sighting)
                    self.last[face.face_id] = sighting
            yield tracked


def suggest(seen: Sightings, cuts: Sequence[int], parts: Iterable[Scenes]) -> dict[int, int]:
    """For faces that begin after a cut, the face of an earlier shot that may be the same.

    Of several it is the one in the most similar picture. Two faces of a shot never get the same one.

    Args:
        seen: the video's faces.
        cuts: the numbers of the frames at which a shot begins, sorted.
        parts: the scenes of the video's decoded frames; they are read only if a face begins after a cut.
    """
    shot_of = {face: bisect_right(cuts, number) for face, (number, _) in seen.first.items()}
    if not any(shot_of.values()):
        return {}
    faces = sorted(shot_of, key=lambda face: seen.first[face][0])
    pictures = _pictures(parts, {number for sightings in (seen.first, seen.last) for number, _ in sightings.values()})
    left = np.array([seen.last[face][1] for face in faces])
    shots_left = np.array([shot_of[face] for face in faces])
    found: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    for face in faces:
        number, place = seen.first[face]
        distance = np.hypot(left[:, 0] - place.x, left[:, 1] - place.y) / np.exp((left[:, 2] + place.size) / 2)
        near = (distance <= MAX_DISTANCE) & (np.abs(left[:, 2] - place.size) <= MAX_RESIZE)
        earlier = [faces[index] for index in np.flatnonzero(near & (shots_left < shot_of[face]))]
        before = _most_similar(pictures[number], [(other, pictures[seen.last[other][0]]) for other in earlier])
        for other in before:
            if (shot_of[face], other) not in taken:
                taken.add((shot_of[face], other))
                found[face] = other
                break
    return found


def _pictures(parts: Iterable[Scenes], numbers: set[int]) -> dict[int, np.ndarray]:
    """The scenes (16, 16) of the frames of these numbers."""
    wanted = np.array(sorted(numbers))
    found = {}
    for part in parts:
        for index in np.flatnonzero(np.isin(part.numbers, wanted)).tolist():
            found[int(part.numbers[index])] = part.images[index].copy()
    return found


def _most_similar(picture: np.ndarray, others: Sequence[tuple[int, np.ndarray]]) -> Iterator[int]:
    """The faces whose pictures are similar enough to this one, the most similar first."""
    if not others:
        return
    faces, images = zip(*others, strict=True)
    changes = np.abs(np.stack(images).astype(np.int16) - picture.astype(np.int16)).reshape(len(images), -1)
    difference = np.median(changes, axis=1)
    for index in np.argsort(difference, kind="stable").tolist():
        if difference[index] > MAX_DIFFERENCE:
            return
        if shots.likeness(picture, images[index]) >= MIN_LIKENESS:
            yield faces[index]
