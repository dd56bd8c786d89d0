"""What the column ``file`` of a user CSV may name: the videos and photos among the inputs."""

import unicodedata
from dataclasses import dataclass

from fer_batch.annotations import user_csv
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia, legible_name
from fer_batch.natural_order import natural
from fer_batch.types import Kind


@dataclass(frozen=True)
class Target:
    """A video, or a photo in a folder."""

    source: str
    """Name of the video or of the folder."""
    photo: str | None
    """The photo's name within its folder; None: a video."""


class Targets:
    """The videos and photos that were found, by the names that a user CSV may use for them.

    A photo may be named with or without its folder.
    """

    def __init__(self, found: FoundMedia) -> None:
        self._targets: dict[str, list[Target]] = {}
        self._folders = {_normalized(source.name): source for source in found.sources if source.kind is Kind.PHOTOS}
        self._unreadable = {_normalized(skipped.file) for skipped in found.skipped}
        for source in found.sources:
            if source.kind is Kind.VIDEO:
                self._add(source.name, Target(source.name, None))
            else:
                for name in map(legible_name, source.files):
                    photo = Target(source.name, name)
                    self._add(f"{source.name}/{name}", photo)
                    self._add(name, photo)

    @property
    def videos(self) -> list[str]:
        """The names of all videos, in natural order."""
        targets = (target for candidates in self._targets.values() for target in candidates)
        return sorted({target.source for target in targets if target.photo is None}, key=natural)

    def of(self, line: Line) -> Target | None:
        """The video or photo that a line names; None: a file that is there but unreadable, which errors.csv reports.

        Raises:
            UsageError: nothing has that name, or several files have it.
        """
        name = line.values["file"]
        candidates = self._targets.get(_normalized(name), [])
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            source, photo = candidates[0].source, candidates[0].photo
            example = f"{source}/{photo}" if photo else source
            raise line.error(
                f"'{name}' may be one of {len(candidates)} files. Write its folder too, as in '{example}'."
            )
        if _normalized(name) in self._unreadable:
            return None
        if (folder := self._folders.get(_normalized(name))) is not None:
            example = f"{folder.name}/{legible_name(folder.files[0])}"
            raise line.error(f"'{name}' is a folder of photos. Name the photo too, as in '{example}'.")
        near = user_csv.suggestion(_normalized(name), list(self._targets))
        raise line.error(
            f"there is no video and no photo '{name}' among the inputs.{near} Correct the name (videos are named as in "
            "the column file of summary.csv, photos as in their timeline), or take the line out."
        )

    def find(self, name: str) -> Target | None:
        """The only video or photo of this name; None: there is none, or several are."""
        candidates = self._targets.get(_normalized(name), [])
        return candidates[0] if len(candidates) == 1 else None

    def _add(self, name: str, target: Target) -> None:
        self._targets.setdefault(_normalized(name), []).append(target)


def _normalized(name: str) -> str:
    """A name as it is compared: in Unicode's form NFC, since macOS stores accents apart from letters, and stripped."""
    return unicodedata.normalize("NFC", name.strip())
