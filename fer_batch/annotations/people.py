"""Who the faces are, as people.csv says. Tracks of one video with the same name are joined.

fer-batch does not recognise people. A person is a name that a user gives to tracks in videos and to faces in photos;
the same name is the same person in all files.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from fer_batch.annotations import user_csv
from fer_batch.annotations.targets import Targets
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Face, FrameTime, Kind, Severity, Skipped, TrackedFrame

REQUIRED = ("file", "face_id", "person")
OPTIONAL = ("role", "group")
DESCRIBING = ("perhaps", "first_seen", "last_seen", "seconds", "time", "x", "y", "width", "height", "thumbnail")
"""Columns that say which face is meant, as ``fer-batch people`` writes them. Only users read them."""


@dataclass(frozen=True)
class Naming:
    """One line of people.csv."""

    line: Line
    photo: str | None
    """The photo's name within its folder; None: a video."""
    face_id: int
    person: str
    role: str
    group: str


@dataclass(frozen=True)
class People:
    """The content of people.csv."""

    by_source: Mapping[str, tuple[Naming, ...]] = field(default_factory=dict)

    def of(self, source: str) -> "FaceNames":
        """The names for one source's faces."""
        return FaceNames(source, self.by_source.get(source, ()))

    @property
    def persons(self) -> frozenset[str]:
        """Every name."""
        return frozenset(naming.person for namings in self.by_source.values() for naming in namings)

    @property
    def groups(self) -> frozenset[str]:
        """Every group."""
        return frozenset(naming.group for namings in self.by_source.values() for naming in namings if naming.group)


def read(path: Path, found: FoundMedia) -> People:
    """Read people.csv. Every file that it names must be among ``found``.

    Raises:
        UsageError: something in it is wrong; the text names the line and says what to do.
    """
    targets = Targets(found)
    lines_of_faces: dict[tuple[str, str | None, int], Line] = {}
    first_namings: dict[tuple[str, str], Naming] = {}
    by_source: dict[str, list[Naming]] = {}
    for line in user_csv.read(path, REQUIRED, (*OPTIONAL, *DESCRIBING)):
        if not any(line.values[column] for column in ("person", *OPTIONAL)):
            continue  # not filled in
        target = targets.of(line)
        naming = _naming(line, target.photo if target else None)
        if target is None:
            continue
        before = lines_of_faces.setdefault((target.source, target.photo, naming.face_id), line)
        if before is not line:
            raise line.error(
                f"face {naming.face_id} of {line.values['file']} has a name already, in line {before.number}. "
                "Take one of the two lines out."
            )
        if target.photo is None:
            first = first_namings.setdefault((target.source, naming.person), naming)
            if (first.role, first.group) != (naming.role, naming.group):
                raise line.error(
                    f"{naming.person} has another role or group than in line {first.line.number}, in the same video. "
                    "Make them the same: joined tracks are one face."
                )
        by_source.setdefault(target.source, []).append(naming)
    return People({source: tuple(namings) for source, namings in by_source.items()})


def _naming(line: Line, photo: str | None) -> Naming:
    values, face_id = line.values, line.whole_in("face_id")
    if face_id is None:
        raise line.error(
            f"face_id must be a whole number from 0, as in the timeline's column face_id; got '{values['face_id']}'."
        )
    if not values["person"]:
        raise line.error("person is empty. Write a name, or take the line out.")
    return Naming(line, photo, face_id, values["person"], values["role"], values["group"])


@dataclass
class FaceNames:
    """The names for one source's faces. It names them, and collects what does not fit with what people.csv says."""

    source: str
    namings: Sequence[Naming]
    """What people.csv says of the source, in its order."""
    _found: set[tuple[str | None, int]] = field(default_factory=set)
    """Faces with a name that were in the frames, as in :attr:`by_face`."""
    _clashes: dict[tuple[Naming, Naming], tuple[FrameTime, int]] = field(default_factory=dict)
    """Of two faces of one name that are in the same frames: the first such frame, and how many there are."""

    @cached_property
    def by_face(self) -> Mapping[tuple[str | None, int], Naming]:
        """By the photo's name (None in a video) and the face_id that the face had before tracks were joined."""
        return {(naming.photo, naming.face_id): naming for naming in self.namings}

    @cached_property
    def by_person(self) -> Mapping[str, Naming]:
        """The first line about each person; in a video, all lines about a person give the same role and group."""
        return {naming.person: naming for naming in reversed(self.namings)}

    def name_faces(self, tracked_frames: Iterable[TrackedFrame], kind: Kind) -> Iterator[TrackedFrame]:
        """The same frames with named faces; in a video, all tracks of a name get the face_id of its first track.

        Where several faces of a frame have the same name, only one keeps it: the one with the joined face_id, or else
        with the lowest face_id.
        """
        if not self.namings:
            yield from tracked_frames
            return
        joined_ids: dict[str, int] = {}
        for tracked in tracked_frames:
            photo = tracked.time.file if kind is Kind.PHOTOS else None
            faces: list[Face] = []
            named: dict[str, list[tuple[Naming, Face]]] = {}
            for face in tracked.faces:
                naming = self.by_face.get((photo, face.face_id))
                if naming is None:
                    faces.append(face)
                else:
                    self._found.add((photo, face.face_id))
                    named.setdefault(naming.person, []).append((naming, face))
            for person, candidates in named.items():
                joined_id = joined_ids.setdefault(person, candidates[0][1].face_id)
                # The face that has the joined face_id comes first, so that no other face of the frame gets it.
                candidates.sort(key=lambda pair: (pair[1].face_id != joined_id, pair[1].face_id))
                (naming, face), *others = candidates
                faces.append(replace(face, face_id=face.face_id if photo else joined_id, person=person))
                for other_naming, other_face in others:
                    first, frames = self._clashes.get((naming, other_naming), (tracked.time, 0))
                    self._clashes[naming, other_naming] = first, frames + 1
                    faces.append(other_face)
            yield replace(tracked, faces=tuple(sorted(faces, key=lambda face: face.face_id)))

    def problems(self) -> list[Skipped]:
        """What does not fit, once all frames went through :meth:`name_faces`: absent faces, one name for two faces."""
        errors = [
            naming.line.error(
                f"there is no face {naming.face_id} in {naming.line.values['file']}. Correct face_id, or take the line "
                "out; face_ids change with the options that choose frames and faces."
            )
            for naming in self.namings
            if (naming.photo, naming.face_id) not in self._found
        ]
        for (naming, other), (first, frames) in self._clashes.items():
            when = "" if first.seconds is None else f", first at {first.seconds:.3f} s"
            where = f"{frames} frames{when}" if naming.photo is None else "one photo"
            errors.append(
                other.line.error(
                    f"faces {naming.face_id} and {other.face_id} are both named {naming.person} and are seen together "
                    f"in {where}; only face {naming.face_id} has the name there. Give them different names."
                )
            )
        return [Skipped(self.source, str(error), Severity.PARTIAL) for error in errors]
