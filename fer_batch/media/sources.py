"""Finds the videos and photos under the paths that a user gives, and names them: one Source for each timeline."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from pathlib import Path
from typing import Any, cast

from fer_batch.errors import MediaError, UsageError, why
from fer_batch.media import kinds, remote
from fer_batch.media.remote import MARKER
from fer_batch.natural_order import natural
from fer_batch.types import FolderFiles, Kind, Severity, Skipped, Source

Probe = Callable[[Sequence[Path]], Mapping[Path, Kind]]
"""Tells which of some files are photos or videos; files that are neither are not in the mapping."""

OUTPUT_FOLDER = "An output folder of fer-batch, which is not searched. Name the files or folders in it that you mean."

CAMERA_COPY = "A small copy that the camera made of a video beside it. It is analysed if the command names it."


@dataclass(frozen=True)
class FoundMedia:
    """All files that were found under the inputs."""

    sources: tuple[Source, ...]
    """In the natural order of their names, as the other two."""
    skipped: tuple[Skipped, ...]
    """Files and folders that cannot be opened."""
    ignored: tuple[str, ...]
    """Names of files that are neither photos nor videos."""

    @property
    def is_nothing(self) -> bool:
        """Whether there is no photo and no video, and none that is lost."""
        return not self.sources and all(line.severity is Severity.NOTE for line in self.skipped)


@dataclass(frozen=True)
class _Medium:
    """A source that has no name yet."""

    kind: Kind
    parts: tuple[str, ...]
    """The parts of its absolute path."""
    name_length: int
    """How many of the last parts would make up its name."""
    files: Sequence[Path]


@dataclass
class _Walk:
    """The settings of a walk, and what it has found so far."""

    out: Path | None
    recursive: bool
    follow_links: bool
    videos: dict[Path, _Medium] = field(default_factory=dict)
    photos: dict[Path, list[str]] = field(default_factory=dict)
    """The names of the photos of each folder."""
    remote_photos: dict[remote.RemoteFile, remote.RemoteFiles] = field(default_factory=dict)
    """The photos of each folder that is given by URL."""
    name_lengths: dict[Any, int] = field(default_factory=dict)
    """:attr:`_Medium.name_length` of each folder with photos."""
    skipped: list[Skipped] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    unknown: dict[Path, tuple[Path, bool]] = field(default_factory=dict)
    """Files whose kind only FFmpeg can tell: the input under which each was found, and whether it is that input."""
    copies: dict[Path, tuple[Path, Kind]] = field(default_factory=dict)
    """What may be a camera's copies of videos: the input under which each was found, and its kind."""
    entered: set[tuple[int, int]] = field(default_factory=set)
    """Device and inode of each folder that has been searched."""
    taken: set[str] = field(default_factory=set)
    """Real paths of the files to which links lead, and of those that the user names; and URLs."""


def walk(
    inputs: Sequence[Path],
    *,
    out: Path | None = None,
    recursive: bool = True,
    follow_links: bool = True,
    as_video: float | None = None,
    probe: Probe = lambda paths: {},  # noqa: ARG005
) -> FoundMedia:
    """Find all videos and all folders with photos under ``inputs``. The order of the inputs does not matter.

    ``probe`` tells the kinds of files whose first bytes and suffix do not tell. With ``as_video``, each folder with
    photos becomes a video of so many frames per second.

    The name of a video, or of a folder with photos, is its path relative to the input under which it was found; the
    name of an input folder is its own name. If two names would be the same, or differ only in letter case, they are
    extended by parent folders until they differ. Hidden files, the output folder, folders that were already searched
    (through links) and cameras' small copies of videos are left out, and so are all links unless ``follow_links``.

    Raises:
        UsageError: an input does not exist.
    """
    found = _Walk(Path(os.path.abspath(out)) if out else None, recursive, follow_links)
    _walk_urls([cast("remote.RemoteFile", path) for path in inputs if remote.is_remote(path)], found)
    local = [path for path in inputs if not remote.is_remote(path)]
    roots = sorted({Path(os.path.abspath(path)) for path in local}, key=lambda path: (len(path.parts), path))
    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"There is no file or folder {_legible(str(root))}. Check the spelling.")
        if os.path.isdir(root):
            _walk_folder(root, root, found)
        elif _is_new(root, found) or root in found.copies:
            found.copies.pop(root, None)
            _take(root, root.parent, found, named=True)
    probed = probe(list(found.unknown)) if found.unknown else {}
    for path, (root, is_input) in found.unknown.items():
        _add(path, root, probed.get(path), found, named=is_input)
    originals = {video.parent for video in found.videos}
    for path, (root, kind) in found.copies.items():
        if path.parent in originals:
            found.skipped.append(Skipped(_relative(path, root), CAMERA_COPY, Severity.NOTE))
        else:
            _add(path, root, kind, found, named=True)
    media = list(found.videos.values())
    photos: dict[Path, Sequence[Path]] = {
        folder: FolderFiles(folder, sorted(names, key=natural)) for folder, names in found.photos.items()
    }
    photos |= cast("dict[Path, Sequence[Path]]", found.remote_photos)
    for folder, files in photos.items():
        media.append(_Medium(Kind.PHOTOS, folder.parts, found.name_lengths[folder], files))
    named = sorted(_named(media), key=lambda source: natural(source.name))
    return FoundMedia(
        tuple(_as_video(source, as_video) if as_video is not None else source for source in named),
        tuple(sorted(found.skipped, key=lambda skipped: natural(skipped.file))),
        tuple(sorted(found.ignored, key=natural)),
    )


