"""The report: from the tables of an output folder to HTML pages that need nothing but a browser.

First the data of a page, made of what the tables say; then the page, by a template that only lays out. Pages load
nothing, show no picture, and name no folder outside the output folder.
"""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fer_batch import charts, outfolder, tables, words
from fer_batch.emotions import TABLE
from fer_batch.filmpage import film_page
from fer_batch.indexpage import index_page
from fer_batch.options import ReportOptions
from fer_batch.pages import INDEX, Page, SourceRow, page_path, source_row
from fer_batch.photospage import photos_page
from fer_batch.results import Results
from fer_batch.types import Kind

OURS = ("pages", "assets", "charts")
"""Folders in which only what this report wrote may lie."""

SCRIPTS = ("film.js",)
"""The scripts that pages hold, in templates/."""


def render(folder: Path, asked: ReportOptions | None = None) -> Path:
    """Write index.html, pages/ and what belongs to them from the tables in an output folder.

    Gives the path of index.html. What earlier reports left is removed. The same tables give the same bytes.

    Raises:
        UsageError: the folder is no output folder, or a table that its run.json names is missing or damaged.
        OutputError: a page cannot be written.
    """
    results = Results.read(folder, asked)
    environment = _environment()
    rows: list[tuple[Kind, SourceRow]] = []
    written: list[Path] = []
    for source in results.sources:
        timeline = results.timeline(source)
        page: Page
        if source["kind"] == Kind.VIDEO:
            page, template = film_page(results, source, timeline), "film.html"
        else:
            page, template = photos_page(results, source, timeline), "photos.html"
        written += _write(environment, template, page, folder, page_path(source))
        rows.append((Kind(source["kind"]), source_row(results, source, timeline)))
    # Last, so that it never links to a page that is not there.
    written += _write(environment, "index.html", index_page(results, rows), folder, INDEX)
    for ours in OURS:
        outfolder.sweep(folder / ours, keep=written)
    return folder / INDEX


def _environment() -> Environment:
    """Templates beside the package, where the wheel puts them, or else in the checkout."""
    here = Path(__file__).resolve().parent
    loader = FileSystemLoader([here / "templates", here.parent / "templates"])
    environment = Environment(
        loader=loader,
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Read, not included: a script is no template.
    scripts = {name: loader.get_source(environment, name)[0] for name in SCRIPTS}
    environment.globals |= {
        "emotions": TABLE,
        "labels": {emotion.name: emotion.label for emotion in TABLE},
        "scripts": {name: Markup(text) for name, text in scripts.items()},  # noqa: S704  our own
        "policy": Markup(_policy(scripts.values())),  # noqa: S704  no text of others in it
    }
    environment.filters |= {
        "clock": charts.clock,
        "count": words.count,
        "percent": words.percent,
        "seconds": words.seconds,
    }
    return environment


def _policy(scripts: Iterable[str]) -> str:
    """The Content-Security-Policy of every page: our own scripts, and nothing from anywhere but this folder.

    ``blob:`` is a film that the reader chose, ``file:`` one beside the page.
    """
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'unsafe-inline'; img-src 'self' data:; "
        "media-src 'self' file: blob:; base-uri 'none'; form-action 'none'"
    )


def _write(environment: Environment, template: str, page: Page, folder: Path, path: str) -> list[Path]:
    """Write a page and its attachments; gives their paths."""
    for one in page.attachments:
        tables.write_bytes(folder / one.path, one.content)
    with tables.replacing(folder / path) as file:
        file.write(environment.get_template(template).render(page=page))
    return [folder / path, *(folder / one.path for one in page.attachments)]
