"""What there is to analyse: from the paths that a user names to Sources, each with a name of its own."""

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import filetype

from fer_batch.errors import UsageError
from fer_batch.types import Kind, Skipped, Source

MARKER = ".fer-batch"
"""A file in every output folder: such a folder is never walked, and never taken for somebody else's."""

PHOTO_SUFFIXES = frozenset(
    ".avif .avifs .bmp .dib .gif .heic .heif .hif .jfif .jp2 .jpe .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split()
)
VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .asf .avi .divx .dv .f4v .flv .h264 .h265 .hevc .ivf .m1v .m2t .m2ts .m2v .m4v .mkv .mov .mp4 "
    ".mpe .mpeg .mpg .mts .mxf .nut .obu .ogv .qt .rm .rmvb .ts .vob .webm .wmv .wtv .y4m".split()
)
"""Used only where the content says nothing: raw and transport streams, and files that are damaged or empty."""

PHOTO_BRANDS = frozenset(b"avif avis heic heim heis heix hevc hevx mif1 msf1".split())
"""Major brands of photographs in the box format that they share with films (ISO/IEC 23008-12, AVIF 1.1)."""

BIG_TIFF = (b"II+\0", b"MM\0+")
"""How a TIFF with offsets of 64 bits begins, which the library does not know."""

SNIFFED_BYTES = 8192
"""How much of a file's head is read to tell its kind."""


@dataclass(frozen=True)
class FoundMedia:
    """Everything that lies under the inputs."""

    sources: tuple[Source, ...]
    """Sorted by name."""
    skipped: tuple[Skipped, ...]
    """Media that cannot even be looked into."""
    ignored: tuple[str, ...]
    """Names of files that are neither photographs nor films."""


@dataclass(frozen=True)
class _Medium:
    """One source before it has a name: ``absolute`` parts of its path, of which the last ``shown`` would name it."""

    kind: Kind
    absolute: tuple[str, ...]
    shown: int
    files: tuple[Path, ...]


@dataclass
class _Walk:
    """Where a walk may go, and what it has gathered so far."""

    out: Path | None
    recursive: bool
    follow_links: bool
    videos: dict[Path, _Medium] = field(default_factory=dict)
    photos: dict[Path, list[Path]] = field(default_factory=dict)
    shown: dict[Path, int] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    entered: set[tuple[int, int]] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


def walk(
    inputs: Sequence[Path], *, out: Path | None = None, recursive: bool = True, follow_links: bool = True
) -> FoundMedia:
    """Find every film and every folder of photographs under ``inputs``, whatever their order.

    A film is named by its path relative to the input it was found under, a folder of photographs likewise, the input
    folder itself by its own name. Names that would be the same, also where letter case does not count, are told apart
    by as many of the folders above as that takes. Hidden files, the output folder and folders already entered (links
    that lead back) are passed over, links too if they are not to be followed.

    Raises:
        UsageError: an input does not exist.
    """
    found = _Walk(Path(os.path.abspath(out)) if out else None, recursive, follow_links)
    roots = sorted({Path(os.path.abspath(path)) for path in inputs}, key=lambda path: (len(path.parts), path))
    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"There is no file or folder {_legible(str(root))}. Check the spelling.")
        if root.is_dir():
            _walk_folder(root, root, found)
        else:
            _take(root, root.parent, found, named=True)
    media = list(found.videos.values())
    for folder, files in found.photos.items():
        media.append(_Medium(Kind.PHOTOS, folder.parts, found.shown[folder], tuple(sorted(files, key=_order))))
    return FoundMedia(
        tuple(sorted(_named(media), key=lambda source: source.name)),
        tuple(sorted(found.skipped, key=lambda one: one.file)),
        tuple(sorted(found.ignored)),
    )


def legible_name(path: Path) -> str:
    """A file's own name as text, bytes that are not UTF-8 written as escapes."""
    return _legible(path.name)


def _walk_folder(folder: Path, root: Path, found: _Walk) -> None:
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=_order)
    except OSError as error:
        found.skipped.append(Skipped(_relative(folder, root), f"The folder cannot be read: {error.strerror}."))
        return
    identity = (status.st_dev, status.st_ino)
    if identity in found.entered or (folder == found.out and folder != root) or (folder / MARKER).exists():
        return
    found.entered.add(identity)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not found.follow_links:
            found.ignored.append(_relative(entry, root))
        elif entry.is_dir():
            if found.recursive:
                _walk_folder(entry, root, found)
        else:
            _take(entry, root, found)