def _as_video(source: Source, fps: float) -> Source:
    """The video whose frames are the folder's photos; a video stays as it is."""
    return replace(source, kind=Kind.VIDEO, fps=fps) if source.kind is Kind.PHOTOS else source


def legible_name(path: Path) -> str:
    """A file's own name as text; bytes that are not UTF-8 become escape sequences."""
    return _legible(path.name)


def _walk_folder(folder: Path, root: Path, found: _Walk) -> None:
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=_order)
    except OSError as error:
        found.skipped.append(Skipped(_relative(folder, root), f"The folder cannot be read: {why(error)}."))
        return
    identity = (status.st_dev, status.st_ino)
    if identity in found.entered or (folder == found.out and folder != root):
        return
    found.entered.add(identity)
    if os.path.exists(folder / MARKER):
        if folder == root and folder != found.out:  # below an input it is a matter of course
            found.skipped.append(Skipped(folder.name, OUTPUT_FOLDER, Severity.NOTE))
        return
    _walk_entries(folder, entries, root, found)


def _walk_entries(folder: Path, entries: Sequence[Path], root: Path, found: _Walk) -> None:
    real = os.path.realpath(folder).rstrip(os.sep)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if os.path.islink(entry) and not found.follow_links:
            found.ignored.append(_relative(entry, root))
        elif os.path.isdir(entry):
            if found.recursive:
                _walk_folder(entry, root, found)
        elif _is_new(entry, found) if os.path.islink(entry) else f"{real}{os.sep}{entry.name}" not in found.taken:
            _take(entry, root, found)


def _walk_urls(urls: Sequence[remote.RemoteFile], found: _Walk) -> None:
    """Add the files under URLs."""
    given: dict[str, list[remote.RemoteFile]] = {}
    for url in sorted(urls, key=lambda url: (str(url), url.url)):
        given.setdefault(url.address, []).append(url)
    roots = {address: same[-1] for address, same in given.items()}
    found.skipped += (
        Skipped(same[0].name, remote.OTHER_QUERY) for same in given.values() if remote.differ_by_query(same)
    )
    for root in roots.values():
        below = (root.address.startswith(f"{other}/") or other.startswith(f"{root.address}/") for other in roots)
        _walk_remote(root, found, found.taken if any(below) else None)


def _walk_remote(root: remote.RemoteFile, found: _Walk, taken: set[str] | None) -> None:
    """Add the files under a URL, but for those that are ``taken``, and take them; None: it shares none with others.

    Their names alone tell their kinds: to open each would take a request.
    """

    def left_out(name: str, reason: str) -> None:
        found.skipped.append(Skipped(name, reason))

    try:
        files = remote.walk(root, recursive=found.recursive, left_out=left_out)
        for folder, in_folder in groupby(files, key=lambda file: file.parent):
            new = [file for file in in_folder if taken is None or file.address not in taken]
            if taken is not None:
                taken.update(file.address for file in new)
            photos = [file for file in new if _add_remote(file, root, found)]
            if photos:
                photos += found.remote_photos.get(folder, ())
                found.remote_photos[folder] = remote.RemoteFiles(sorted(photos, key=_order))
    except MediaError as error:
        found.skipped.append(Skipped(root.name, str(error)))


def _add_remote(file: remote.RemoteFile, root: remote.RemoteFile, found: _Walk) -> bool:
    """Add a file to what was found, unless it is a photo: returns whether it is one."""
    is_root = file.address == root.address
    kind = kinds.kind_of_name(file.suffix)
    length = 1 if is_root else len(file.parts) - len(root.parts)
    name = "/".join(file.parts[-length:])
    if kind is Kind.VIDEO:
        path = cast("Path", file)
        found.videos[path] = _Medium(kind, file.parts, length, (path,))
    elif kind is Kind.PHOTOS:
        found.name_lengths.setdefault(file.parent, max(1, length - 1))
    elif is_root:
        found.skipped.append(Skipped(name, "Its name ends like that of no photo and of no video."))
    else:
        found.ignored.append(name)
    return kind is Kind.PHOTOS


