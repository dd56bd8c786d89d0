"""The report: from the tables of an output folder to HTML pages that need nothing but a browser.

First the data of a page, made of what the tables say; then the page, by a template that only lays out. Pages load
nothing, show no picture, and name no folder outside the output folder.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from fer_batch import charts, outfolder, tables, words
from fer_batch.emotions import TABLE
from fer_batch.pages import INDEX, Page, SourceRow, film_page, index_page, page_path, photos_page, source_row
from fer_batch.results import Results
from fer_batch.types import Kind


def render(folder: Path) -> Path:
    """Write index.html and pages/ from the tables in an output folder; gives the path of index.html.

    Pages of earlier runs are removed. The same tables give the same bytes.

    Raises:
        UsageError: the folder is no output folder, or a table that its run.json names is missing or damaged.
        OutputError: a page cannot be written.
    """
    results = Results.read(folder)
    environment = _environment()
    rows: list[tuple[Kind, SourceRow]] = []
    written = []
    for source in results.sources:
        timeline = results.timeline(source)
        path = folder / page_path(source)
        page: Page
        if source["kind"] == Kind.VIDEO:
            page = film_page(results, source, timeline)
            _write(environment, "film.html", page, path)
        else:
            page = photos_page(results, source, timeline)
            _write(environment, "photos.html", page, path)
        written.append(path)
        rows.append((Kind(source["kind"]), source_row(results, source, timeline)))
    outfolder.sweep(folder / "pages", keep=written)
    # Last, so that it never links to a page that is not there.
    _write(environment, "index.html", index_page(results, rows), folder / INDEX)
    return folder / INDEX


def _environment() -> Environment:
    """Templates beside the package, where the wheel puts them, or else in the checkout."""
    here = Path(__file__).resolve().parent
    environment = Environment(
        loader=FileSystemLoader([here / "templates", here.parent / "templates"]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"emotions": TABLE, "labels": {emotion.name: emotion.label for emotion in TABLE}}
    environment.filters |= {
        "clock": charts.clock,
        "count": words.count,
        "percent": words.percent,
        "seconds": words.seconds,
    }
    return environment


def _write(environment: Environment, template: str, page: Page, path: Path) -> None:
    with tables.replacing(path) as file:
        file.write(environment.get_template(template).render(page=page))
