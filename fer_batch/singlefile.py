"""The whole report in one HTML file that survives e-mail: its pages one below the other."""

import base64
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from jinja2 import Environment
from markupsafe import Markup

from fer_batch.filmpage import FilmPage
from fer_batch.layout import Laid
from fer_batch.photospage import PhotosPage

MOST_BYTES = 5_000_000
"""Of the file: mail servers commonly take attachments of 10 MB, which encoding makes a third larger."""

BRIEF_FACES = 30
"""Faces of a folder of photographs in a page that must be brief."""


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
    missing: int
    """Pages that had no room at all."""


def join(environment: Environment, index: Laid, sources: Sequence[Laid]) -> str:
    """The index and the first page of each source as one document.

    Each page stands whole as long as there is room, then without its courses, then not at all; the text says how many.
    """
    prefixes = {index.path: "", **{one.path: f"p{number}-" for number, one in enumerate(sources, start=1)}}
    whole = [_body(environment, _alone(one)) for one in sources]
    brief = [_body(environment, _alone(_shortened(one))) for one in sources]
    first = index.html(environment)
    room = MOST_BYTES - len(first.encode()) - 100_000  # what the frame and the scripts need
    chosen: dict[str, tuple[str, Laid]] = {}
    for one, html in zip(sources, brief, strict=True):
        if len(html.encode()) <= room:
            room -= len(html.encode())
            chosen[one.path] = (html, one)
    shortened = set(chosen)
    for one, full, small in zip(sources, whole, brief, strict=True):
        more = len(_pictured(full, one).encode()) - len(small.encode())
        if one.path in chosen and more <= room:
            room -= more
            chosen[one.path] = (_pictured(full, one), one)
            shortened.discard(one.path)
    places = {path: prefix for path, prefix in prefixes.items() if path in chosen or path == index.path}
    articles = tuple(
        Article(places[path], Markup(_placed(_lowered(html), path, places)))  # noqa: S704  laid out by our templates
        for path, (html, _) in chosen.items()
    )
    head, main = _cut(first, "<header>", "</header>"), _cut(first, '<main id="main">', "</main>")
    page = SinglePage(
        title=index.page.title,
        version=index.page.version,
        head=Markup(_placed(head, index.path, places)),  # noqa: S704
        main=Markup(_placed(main, index.path, places)),  # noqa: S704
        articles=articles,
        shortened=len(shortened),
        missing=len(sources) - len(chosen),
    )
    return environment.get_template("single.html").render(page=page)


def _alone(one: Laid) -> Laid:
    """The page without what lies beside it."""
    if isinstance(one.page, FilmPage):
        live = Markup(re.sub(r'"finer":"[^"]*"', '"finer":""', one.page.live))  # noqa: S704  still holds no "<"
        return replace(one, page=replace(one.page, film=None, live=live))
    if isinstance(one.page, PhotosPage):
        return replace(one, page=replace(one.page, all_pages=()))
    return one


def _shortened(one: Laid) -> Laid:
    """The page without what takes the most room."""
    if isinstance(one.page, FilmPage):
        return replace(one, page=replace(one.page, sections=(), live=Markup(), pictures={}))
    if isinstance(one.page, PhotosPage):
        faces = tuple(replace(face, picture="") for face in one.page.faces[:BRIEF_FACES])
        return replace(one, page=replace(one.page, faces=faces))
    return one


def _body(environment: Environment, one: Laid) -> str:
    html = one.html(environment)
    head = re.sub(r"<nav.*?</nav>", "", _cut(html, "<header>", "</header>"), count=1, flags=re.DOTALL)
    return head + _cut(html, '<main id="main">', "</main>")


def _cut(html: str, begin: str, end: str) -> str:
    return html.partition(begin)[2].rpartition(end)[0]


def _lowered(html: str) -> str:
    """Headings one level further down: the file has one first heading."""
    return re.sub(r"(</?h)([1-5])\b", lambda match: f"{match[1]}{int(match[2]) + 1}", html)


def _pictured(html: str, one: Laid) -> str:
    """Pictures that lie beside the page, within it."""
    files = {attached.path: attached.content for attached in one.page.attachments}

    def inline(match: re.Match[str]) -> str:
        content = files.get(_target(match[1], one.path))
        return f'src="data:image/jpeg;base64,{base64.b64encode(content).decode()}"' if content else match[0]

    return re.sub(r'(?<=<img )src="([^"]*)"', inline, html)


def _placed(html: str, path: str, places: Mapping[str, str]) -> str:
    """Ids with the page's prefix, and links to pages as links within the file; those to other files become text."""
    prefix = places[path]

    def named(match: re.Match[str]) -> str:
        return f'{match[1]}="{" ".join(prefix + one for one in match[2].split())}"'

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
