"""Pure: who is the same face from frame to frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fer_batch import quality
from fer_batch.types import Box, Face, Glimpse, Moment, Reading

GAP_SECONDS = 1.0
"""How long a face may be away and still be the same one when it comes back to its place."""

GAP_FRAMES = 25
"""The same in frames, for films whose times are unknown."""

OVERLAP = 0.3
"""Least intersection over union with where a face was last seen."""


@dataclass
class _Track:
    face_id: int
    box: Box
    moment: Moment


def track(glimpses: Iterable[Glimpse], view: int) -> Iterator[Reading]:
    """Readings of a film: each face takes the track that it overlaps most, and else begins a new one.

    ``view`` is a position in VIEWS. Tracks are numbered by their first appearance.
    """
    tracks: list[_Track] = []
    count = 0
    for glimpse in glimpses:
        tracks = [one for one in tracks if not _lost(one.moment, glimpse.moment)]
        boxes = [detection.box for detection in glimpse.detections]
        found = _assign([one.box for one in tracks], boxes)
        faces = []
        for at, detection in enumerate(glimpse.detections):
            if at in found:
                current = tracks[found[at]]
                current.box, current.moment = detection.box, glimpse.moment
            else:
                current = _Track(count, detection.box, glimpse.moment)
                tracks.append(current)
                count += 1
            face = Face(current.face_id, detection, glimpse.shares[at, view], quality=quality.score(detection))
            faces.append(face)
        yield Reading(glimpse.moment, tuple(sorted(faces, key=lambda face: face.face_id)))


def arrange(glimpses: Iterable[Glimpse], view: int) -> Iterator[Reading]:
    """Readings of photographs: faces numbered from the left of each picture."""
    for glimpse in glimpses:
        order = sorted(range(len(glimpse.detections)), key=lambda at: _left_to_right(glimpse.detections[at].box))
        faces = []
        for face_id, at in enumerate(order):
            one = glimpse.detections[at]
            faces.append(Face(face_id, one, glimpse.shares[at, view], quality=quality.score(one)))
        yield Reading(glimpse.moment, tuple(faces))


def _assign(tracks: list[Box], boxes: list[Box]) -> dict[int, int]:
    """Position in ``boxes`` to position in ``tracks``, the largest overlaps first."""
    pairs = [
        (-overlap, track, box)
        for track, known in enumerate(tracks)
        for box, seen in enumerate(boxes)
        if (overlap := known.overlap(seen)) >= OVERLAP
    ]
    found: dict[int, int] = {}
    for _, track, box in sorted(pairs):
        if box not in found and track not in found.values():
            found[box] = track
    return found


def _lost(seen: Moment, now: Moment) -> bool:
    if seen.seconds is None or now.seconds is None:
        return now.number - seen.number > GAP_FRAMES
    return now.seconds - seen.seconds > max(GAP_SECONDS, seen.duration or 0.0)  # the next look is never too late


def _left_to_right(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y
