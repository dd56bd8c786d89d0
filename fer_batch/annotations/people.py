"""Who the faces are, as people.csv says: names, joined tracks, and what is wrong with what it says.

fer-batch recognises nobody. A person is a name that somebody has given to tracks of films and to faces in photographs;
the same name is the same person, in whatever files.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from fer_batch.annotations import user_csv
from fer_batch.annotations.targets import Targets
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Face, FrameTime, Kind, Skipped, TrackedFrame

REQUIRED = ("file", "face_id", "person")
OPTIONAL = ("role", "group")


@dataclass(frozen=True)
class Naming:
    """One line of people.csv."""

    line: Line
    photo: str | None
    """Its name within its folder; None: a film."""
    face_id: int
    person: str
    role: str
    group: str


@dataclass(frozen=True)
class People:
    """All of people.csv."""

    by_source: Mapping[str, tuple[Naming, ...]]

    def of(self, source: str) -> "Names":
        """The names for one source's faces."""
        return Names(source, self.by_source.get(source, ()))

    @property
    def persons(self) -> frozenset[str]:
        """Every name."""
        return frozenset(one.person for namings in self.by_source.values() for one in namings)

    @property
    def groups(self) -> frozenset[str]:
        """Every group."""
        return frozenset(one.group for namings in self.by_source.values() for one in namings if one.group)


NOBODY = People({})


def read(path: Path, found: FoundMedia) -> People:
    """Read people.csv; every file in it must be among those that were found.

    Raises:
        UsageError: something in it is wrong; the text names the line and says what to do.
    """
    places = Targets(found)
    taken: dict[tuple[str, str | None, int], Line] = {}
    parts: dict[tuple[str, str], Naming] = {}
    by_source: dict[str, list[Naming]] = {}
    for line in user_csv.read(path, REQUIRED, OPTIONAL):
        place = places.of(line)
        naming = _naming(line, place.photo if place else None)
        if place is None:
            continue
        before = taken.setdefault((place.source, place.photo, naming.face_id), line)
        if before is not line:
            raise line.wrong(
                f"face {naming.face_id} of {line.values['file']} has a name already, in line {before.number}. "
                "Take one of the two lines out."
            )
        if place.photo is None:
            first = parts.setdefault((place.source, naming.person), naming)
            if (first.role, first.group) != (naming.role, naming.group):
                raise line.wrong(
                    f"{naming.person} has another role or group than in line {first.line.number}, in the same film. "
                    "Make them the same: joined tracks are one face."
                )
        by_source.setdefault(place.source, []).append(naming)
    return People({source: tuple(namings) for source, namings in by_source.items()})


def _naming(line: Line, photo: str | None) -> Naming:
    values = line.values
    if not values["face_id"].isdecimal():
        raise line.wrong(
            f"face_id must be a whole number from 0, as in the timeline's column face_id; got '{values['face_id']}'."
        )
    if not values["person"]:
        raise line.wrong("person is empty. Write a name, or take the line out.")
    return Naming(line, photo, int(values["face_id"]), values["person"], values["role"], values["group"])


@dataclass
class Names:
    """The names for one source's faces; remembers what people.csv says of it that cannot be."""

    source: str
    namings: Sequence[Naming]
    _met: set[tuple[str | None, int]] = field(default_factory=set)
    """Faces that were there."""
    _clashes: dict[tuple[Naming, Naming], "_Clash"] = field(default_factory=dict)

    @cached_property
    def by_face(self) -> Mapping[tuple[str | None, int], Naming]:
        """What is said of a face: by the photograph's name, None in a film, and by the face_id that it had before."""
        return {(one.photo, one.face_id): one for one in self.namings}

    @cached_property
    def by_person(self) -> Mapping[str, Naming]:
        """The first line about each person; in a film, all of them say the same of role and group."""
        return {one.person: one for one in reversed(self.namings)}

    def give(self, tracked_frames: Iterable[TrackedFrame], kind: Kind) -> Iterator[TrackedFrame]:
        """The same readings with named faces; in a film, tracks of one name take the face_id of the first to be seen.

        Where several faces of one name are in one frame, only one has the name: the one whose track was seen first.
        """
        if not self.namings:
            yield from tracked_frames
            return
        first: dict[str, int] = {}
        for tracked in tracked_frames:
            photo = tracked.time.file if kind is Kind.PHOTOS else None
            faces: list[Face] = []
            here: dict[str, list[tuple[Naming, Face]]] = {}
            for face in tracked.faces:
                naming = self.by_face.get((photo, face.face_id))
                if naming is None:
                    faces.append(face)
                else:
                    self._met.add((photo, face.face_id))
                    here.setdefault(naming.person, []).append((naming, face))
            for person, candidates in here.items():
                number = first.setdefault(person, candidates[0][1].face_id)
                # Whoever has the joined number already, so that nobody else takes it; else the lowest.
                candidates.sort(key=lambda one: (one[1].face_id != number, one[1].face_id))
                (naming, face), *others = candidates
                faces.append(replace(face, face_id=face.face_id if photo else number, person=person))
                for other, left in others:
                    self._clashes.setdefault((naming, other), _Clash(tracked.time)).frames += 1
                    faces.append(left)
            yield replace(tracked, faces=tuple(sorted(faces, key=lambda face: face.face_id)))

    def complaints(self) -> list[Skipped]:
        """What is wrong, once all readings have been named."""
        wrong = [
            one.line.wrong(
                f"there is no face {one.face_id} in {one.line.values['file']}. Correct face_id, or take the line out; "
                "face_ids change with the options that choose frames and faces."
            )
            for one in self.namings
            if (one.photo, one.face_id) not in self._met
        ]
        for (one, other), clash in self._clashes.items():
            when = "" if clash.first.seconds is None else f", first at {clash.first.seconds:.3f} s"
            where = f"{clash.frames} frames{when}" if one.photo is None else "one photograph"
            wrong.append(
                other.line.wrong(
                    f"faces {one.face_id} and {other.face_id} are both named {one.person} and are seen together in "
                    f"{where}; only face {one.face_id} has the name there. Give them different names."
                )
            )
        return [Skipped(self.source, str(error), rows_kept=True) for error in wrong]


@dataclass
class _Clash:
    """How often two faces of one name are seen together."""

    first: FrameTime
    frames: int = 0
