"""Pure: gives the faces of a timeline the names of people.csv, and joins tracks of one name in a video.

A face is named by its anchor, the place where it was when people.csv was made: so options that give faces other numbers
give the same persons. Lines without an anchor name a face by its number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fer_batch.analysis.timeline import Timeline
from fer_batch.annotations.people import Anchor, Naming
from fer_batch.errors import number_of
from fer_batch.types import Box, Kind, Severity, Skipped

MIN_OVERLAP = 0.3
"""Least intersection over union of an anchor's box and a face, which is the face then."""

MARGIN = 0.1
"""By how much the overlap must exceed that with any other face."""

MAX_SECONDS = 1.0
"""How far in time a frame may be from an anchor."""

_SAME_TIME = 2e-6
"""Seconds that are no difference: tables have microseconds."""

_REMEDY = "`fer-batch people DIR --out FILE` writes the faces that there are, with the names that were found."


@dataclass(frozen=True)
class Named:
    """A timeline with names."""

    timeline: Timeline
    problems: tuple[Skipped, ...] = ()
    """What does not fit: absent faces, one name for two faces, two names for one."""


def name_faces(
    timeline: Timeline, source: str, kind: Kind, namings: Sequence[Naming], empty: Sequence[Naming] | None = None
) -> Named:
    """Name the faces of a source's timeline, whose rows are in the order of frames and have no names yet.

    In a video, all tracks of a name get the face_id of its first track. Where several faces of a frame have the same
    name, only one keeps it: the one with the joined face_id, or else with the lowest face_id.

    Args:
        timeline: of the source.
        source: its name.
        kind: of the source.
        namings: what people.csv says of the source, in its order.
        empty: the lines of people.csv without a name; if they are given, faces that no line is about are told of.
    """
    if not namings:
        return Named(timeline)
    faces = _PhotoFaces(timeline) if kind is Kind.PHOTOS else _VideoFaces(timeline)
    claims = _Claims(faces, namings)
    named, clashes = _join(timeline, faces, claims.accepted, is_video=kind is Kind.VIDEO)
    problems = [*claims.problems, *clashes]
    if empty is not None and kind is Kind.VIDEO:
        problems += _unknown(timeline, {*claims.faces, *(face for line in empty if (face := faces.find(line)[0]))})
    return Named(named, tuple(Skipped(source, reason, severity) for reason, severity in problems))


_Face = tuple[int, int]
"""The frame's number (-1 in a video) and the face_id."""

_Problem = tuple[str, Severity]


class _PhotoFaces:
    """The faces of photos."""

    def __init__(self, timeline: Timeline) -> None:
        rows = timeline.rows[timeline.success]
        self._rows = rows
        photos = timeline.rows["frame"], timeline.rows["file"]
        self._frames = {timeline.texts[file]: int(frame) for frame, file in zip(*photos, strict=True)}

    def find(self, naming: Naming) -> tuple[_Face | None, str]:
        """The face that a line means, or why there is none."""
        frame = self._frames.get(naming.photo or "", -1)
        begin, end = np.searchsorted(self._rows["frame"], [frame, frame + 1])
        here = self._rows[begin:end]
        if naming.anchor is None:
            found = naming.face_id in here["face_id"]
            return ((frame, naming.face_id), "") if found else (None, _no_number(naming))
        face_id, why = _nearest(naming, {int(row["face_id"]): _box(row) for row in here})
        return (None if face_id is None else (frame, face_id)), why

    def rows_of(self, timeline: Timeline, face: _Face) -> np.ndarray:
        """Positions of a face's rows in the timeline."""
        frame, face_id = face
        begin, end = np.searchsorted(timeline.rows["frame"], [frame, frame + 1])
        positions: np.ndarray = begin + np.flatnonzero(timeline.rows["track"][begin:end] == face_id)
        return positions


