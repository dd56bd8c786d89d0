"""The whole report in one HTML file that survives e-mail: its pages one below the other."""

import base64
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import unquote, urlsplit

from jinja2 import Environment
from markupsafe import Markup

from fer_batch.report.layout import PageFile
from fer_batch.report.pages.base import href
from fer_batch.report.pages.photos import MOST_FACES, PhotoRow, PhotosPage, columns, live
from fer_batch.report.pages.video import VideoPage

MOST_BYTES = 5_000_000
"""Of the file: mail servers commonly take attachments of 10 MB, which encoding makes a third larger."""

MOST_LISTED = 5000
"""Faces of a folder of photos in one table: more are too many for the file, and slow a browser down."""

BRIEF_FACES = 30
"""Faces of a folder of photos in a page that must be brief."""


@dataclass(frozen=True)
class Article:
    """One page within the file."""

    prefix: str
    """Begins every id that it has."""
    html: Markup


@dataclass(frozen=True)
class SinglePage:
    """What the template of the file lays out."""

    title: str
    version: str
    head: Markup
    main: Markup
    articles: tuple[Article, ...]
    shortened: int
    """Pages of which only a part had room."""
    faces_left_out: int
    """Faces in photos that no page here shows."""
    missing: tuple[str, ...]
    """Pages that had no room at all: where they are in the output folder."""


def join(environment: Environment, index: PageFile, sources: Sequence[PageFile]) -> str:
    """The index and the pages of each source as one document.

    Each source's pages stand whole as long as there is room, then in part, then not at all; the text says how many.
    """
    forms = {forms[0].path: forms for forms in map(_forms, _gathered(sources))}
    prefixes = {index.path: "", **{path: f"p{number}-" for number, path in enumerate(forms, start=1)}}
    first = index.html(environment)
    room = MOST_BYTES - len(first.encode()) - 100_000  # what the frame and the scripts need
    chosen: dict[str, str] = {}
    used = {path: len(page_forms) for path, page_forms in forms.items()}
    # Something of every source comes before much of one.
    for fullest in (False, True):
        for path, page_forms in forms.items():
            for form in range(used[path]) if fullest else (len(page_forms) - 1,):
                html = _with_images(_body(environment, page_forms[form]), page_forms[form])
                growth = len(html.encode()) - len(chosen.get(path, "").encode())
                if growth <= room and (path in chosen or not fullest):
                    room -= growth
                    chosen[path], used[path] = html, form
                    break
    places = {path: prefix for path, prefix in prefixes.items() if path in chosen or path == index.path}
    articles = tuple(
        Article(places[path], Markup(_placed(_lowered(html), path, places)))  # noqa: S704  laid out by our templates
        for path, html in chosen.items()
    )
    head, main = _cut(first, "<header>", "</header>"), _cut(first, '<main id="main">', "</main>")
    page = SinglePage(
        title=index.page.title,
        version=index.page.version,
        head=Markup(_placed(head, index.path, places)),  # noqa: S704
        main=Markup(_placed(main, index.path, places)),  # noqa: S704
        articles=articles,
        shortened=sum(used[path] > 0 for path in chosen),
        faces_left_out=sum(_unseen(page_forms, used[path]) for path, page_forms in forms.items()),
        missing=tuple(path for path in forms if path not in chosen),
    )
    return environment.get_template("single.html").render(page=page)


def _gathered(sources: Sequence[PageFile]) -> list[PageFile]:
    """A page a source: of photos one that lists the faces of all their pages."""
    found: list[PageFile] = []
    for page_file in sources:
        if not isinstance(page_file.page, PhotosPage) or page_file.page.number == 1:
            found.append(page_file)
            continue
        first = found.pop()
        assert isinstance(first.page, PhotosPage)
        moved = (
            replace(face, thumbnail=face.thumbnail and href(first.path, _target(face.thumbnail, page_file.path)))
            for face in page_file.page.faces
        )
        found.append(replace(first, page=replace(first.page, faces=(*first.page.faces, *moved))))
    return found


