"""The whole report in one HTML file, small enough for e-mail: its pages one below the other."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from jinja2 import Environment
from markupsafe import Markup

from fer_batch.report.layout import Place, as_html
from fer_batch.report.pages.base import Page
from fer_batch.report.pages.photos import MOST_FACES, PhotosPage, columns, script_data
from fer_batch.report.pages.video import VideoPage

MOST_BYTES = 5_000_000
"""Of the file: mail servers commonly accept attachments of 10 MB, and encoding for e-mail adds a third."""

ROOM_FOR_LISTS = 50_000
"""Bytes for links between pages, and for the names of what has no room."""

MOST_LISTED = 5000
"""Faces of a folder of photos in one table: more make the file too large and browsers slow."""

BRIEF_FACES = 30
"""Faces of a folder of photos in its shortest form."""


@dataclass(frozen=True)
class Section(Place):
    """A page as a part of the file: only what is in the file too can be reached."""

    prefixes: Mapping[str, str]
    """What begins every id of a page, by its path; of the pages in the file."""
    files: Mapping[str, bytes]
    """The page's attachments, JPEGs among them, by their paths."""
    alive: Collection[str] = ()
    """Paths of pages in the file that have their script: these show a moment."""
    frame = "article.html"
    depth = 1

    def id(self, name: str) -> str:
        """The name with the page's prefix."""
        return self.prefixes[self.path] + name

    def href(self, path: str, anchor: str = "") -> str:
        """The address of a page in the file, or of an element in it; empty: it is not in the file."""
        return f"#{self.prefixes[path]}{anchor or 'top'}" if path in self.prefixes else ""

    def moment(self, path: str, seconds: float, face_id: int) -> str:
        """The address of a moment of a face; of the page, where it is in the file without its script."""
        return self.href(path, f"t={seconds:.3f}&face={face_id}" if path in self.alive else "")

    def image(self, path: str) -> str:
        """The image itself, as a data URL."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.files[path]).decode()}"


def join(environment: Environment, index: Page, sources: Sequence[Page]) -> str:
    """The index and the pages of each source as one document.

    Each source's page is whole as long as there is room, then in part, then left out; the text says how many.
    """
    forms = {forms[0].path: forms for forms in map(_forms, _gathered(sources))}
    room = MOST_BYTES - len(_joined(environment, index, {}, {}).encode()) - ROOM_FOR_LISTS
    chosen: dict[str, str] = {}
    used = {path: len(page_forms) for path, page_forms in forms.items()}
    # Something of every source comes before much of a single one.
    for fullest in (False, True):
        for path, page_forms in forms.items():
            section = Section(path, {index.path: "", path: page_forms[0].prefix}, page_forms[0].attachments)
            for form in range(used[path]) if fullest else (len(page_forms) - 1,):
                html = as_html(environment, page_forms[form], section)
                growth = len(html.encode()) - len(chosen.get(path, "").encode())
                if growth <= room and (path in chosen or not fullest):
                    room -= growth
                    chosen[path], used[path] = html, form
                    break
    prefixes = {path: page_forms[0].prefix for path, page_forms in forms.items() if path in chosen}
    return _joined(
        environment,
        index,
        chosen,
        prefixes,
        alive={path for path, page_forms in forms.items() if path in chosen and _has_moments(page_forms[used[path]])},
        contents=[(f"{prefix}top", forms[path][0].title) for path, prefix in prefixes.items()],
        shortened=sum(used[path] > 0 for path in chosen),
        faces_left_out=sum(_unseen(page_forms, used[path]) for path, page_forms in forms.items()),
        missing=[path for path in forms if path not in chosen],
    )


def _joined(
    environment: Environment,
    index: Page,
    chosen: Mapping[str, str],
    prefixes: Mapping[str, str],
    alive: Collection[str] = (),
    contents: Sequence[tuple[str, str]] = (),
    shortened: int = 0,
    faces_left_out: int = 0,
    missing: Sequence[str] = (),
) -> str:
    """The document; ``chosen`` has the HTML of pages, ``prefixes`` what begins their ids, both by the pages' paths.

    ``alive`` are the paths of those that show moments.
    """
    return environment.get_template("single.html").render(
        page=index,
        place=Section(index.path, {index.path: "", **prefixes}, {}, alive),
        articles=[Markup(html) for html in chosen.values()],  # noqa: S704  laid out by our templates
        contents=contents,
        shortened=shortened,
        faces_left_out=faces_left_out,
        missing=missing,
    )


def _gathered(sources: Sequence[Page]) -> list[Page]:
    """One page per source: the pages of a folder of photos become one that lists all faces."""
    found: list[Page] = []
    for page in sources:
        if isinstance(page, PhotosPage) and page.number > 1:
            first = found.pop()
            assert isinstance(first, PhotosPage)
            page = replace(first, faces=(*first.faces, *page.faces))
        found.append(page)
    return found


def _forms(page: Page) -> list[Page]:
    """The page in forms of decreasing length."""
    if isinstance(page, VideoPage):
        return [page, replace(page, sections=(), script_data=Markup(), thumbnails={})]
    if isinstance(page, PhotosPage):
        bare = tuple(replace(face, thumbnail="") for face in page.faces)
        parts = [page.faces[:MOST_LISTED], page.faces[:MOST_FACES], bare[:MOST_FACES]]
        alone = replace(page, all_pages=())
        forms = (replace(alone, faces=part, script_data=_script_data(page, len(part))) for part in parts)
        return [*forms, replace(alone, faces=bare[:BRIEF_FACES], script_data=Markup())]
    return [page]


def _has_moments(page: Page) -> bool:
    return isinstance(page, VideoPage) and bool(page.script_data)


def _script_data(page: PhotosPage, listed: int) -> Markup:
    """What the script needs to show all faces; a thumbnail is its number among those of the listed faces."""
    numbers = count()
    thumbnails = [next(numbers) if face.thumbnail and at < listed else "" for at, face in enumerate(page.faces)]
    return script_data(0, **page.about, faces={**columns(page.faces), "thumbnail": thumbnails})


def _unseen(forms: Sequence[Page], used: int) -> int:
    """Number of faces in photos that are neither listed nor in the script's data; ``used`` is the form chosen."""
    if used < len(forms) and (not isinstance(page := forms[used], PhotosPage) or page.script_data):
        return 0
    page = forms[-1]
    return page.all_faces - len(page.faces) * (used < len(forms)) if isinstance(page, PhotosPage) else 0