class _VideoFaces:
    """The tracks of a video."""

    def __init__(self, timeline: Timeline) -> None:
        seen = timeline.success & ~timeline.rows["spurious"]
        self._rows = timeline.rows[seen][["timestamp", "face_id", "x", "y", "width", "height"]]
        self._tracks = set(np.unique(timeline.rows["face_id"][timeline.success]).tolist())
        self._times = np.unique(timeline.rows["timestamp"])
        self._timed = not np.isnan(self._times).any()

    def find(self, naming: Naming) -> tuple[_Face | None, str]:
        """The face that a line means, or why there is none."""
        if naming.anchor is None or naming.anchor.seconds is None or not self._timed:
            found = naming.face_id in self._tracks
            return ((-1, naming.face_id), "") if found else (None, _no_number(naming))
        track, why = _nearest(naming, self._boxes(naming.anchor.seconds))
        return (None if track is None else (-1, track)), why

    def rows_of(self, timeline: Timeline, face: _Face) -> np.ndarray:
        """Positions of a face's rows in the timeline."""
        return np.flatnonzero(timeline.rows["track"] == face[1])

    def _boxes(self, seconds: float) -> dict[int, Box]:
        """Where each face is at a time: between the frames around it, as if it moved evenly."""
        after = int(np.searchsorted(self._times, seconds + _SAME_TIME, side="right"))
        near = [time for time in self._times[max(0, after - 1) : after + 1] if abs(time - seconds) <= MAX_SECONDS]
        boxes: dict[int, Box] = {}
        for time in near:
            for row in self._rows[slice(*np.searchsorted(self._rows["timestamp"], [time, np.nextafter(time, np.inf)]))]:
                track, box = int(row["face_id"]), _box(row)
                if track in boxes:
                    box = _between(boxes[track], box, (seconds - near[0]) / (time - near[0]))
                boxes[track] = box
        return boxes


class _Claims:
    """Which face each line of people.csv means; two names never mean the same one."""

    def __init__(self, faces: _PhotoFaces | _VideoFaces, namings: Sequence[Naming]) -> None:
        self.problems: list[_Problem] = []
        self.faces: dict[_Face, list[Naming]] = {}
        for naming in namings:
            face, why = faces.find(naming)
            if face is None:
                self.problems.append((why, Severity.PARTIAL))
            else:
                self.faces.setdefault(face, []).append(naming)
        self.accepted = {
            face: those[0] for face, those in self.faces.items() if len({one.person for one in those}) == 1
        }
        for face, those in self.faces.items():
            if face not in self.accepted:
                self.problems.append((_two_names(face, those), Severity.PARTIAL))


def _join(
    timeline: Timeline, faces: _PhotoFaces | _VideoFaces, accepted: dict[_Face, Naming], *, is_video: bool
) -> tuple[Timeline, list[_Problem]]:
    """Write names into a copy of the rows."""
    rows = timeline.rows.copy()
    texts = {text: index for index, text in enumerate(timeline.texts)}
    by_person: dict[str | tuple[str, int], list[tuple[Naming, np.ndarray]]] = {}
    for face, naming in accepted.items():
        key = naming.person if is_video else (naming.person, face[0])
        by_person.setdefault(key, []).append((naming, faces.rows_of(timeline, face)))
    clashes: list[_Problem] = []
    for tracks in by_person.values():
        at = np.concatenate([positions for _, positions in tracks])
        track, frame = rows["track"][at], rows["frame"][at]
        joined = track[at.argmin()] if is_video else track.min()
        order = np.lexsort((track, track != joined, frame))
        _, first = np.unique(frame[order], return_index=True)
        kept = np.zeros(len(at), bool)
        kept[order[first]] = True
        for field in ("person", "role", "group"):
            text = getattr(tracks[0][0], field)
            rows[field][at[kept]] = texts.setdefault(text, len(texts))
        if is_video:
            rows["face_id"][at[kept]] = joined
        if not kept.all():
            namings = {int(rows["track"][positions[0]]): naming for naming, positions in tracks}
            clashes += _clashes(rows, at[kept], at[~kept], namings)
    if is_video:
        rows = rows[np.lexsort((rows["face_id"], rows["frame"]))]
    return Timeline(rows, tuple(texts)), clashes