def _forms(page_file: PageFile) -> list[PageFile]:
    """The page without what lies beside it, and shorter ones, the longest first."""
    page = page_file.page
    if isinstance(page, VideoPage):
        live = Markup(re.sub(r'"finer":"[^"]*"', '"finer":""', page.live))  # noqa: S704  still holds no "<"
        brief = replace(page, video=None, sections=(), live=Markup(), thumbnails={})
        return [replace(page_file, page=replace(page, video=None, live=live)), replace(page_file, page=brief)]
    if isinstance(page, PhotosPage):
        bare = tuple(replace(face, thumbnail="") for face in page.faces)
        parts = [page.faces[:MOST_LISTED], page.faces[:MOST_FACES], bare[:MOST_FACES]]
        forms = [replace(page, all_pages=(), faces=part, live=_live(page.faces, len(part))) for part in parts]
        forms.append(replace(page, all_pages=(), faces=bare[:BRIEF_FACES], live=Markup()))
        return [replace(page_file, page=form) for form in forms]
    return [page_file]


def _live(faces: Sequence[PhotoRow], listed: int) -> Markup:
    """What the script needs to show all faces; thumbnails are those of the faces that are listed, by their order."""
    numbers = count()
    thumbnails = [next(numbers) if face.thumbnail and position < listed else "" for position, face in enumerate(faces)]
    return live(0, faces={**columns(faces), "thumbnail": thumbnails})


def _unseen(forms: Sequence[PageFile], used: int) -> int:
    """Faces of a folder of photos that are neither listed nor in what the script knows."""
    if used < len(forms) and (not isinstance(page := forms[used].page, PhotosPage) or page.live):
        return 0
    page = forms[-1].page
    return page.all_faces - len(page.faces) * (used < len(forms)) if isinstance(page, PhotosPage) else 0


def _body(environment: Environment, page_file: PageFile) -> str:
    html = page_file.html(environment)
    head = re.sub(r"<nav.*?</nav>", "", _cut(html, "<header>", "</header>"), count=1, flags=re.DOTALL)
    return head + _cut(html, '<main id="main">', "</main>")


def _cut(html: str, begin: str, end: str) -> str:
    return html.partition(begin)[2].rpartition(end)[0]


def _lowered(html: str) -> str:
    """Headings one level further down: the file has one first heading."""
    return re.sub(r"(</?h)([1-5])\b", lambda match: f"{match[1]}{int(match[2]) + 1}", html)


def _with_images(html: str, page_file: PageFile) -> str:
    """Pictures that lie beside the page, within it."""
    files = {attached.path: attached.content for attached in page_file.page.attachments}

    def inline(match: re.Match[str]) -> str:
        content = files.get(_target(match[1], page_file.path))
        return f'src="data:image/jpeg;base64,{base64.b64encode(content).decode()}"' if content else match[0]

    return re.sub(r'(?<=<img )src="([^"]*)"', inline, html)


def _placed(html: str, path: str, places: Mapping[str, str]) -> str:
    """Ids with the page's prefix, and links to pages as links within the file; those to other files become text."""
    prefix = places[path]

    def named(match: re.Match[str]) -> str:
        return f'{match[1]}="{" ".join(prefix + name for name in match[2].split())}"'

    def linked(match: re.Match[str]) -> str:
        before, href, after, text = match.groups()
        parts = urlsplit(href)
        if parts.scheme:
            return match[0]
        target = _target(href, path) if parts.path else path
        if target not in places:
            return f"<span>{text}</span>"
        return f'<a{before}href="#{places[target]}{parts.fragment or "top"}"{after}>{text}</a>'

    html = re.sub(r'(?<= )(id|for|aria-labelledby|aria-describedby|data-filters)="([^"]*)"', named, html)
    html = re.sub(r"url\(#", f"url(#{prefix}", html)
    return re.sub(r'<a( [^>]*?|)\s?href="([^"]*)"([^>]*)>(.*?)</a>', linked, html, flags=re.DOTALL)


def _target(href: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(urlsplit(href).path)))
