"""From the data of a page to its HTML, by the templates and scripts in templates/."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fer_batch.emotions import TABLE
from fer_batch.report import formatting
from fer_batch.report.charts.draw import GROUP_LOOKS
from fer_batch.report.formatting import clock
from fer_batch.report.pages.base import MOST_PRINTED, Page, href, leading
from fer_batch.report.texts import TEMPLATES, label, say, section

SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "video.js": ("save.js", "work.js", *(f"video/{part}.js" for part in "data boxes chart links marks page".split())),
    "figures.js": ("save.js", "figures.js"),
    "photos.js": ("save.js", "work.js", "photos.js"),
    "index.js": ("save.js", "address.js", "tables.js", "overview.js"),
}
"""The scripts of pages, and the files in templates/ that each is put together from."""


@dataclass(frozen=True)
class Place:
    """Where a page is laid out, which decides its ids, links and headings; here: a file of its own."""

    path: str
    """Of the page: POSIX, relative to the output folder."""
    frame = "base.html"
    """Template that surrounds the page."""
    depth = 0
    """Levels by which headings are lowered."""

    def id(self, name: str) -> str:
        """The id of an element of the page."""
        return name

    def href(self, path: str, anchor: str = "") -> str:
        """The address of a file of the output folder, or of an element in it; empty: it cannot be reached."""
        return href(self.path, path) + (anchor and f"#{anchor}")

    def moment(self, path: str, seconds: float, face_id: int) -> str:
        """The address of a moment of a face on a video's page."""
        return self.href(path, f"t={seconds:.3f}&face={face_id}")

    def image(self, path: str) -> str:
        """The address of an image of the output folder."""
        return self.href(path)


def as_html(environment: Environment, page: Page, place: Place | None = None) -> str:
    """The page as HTML; ``place`` None: it is a file of its own."""
    return environment.get_template(page.template).render(page=page, place=place or Place(page.path))


@cache  # compiling the templates takes longer than filling them
def make_environment() -> Environment:
    """The Jinja environment of all pages: templates, texts, scripts, filters; not to be changed."""
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader,
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    scripts = {name: script(name) for name in SCRIPTS}
    environment.globals |= {
        "say": say,
        "emotions": TABLE,
        "labels": {emotion.name: label(emotion.name) for emotion in TABLE},
        "colours": {emotion.name: emotion.colour for emotion in TABLE},
        "group_looks": GROUP_LOOKS,
        "most_printed": MOST_PRINTED,
        "scripts": {name: _script(name, text) for name, text in scripts.items()},
        "policy": Markup(_policy(scripts.values())),  # noqa: S704  no text of others in it
    }
    environment.tests["known"] = lambda number: number is not None and isfinite(number)
    environment.filters |= {
        "clock": clock,
        "count": formatting.count,
        "leading": leading,
        "percent": formatting.percent,
        "points": formatting.points,
        "signed": formatting.signed,
        "seconds": formatting.seconds,
        "tenths": formatting.tenths,
    }
    return environment


def script(name: str) -> str:
    """The text of a script: its files one after the other, read as they are and apart from other scripts."""
    parts = (next(path for folder in TEMPLATES if (path := folder / part).is_file()) for part in SCRIPTS[name])
    text = "\n".join(path.read_text(encoding="utf-8") for path in parts)
    return f'"use strict";\n(() => {{\n{text}}})();\n'


def _script(name: str, text: str) -> Markup:
    """A script for a page, after the texts that it shows, as JSON."""
    owners = dict.fromkeys(part.partition("/")[0].removesuffix(".js") for part in SCRIPTS[name])
    texts = {key: said for owner in owners for key, said in section(f"{owner}_script").items()}
    said = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    store = f'<script type="application/json" id="{name.removesuffix(".js")}-texts">{said}</script>\n' if texts else ""
    return Markup(f"{store}<script>{text}</script>")  # noqa: S704  our own


def _policy(scripts: Iterable[str]) -> str:
    """The Content-Security-Policy of every page: our own scripts, and nothing from anywhere but this folder.

    ``blob:`` is a video that the reader chose, ``file:`` a video or photo beside the page.
    """
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'unsafe-inline'; img-src 'self' file: data:; "
        "media-src 'self' file: blob:; base-uri 'none'; form-action 'none'"
    )