def _clashes(rows: np.ndarray, kept: np.ndarray, others: np.ndarray, namings: dict[int, Naming]) -> Iterator[_Problem]:
    """Two faces of one name that are in the same frames: the first such frame, and how many there are."""
    track_in = dict(zip(rows["frame"][kept].tolist(), rows["track"][kept].tolist(), strict=True))
    found: dict[tuple[int, int], list[int]] = {}
    for at in others[np.argsort(others)].tolist():
        found.setdefault((track_in[int(rows["frame"][at])], int(rows["track"][at])), []).append(at)
    for (track, other), positions in found.items():
        naming, seconds = namings[other], rows["timestamp"][positions[0]]
        when = "" if np.isnan(seconds) else f", first at {seconds:.3f} s"
        where = f"{number_of(len(positions), 'frame')}{when}" if naming.photo is None else "one photo"
        error = naming.line.error(
            f"faces {track} and {other} are both named {naming.person} and are seen together in {where}; only face "
            f"{track} has the name there. Give them different names."
        )
        yield str(error), Severity.PARTIAL


def _unknown(timeline: Timeline, known: set[_Face]) -> Iterator[_Problem]:
    """Tracks that people.csv, made with other options, does not have."""
    seen = timeline.rows[timeline.success & ~timeline.rows["spurious"]]
    new = ~np.isin(seen["track"], [track for _, track in known])
    tracks = np.unique(seen["track"][new])
    if len(tracks):
        seconds = float(np.nansum(seen["duration"][new]))
        yield (
            f"people.csv was made with other options and has no line for {number_of(len(tracks), 'face')} "
            f"(the first is {tracks[0]}), seen for {seconds:.3g} s in all. {_REMEDY}",
            Severity.NOTE,
        )


def _nearest(naming: Naming, boxes: dict[int, Box]) -> tuple[int | None, str]:
    """The face whose box is where a line says; or why there is none."""
    anchor = naming.anchor
    assert anchor is not None
    overlaps = sorted(((anchor.box.overlap(box), face) for face, box in boxes.items()), reverse=True)
    overlaps = [pair for pair in overlaps if pair[0] >= MIN_OVERLAP]
    if not overlaps:
        return None, str(naming.line.error(f"no face is {_where(naming, anchor)}{_so(naming)}. {_REMEDY}"))
    (best, face), *others = overlaps
    if others and best - others[0][0] < MARGIN:
        several = f"faces {face} and {others[0][1]} are both {_where(naming, anchor)}"
        return None, str(naming.line.error(f"{several}{_so(naming)}. {_REMEDY}"))
    return face, ""


def _no_number(naming: Naming) -> str:
    return str(
        naming.line.error(
            f"there is no face {naming.face_id} in {naming.line.values['file']}. Correct face_id, or take the line "
            "out; face_ids change with the options that choose frames and faces."
        )
    )


def _two_names(face: _Face, namings: Sequence[Naming]) -> str:
    first, other = namings[0], next(one for one in namings if one.person != namings[0].person)
    return str(
        other.line.error(
            f"{first.person} (line {first.line.number}) and {other.person} are the same face here, {face[1]} of "
            f"{other.line.values['file']}: neither of them is found there. {_REMEDY}"
        )
    )


def _where(naming: Naming, anchor: Anchor) -> str:
    box = anchor.box
    when = "" if anchor.seconds is None else f" at {anchor.seconds:.3f} s,"
    return f"in {naming.line.values['file']}{when} where the line says (x {box.x:g}, y {box.y:g})"


def _so(naming: Naming) -> str:
    return f", so {naming.person} is not found there" if naming.person else ""


def _box(row: np.ndarray) -> Box:
    return Box(*(float(row[name]) for name in ("x", "y", "width", "height")))


def _between(first: Box, second: Box, part: float) -> Box:
    pairs = zip(
        (first.x, first.y, first.width, first.height), (second.x, second.y, second.width, second.height), strict=True
    )
    return Box(*(one + part * (other - one) for one, other in pairs))