def _take(path: Path, root: Path, found: _Walk, *, named: bool = False) -> None:
    """Put one file where it belongs; one that the user named is never ignored."""
    real = os.path.realpath(path)
    if real in found.taken:
        return
    found.taken.add(real)
    name = _relative(path, root)
    try:
        kind = _kind(path)
    except OSError as error:
        found.skipped.append(Skipped(name, f"Cannot be read: {error.strerror or error}."))
        return
    if kind is Kind.VIDEO:
        shown = len(path.relative_to(root).parts)
        found.videos[path] = _Medium(Kind.VIDEO, path.parts, shown, (path,))
    elif kind is Kind.PHOTOS:
        found.photos.setdefault(path.parent, []).append(path)
        found.shown.setdefault(path.parent, max(1, len(path.parent.relative_to(root).parts)))
    elif named:
        found.skipped.append(Skipped(name, "Neither a photograph nor a film that fer-batch knows."))
    else:
        found.ignored.append(name)


def _kind(path: Path) -> Kind | None:
    """Photograph or film, by content, and by the name's suffix where the content does not tell."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device would block whoever opens it
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    if (head[4:8] == b"ftyp" and head[8:12] in PHOTO_BRANDS) or head.startswith(BIG_TIFF):
        return Kind.PHOTOS
    guess = filetype.guess(head)
    if guess is not None and guess.mime.startswith("image/"):
        # For a bitmap the library takes whatever begins with "BM"; its four reserved bytes are zero.
        return Kind.PHOTOS if guess.extension != "bmp" or head[6:10] == bytes(4) else None
    suffix = path.suffix.lower()
    if (guess is not None and guess.mime.startswith("video/")) or suffix in VIDEO_SUFFIXES:
        return Kind.VIDEO
    return Kind.PHOTOS if suffix in PHOTO_SUFFIXES else None


def _named(media: Iterable[_Medium]) -> Iterator[Source]:
    """Give each medium the shortest tail of its path that no other has."""
    shown = {medium: medium.shown for medium in sorted(media, key=lambda medium: medium.absolute)}

    def tail(medium: _Medium, length: int) -> str:
        return "/".join(_legible(part) for part in medium.absolute[-length:] if part != os.sep) or "root"

    # Neighbours that differ only in letter case are one place here: no folder above could tell them apart.
    place = {medium: _folded(tail(medium, len(medium.absolute))) for medium in shown}
    while True:
        groups: dict[str, list[_Medium]] = {}
        for medium in shown:
            groups.setdefault(_folded(tail(medium, shown[medium])), []).append(medium)
        longer = [
            medium
            for group in groups.values()
            if len({place[medium] for medium in group}) > 1
            for medium in group
            if shown[medium] < len(medium.absolute)
        ]
        if not longer:
            break
        for medium in longer:
            shown[medium] += 1
    taken = set(groups)
    for group in groups.values():
        for number, medium in enumerate(group, start=1):
            name = tail(medium, shown[medium])
            if number > 1:
                name = next(one for at in count(number) if _folded(one := f"{name}~{at}") not in taken)
                taken.add(_folded(name))
            yield Source(medium.kind, name, medium.files, _output(name))


def _folded(name: str) -> str:
    """What a disk that ignores letter case and Unicode form would take the output's name for."""
    return unicodedata.normalize("NFC", _output(name)).casefold()


_UNSAFE = re.compile(r'[<>:"\\|?*%$\x00-\x1f\x7f]|[. ]$|^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))', re.IGNORECASE)
"""Characters and names that Windows, macOS or Linux would refuse or misread in a file's name."""

_LONGEST_PART = 180
"""Bytes; with our suffixes it stays below the 255 that file systems allow."""


def _output(name: str) -> str:
    """A source's name as a relative path that is safe on every file system; different names stay different."""
    *folders, last = (_safe(part) for part in name.split("/"))
    # A folder must not take the place of another source's table or page.
    folders = [re.sub(r"\.(?=(?:csv|html|part)$)", "%2E", folder, flags=re.IGNORECASE) for folder in folders]
    return "/".join([*folders, last])


def _safe(part: str) -> str:
    part = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}" if match[0] else "%", part)
    encoded = part.encode()
    if len(encoded) <= _LONGEST_PART:
        return part
    return encoded[:_LONGEST_PART].decode(errors="ignore") + "~" + hashlib.sha256(encoded).hexdigest()[:8]


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return _legible(root.name if relative == "." else relative)


def _legible(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _order(path: Path) -> tuple[str, str]:
    return path.name.casefold(), path.name
