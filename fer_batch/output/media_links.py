"""Where a run's films and photographs lie, seen from its output folder: for playing films and cutting thumbnails.

Written only where output and media lie together, so that both can be moved as one; never as an absolute path, and never
through a folder above a home folder, whose names are nobody's business.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fer_batch.output.files import write_json
from fer_batch.types import Kind, Source

MEDIA = "media.json"


def write_media(folder: Path, sources: Iterable[Source]) -> None:
    """Write media.json: for each film its path, for each folder of photographs that folder's, relative to ``folder``.

    Sources that lie elsewhere are not in it.

    Raises:
        OutputError: it cannot be written.
    """
    together = {name: seen_from(path, folder) for name, path in places(sources).items()}
    write_json(folder / MEDIA, {name: place for name, place in together.items() if place is not None})


def places(sources: Iterable[Source]) -> dict[str, Path]:
    """By the source's name a film's own path, and the folder that photographs are in."""
    return {one.name: one.files[0] if one.kind is Kind.VIDEO else one.files[0].parent for one in sources}


def read_media(folder: Path) -> Mapping[str, Path]:
    """Path by source's name, of those that are still there."""
    try:
        written = json.loads((folder / MEDIA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(written, dict):
        return {}
    found = {
        name: folder / place
        for name, place in written.items()
        if isinstance(place, str) and not Path(place).is_absolute()
    }
    return {name: path for name, path in found.items() if path.exists()}


def find(folder: Path, name: str) -> Path | None:
    """A source by its name in a folder that a user names: in it, or the folder itself; None: it is not there."""
    places = [folder / name, folder.resolve().parent / name, folder / Path(name).name]
    inside = name.split("/")[0] == folder.resolve().name
    return next((place for at, place in enumerate(places) if place.exists() and (at != 1 or inside)), None)


def seen_from(path: Path, folder: Path) -> str | None:
    """The path as seen from the folder; None where the two do not belong together."""
    path, folder = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    home = Path.home()
    try:
        common = Path(os.path.commonpath([path, folder]))
    except ValueError:  # on another drive
        return None
    if common == Path(common.anchor) or common in home.parents or common.name in {"home", "Users"}:
        return None
    place = Path(os.path.relpath(path, folder))
    if home.name and home.name in place.parts:
        return None
    try:
        return place.as_posix().encode().decode()
    except UnicodeEncodeError:  # bytes that are no text cannot stand in JSON
        return None
