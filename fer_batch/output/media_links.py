"""Where a run's videos and photos are, relative to its output folder: for playing videos and cutting thumbnails.

Written only where output and media are near each other, so that both can be moved together; never as an absolute path,
and never through a folder above a home folder, whose name may be that of a user.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fer_batch.media.remote import is_remote
from fer_batch.natural_order import natural
from fer_batch.output.files import write_json
from fer_batch.output.mirror import is_mirror
from fer_batch.types import Source

MEDIA = "media.json"


def write_media(folder: Path, sources: Iterable[Source], kept: Iterable[str] = ()) -> None:
    """Write media.json: the path of each video and of each folder of photos, relative to ``folder``.

    Sources elsewhere are not in it. Of those with the names ``kept`` it keeps what it says.

    Raises:
        OutputError: it cannot be written.
    """
    written = _read(folder)
    _write(folder, {name: written.get(name) for name in kept} | _relative(places(sources), folder))


def write_links(folder: Path, places: Mapping[str, Path]) -> None:
    """Write media.json for sources in these places, by their names.

    Raises:
        OutputError: it cannot be written.
    """
    _write(folder, _relative(places, folder))


def _relative(places: Mapping[str, Path], folder: Path) -> dict[str, str | None]:
    return {name: relative_path(path, folder) for name, path in places.items()}


def _write(folder: Path, relative: Mapping[str, str | None]) -> None:
    names = sorted(relative, key=natural)
    write_json(folder / MEDIA, {name: path for name in names if (path := relative[name]) is not None})


def places(sources: Iterable[Source]) -> dict[str, Path]:
    """The path of each video, and of each folder of photos, by the source's name; without those given by URL."""
    return {
        source.name: source.files[0].parent if source.in_photo_files else source.files[0]
        for source in sources
        if not is_remote(source.files[0])
    }


def read_media(folder: Path) -> Mapping[str, Path]:
    """The paths in media.json by the source's name, of those that still exist; none where it is missing or damaged."""
    found = {name: folder / place for name, place in _read(folder).items()}
    return {name: path for name, path in found.items() if os.path.exists(path)}


def _read(folder: Path) -> dict[str, str]:
    """What media.json says, without absolute paths."""
    try:
        written = json.loads((folder / MEDIA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(written, dict):
        return {}
    return {name: place for name, place in written.items() if isinstance(place, str) and not Path(place).is_absolute()}


def find(folder: Path, name: str) -> Path | None:
    """The path of the source ``name``, if it is in ``folder`` or is ``folder``; None: it is not there."""
    candidates = [folder / name, folder / Path(name).name]
    if name.split("/")[0] == folder.resolve().name:
        candidates.insert(1, folder.resolve().parent / name)
    return next((path for path in candidates if os.path.exists(path)), None)


def relative_path(path: Path, folder: Path) -> str | None:
    """The path relative to the folder, POSIX style; None where the two are not near each other."""
    if is_mirror(folder):
        return None
    path, folder = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    home = _home()
    try:
        common = Path(os.path.commonpath([path, folder]))
    except ValueError:  # on another drive
        return None
    if common == Path(common.anchor) or common.name in {"home", "Users"}:
        return None
    if home is not None and common in home.parents:
        return None
    place = Path(os.path.relpath(path, folder))
    if home is not None and home.name and home.name in place.parts:
        return None
    try:
        return place.as_posix().encode().decode()
    except UnicodeEncodeError:  # JSON cannot hold names that are no text
        return None


def _home() -> Path | None:
    """The user's home folder; None: there is none, as in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return None