def _is_new(path: Path, found: _Walk) -> bool:
    """Whether a link, or a file that the user names, leads to a file that is found in no other way."""
    real = Path(os.path.realpath(path))
    with suppress(OSError):  # it leads nowhere, or to where nobody may look: a line in errors.csv
        folder = real.parent.stat()
        is_searched = (folder.st_dev, folder.st_ino) in found.entered and not (real.parent / MARKER).exists()
        if is_searched and real.exists() and not real.name.startswith("."):
            return False
    is_new = str(real) not in found.taken
    found.taken.add(str(real))
    return is_new


def _take(path: Path, root: Path, found: _Walk, *, named: bool = False) -> None:
    """Add a file to what was found. A file of another kind is ignored, but skipped with a reason if ``named``."""
    name = _relative(path, root)
    try:
        kind = kinds.kind_of(path)
        if kind is None and kinds.worth_probing(path):
            found.unknown[path] = root, named
            return
    except OSError as error:
        found.skipped.append(Skipped(name, f"Cannot be read: {why(error)}."))
        return
    _add(path, root, kind, found, named=named)


def _add(path: Path, root: Path, kind: Kind | None, found: _Walk, *, named: bool) -> None:
    """Add a file of this kind to what was found."""
    name = _relative(path, root)
    if kind is not None and not named and path.suffix.lower() in kinds.COPY_SUFFIXES:
        found.copies[path] = root, kind
    elif kind is Kind.VIDEO:
        found.videos[path] = _Medium(Kind.VIDEO, path.parts, len(path.relative_to(root).parts), (path,))
    elif kind is Kind.PHOTOS:
        found.photos.setdefault(path.parent, []).append(path.name)
        found.name_lengths.setdefault(path.parent, max(1, len(path.parent.relative_to(root).parts)))
    elif named:
        found.skipped.append(Skipped(name, "Neither a photo nor a video that fer-batch knows."))
    else:
        found.ignored.append(name)


def _named(media: Iterable[_Medium]) -> Iterator[Source]:
    """Give each source a name: the end of its path, as short as it can be without being the name of another."""
    lengths = {medium: medium.name_length for medium in sorted(media, key=lambda medium: medium.parts)}

    def tail(medium: _Medium, length: int) -> str:
        return "/".join(_legible(part) for part in medium.parts[-length:] if part != os.sep) or "root"

    # Paths that differ only in letter case count as the same here: more parent folders would not make them differ.
    full_paths = {medium: folded(tail(medium, len(medium.parts))) for medium in lengths}
    while True:
        groups: dict[str, list[_Medium]] = {}
        for medium, length in lengths.items():
            groups.setdefault(folded(tail(medium, length)), []).append(medium)
        to_extend = [
            medium
            for group in groups.values()
            if len({full_paths[medium] for medium in group}) > 1
            for medium in group
            if lengths[medium] < len(medium.parts)
        ]
        if not to_extend:
            break
        for medium in to_extend:
            lengths[medium] += 1
    taken = set(groups)
    for group in groups.values():
        for position, medium in enumerate(group, start=1):
            name = tail(medium, lengths[medium])
            if position > 1:
                name = next(new for number in count(position) if folded(new := f"{name}~{number}") not in taken)
                taken.add(folded(name))
            yield Source(medium.kind, name, medium.files, _output(name))


def renamed(source: Source, name: str) -> Source:
    """The source under another name."""
    return replace(source, name=name, output=_output(name))


def folded(name: str) -> str:
    """The output's name on a file system that ignores letter case and Unicode form."""
    return unicodedata.normalize("NFC", _output(name)).casefold()


_UNSAFE = re.compile(r'[<>:"\\|?*%$\x00-\x1f\x7f]|[. ]$|^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))', re.IGNORECASE)
"""Characters and names that Windows, macOS or Linux refuse or misread in file names."""

_MAX_PART_BYTES = 180
"""Longest part of an output's path. With suffixes it stays below the 255 bytes that file systems allow."""


def _output(name: str) -> str:
    """A source's name as a relative path that is safe on every file system. Different names give different paths."""
    *folders, last = (_safe(part) for part in name.split("/"))
    # A folder must not have the name of another source's table or page.
    folders = [re.sub(r"\.(?=(?:csv|html|json|part)$)", "%2E", folder, flags=re.IGNORECASE) for folder in folders]
    return "/".join([*folders, last])


def _safe(part: str) -> str:
    part = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}" if match[0] else "%", part)
    encoded = part.encode()
    if len(encoded) <= _MAX_PART_BYTES:
        return part
    return encoded[:_MAX_PART_BYTES].decode(errors="ignore") + "~" + hashlib.sha256(encoded).hexdigest()[:8]


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return _legible(root.name if relative == "." else relative)


def _legible(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _order(path: "Path | remote.RemoteFile") -> Any:
    return natural(path.name)
