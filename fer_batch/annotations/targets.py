"""What a sheet's column ``file`` may mean: the films and photographs among the inputs."""

import unicodedata
from dataclasses import dataclass

from fer_batch.annotations import user_csv
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia, legible_name
from fer_batch.types import Kind


@dataclass(frozen=True)
class Target:
    """A film, or a photograph in a folder."""

    source: str
    photo: str | None
    """Its name within its folder; None: a film."""


class Targets:
    """All of them."""

    def __init__(self, found: FoundMedia) -> None:
        self._places: dict[str, list[Target]] = {}
        self._folders = {_same(source.name): source for source in found.sources if source.kind is Kind.PHOTOS}
        self._unreadable = {_same(one.file) for one in found.skipped}
        for source in found.sources:
            if source.kind is Kind.VIDEO:
                self._add(source.name, Target(source.name, None))
            else:
                for name in map(legible_name, source.files):
                    place = Target(source.name, name)
                    self._add(f"{source.name}/{name}", place)
                    self._add(name, place)

    @property
    def videos(self) -> list[str]:
        """The names of all films."""
        places = (place for candidates in self._places.values() for place in candidates)
        return sorted({place.source for place in places if place.photo is None})

    def of(self, line: Line) -> Target | None:
        """The place that a line names; None: a file that is there and cannot be read, which is told elsewhere.

        Raises:
            UsageError: there is none, or it could be several.
        """
        name = line.values["file"]
        places = self._places.get(_same(name), [])
        if len(places) == 1:
            return places[0]
        if places:
            one = f"{places[0].source}/{places[0].photo}" if places[0].photo else places[0].source
            raise line.wrong(f"'{name}' may be one of {len(places)} files. Write its folder too, as in '{one}'.")
        if _same(name) in self._unreadable:
            return None
        if (folder := self._folders.get(_same(name))) is not None:
            example = f"{folder.name}/{legible_name(folder.files[0])}"
            raise line.wrong(f"'{name}' is a folder of photographs. Name the photograph too, as in '{example}'.")
        near = user_csv.suggestion(_same(name), list(self._places))
        raise line.wrong(
            f"there is no film and no photograph '{name}' among the inputs.{near} Correct the name (films are named as "
            "in the column file of summary.csv, photographs as in their timeline), or take the line out."
        )

    def _add(self, name: str, place: Target) -> None:
        self._places.setdefault(_same(name), []).append(place)


def _same(name: str) -> str:
    """A name as it is compared: macOS writes accents apart from their letters, and sheets have lost outer spaces."""
    return unicodedata.normalize("NFC", name.strip())
