"""Who the faces are, as people.csv says. Tracks of one video with the same name are joined.

fer-batch does not recognise people. A person is a name that a user gives to tracks in videos and to faces in photos;
the same name is the same person in all files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fer_batch.annotations import user_csv
from fer_batch.annotations.targets import Target, Targets
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia
from fer_batch.types import Box

REQUIRED = ("file", "face_id", "person")
OPTIONAL = ("role", "group")
ANCHOR = ("time", "x", "y", "width", "height")
"""Columns that say where a face is: so it is found again where it has another number."""
MADE_WITH = "made_with"
"""Column of the options that decided the numbers, :attr:`fer_batch.options.Options.numbering`."""
DESCRIBING = ("perhaps", "first_seen", "last_seen", "seconds", "thumbnail")
"""Further columns that say which face is meant, as ``fer-batch people`` writes them. Only users read them."""

COLUMNS = (*REQUIRED, *OPTIONAL, *DESCRIBING[:-1], *ANCHOR, MADE_WITH, DESCRIBING[-1])
"""All of them, in their order."""


@dataclass(frozen=True)
class Anchor:
    """Where a face is."""

    seconds: float | None
    """Of the video; None: in a photo."""
    box: Box


@dataclass(frozen=True)
class Naming:
    """One line of people.csv."""

    line: Line
    photo: str | None
    """The photo's name within its folder; None: a video."""
    face_id: int
    person: str
    """Empty: the line has not been filled in."""
    role: str
    group: str
    anchor: Anchor | None = None
    """None: the face is named by its number."""


@dataclass(frozen=True)
class People:
    """The content of people.csv."""

    by_source: Mapping[str, tuple[Naming, ...]] = field(default_factory=dict)
    """The lines with a person."""
    empty: Mapping[str, tuple[Naming, ...]] = field(default_factory=dict)
    """Lines without one, but with a place."""
    made_with: frozenset[str] = frozenset()
    """The options that decided the numbers, as far as the file says."""

    def of(self, source: str) -> tuple[Naming, ...]:
        """The names for one source's faces, in the order of the file."""
        return self.by_source.get(source, ())

    @property
    def persons(self) -> frozenset[str]:
        """Every name."""
        return frozenset(naming.person for namings in self.by_source.values() for naming in namings)

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group, in the order of the file."""
        namings = sorted(
            (one for namings in self.by_source.values() for one in namings), key=lambda one: one.line.number
        )
        return tuple(dict.fromkeys(naming.group for naming in namings if naming.group))


def read(path: Path, found: FoundMedia) -> People:
    """Read people.csv. Every file that it gives a person for must be among ``found``.

    Raises:
        UsageError: something in it is wrong; the text names the line and says what to do.
    """
    targets = Targets(found)
    lines_of_faces: dict[tuple[str, str | None, int], Line] = {}
    first_namings: dict[tuple[str, str], Naming] = {}
    by_source: dict[str, list[Naming]] = {}
    empty: dict[str, list[Naming]] = {}
    lines = user_csv.read(path, REQUIRED, (*OPTIONAL, *ANCHOR, MADE_WITH, *DESCRIBING))
    for line in lines:
        if not any(line.values[column] for column in ("person", *OPTIONAL)):
            if (target := targets.find(line.values["file"])) and (anchor := _anchor(line, target)):
                naming = Naming(line, target.photo, 0, "", "", "", anchor)
                empty.setdefault(target.source, []).append(naming)
            continue  # not filled in
        target = targets.of(line)
        naming = _naming(line, target)
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
    made_with = frozenset(line.values[MADE_WITH] for line in lines) - {""}
    return People(_as_tuples(by_source), _as_tuples(empty), made_with)


def _as_tuples(namings: Mapping[str, list[Naming]]) -> dict[str, tuple[Naming, ...]]:
    return {source: tuple(those) for source, those in namings.items()}


def _naming(line: Line, target: Target | None) -> Naming:
    values, face_id = line.values, line.whole_in("face_id")
    if face_id is None:
        raise line.error(
            f"face_id must be a whole number from 0, as in the timeline's column face_id; got '{values['face_id']}'."
        )
    if not values["person"]:
        raise line.error("person is empty. Write a name, or take the line out.")
    photo, anchor = (target.photo, _anchor(line, target)) if target else (None, None)
    return Naming(line, photo, face_id, values["person"], values["role"], values["group"], anchor)


def _anchor(line: Line, target: Target) -> Anchor | None:
    """Where the face is; None: the line does not say.

    Raises:
        UsageError: it says so in part, or by something else than numbers.
    """
    columns = ANCHOR if target.photo is None else ANCHOR[1:]
    lacking = [column for column in columns if not line.values[column]]
    if set(ANCHOR[1:]) <= set(lacking) or lacking == [ANCHOR[0]]:  # a video without timestamps has no time
        return None
    if lacking:
        raise line.error(f"{lacking[0]} is empty. Write all of {', '.join(columns)}, or none of them.")
    x, y, width, height = (line.number_in(column) for column in ANCHOR[1:])
    return Anchor(None if target.photo else line.seconds_in(ANCHOR[0]), Box(x, y, width, height))
