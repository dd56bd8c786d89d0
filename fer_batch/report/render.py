"""The report: from the tables of an output folder to HTML pages that need nothing but a browser.

First the data of a page, made of what the tables say; then the page, by a template that only lays out. Pages load
nothing, show no thumbnail, and name no folder outside the output folder.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from fer_batch.options import ReportOptions
from fer_batch.output import folder as outfolder
from fer_batch.output.files import replacing, write_bytes
from fer_batch.output.media_links import find
from fer_batch.report import single_file, thumbnails
from fer_batch.report.layout import PageFile, make_environment
from fer_batch.report.pages.base import INDEX, SourceRow, box_of, page_path, source_row
from fer_batch.report.pages.index import index_page
from fer_batch.report.pages.photos import photos_pages
from fer_batch.report.pages.video import COLUMNS, best_frames, charted_curves, video_page
from fer_batch.report.results import Results
from fer_batch.report.texts import say
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

OURS = ("pages", "assets", "charts")
"""Folders in which only what this report wrote may lie."""

SINGLE_FILE = "report.html"

Tell = Callable[[str], None]


def render(
    folder: Path,
    asked: ReportOptions | None = None,
    media: Mapping[str, Path] | None = None,
    tell: Tell | None = None,
) -> Path:
    """Write index.html, pages/ and what belongs to them from the tables in an output folder.

    What earlier reports left is removed. ``media`` says where videos and folders of photos are, by the source's
    name, for thumbnails of those that do not lie together with the output folder. The same tables give the same bytes.
    ``tell`` is told what was asked for and could not be done. Gives the path of index.html.

    Raises:
        UsageError: the folder is no output folder, or a table that its run.json names is missing or damaged.
        OutputError: a page cannot be written.
    """
    results = Results.read(folder, asked)
    environment = make_environment()
    rows: list[tuple[Kind, SourceRow]] = []
    written: list[Path] = []
    missing: list[int] = []
    for source in results.sources:
        for page_file in source_pages(results, source, media or {}, rows):
            written += _write(environment, page_file, folder)
            missing.append(page_file.page.missing_thumbnails)
    # Last, so that it never links to a page that is not there.
    written += _write(environment, _index(results, rows, missing, tell), folder)
    for name in OURS:
        outfolder.sweep(folder / name, keep=written)
    return folder / INDEX


def render_single_file(
    folder: Path,
    asked: ReportOptions | None = None,
    media: Mapping[str, Path] | None = None,
    tell: Tell | None = None,
) -> Path:
    """Write the whole report as one file of at most :data:`fer_batch.report.single_file.MOST_BYTES`; gives its path.

    Where all does not fit, curves of later videos are left out, and the file says so. Arguments and errors as of
    :func:`render`.
    """
    results = Results.read(folder, asked)
    environment = make_environment()
    rows: list[tuple[Kind, SourceRow]] = []
    page_files: list[PageFile] = []
    for number, source in enumerate(results.sources, start=1):
        page_files.extend(source_pages(results, source, media or {}, rows, f"p{number}-"))
    index = _index(results, rows, [page_file.page.missing_thumbnails for page_file in page_files], tell)
    text = single_file.join(environment, index, page_files)
    with replacing(folder / SINGLE_FILE) as file:
        file.write(text)
    return folder / SINGLE_FILE


def source_pages(
    results: Results,
    source: Mapping[str, Any],
    places: Mapping[str, Path],
    rows: list[tuple[Kind, SourceRow]],
    prefix: str = "",
) -> Iterator[PageFile]:
    """The pages of a video or of a folder of photos; its line for the index is added to ``rows``.

    ``prefix`` begins every id of the pages.
    """
    asked, kind = results.asked, Kind(source["kind"])
    timeline = results.timeline(source, COLUMNS if kind is Kind.VIDEO and not asked.thumbnails else None)
    row = source_row(results, source, timeline)
    rows.append((kind, row))
    media = _place(results, source["name"], places) if asked.thumbnails else None
    if kind is Kind.VIDEO:
        found = charted_curves(results, source, timeline)
        best = best_frames(results, source, timeline) if asked.thumbnails else {}
        faces = thumbnails.of_video(media, best, anonymize=asked.anonymize) if media else {}
        del timeline  # before anything is drawn: of a long video it is the largest thing in memory
        video = video_page(results, source, row, found, faces, prefix)
        yield PageFile("video.html", page_path(source), replace(video, missing_thumbnails=len(best) - len(faces)))
        return
    cut = _cut(media, timeline, asked.anonymize) if media else {}
    missing = int(timeline["success"].sum()) - len(cut) if asked.thumbnails else 0
    for photos_page in photos_pages(results, source, row, timeline, cut, prefix):
        missing_here = missing if photos_page.number == 1 else 0
        yield PageFile("photos.html", photos_page.path, replace(photos_page, missing_thumbnails=missing_here))


def _place(results: Results, name: str, places: Mapping[str, Path]) -> Path | None:
    """Where a video or a folder of photos lies."""
    here = find(results.asked.media, name) if results.asked.media else None
    return here or {**results.media, **places}.get(name)


def _index(results: Results, rows: list[tuple[Kind, SourceRow]], missing: Sequence[int], tell: Tell | None) -> PageFile:
    """The first page; ``missing`` are the thumbnails that each other page lacks."""
    if sum(missing) and tell:
        tell(say("parts.missing_thumbnails", n=sum(missing)))
    return PageFile("index.html", INDEX, replace(index_page(results, rows), missing_thumbnails=sum(missing)))


def _cut(folder: Path, timeline: "pd.DataFrame", blur: bool) -> dict[tuple[str, int], bytes]:
    """A thumbnail for each face of a folder of photos, by the photo's name and face_id."""
    cut: dict[tuple[str, int], bytes] = {}
    for file, rows in timeline[timeline["success"]].groupby("file", sort=False):
        faces = rows.to_dict("records")
        jpegs = thumbnails.of_photo(folder / str(file), [box_of(face) for face in faces], anonymize=blur)
        cut |= {(str(file), int(face["face_id"])): jpeg for face, jpeg in zip(faces, jpegs, strict=False)}
    return cut


def _write(environment: Environment, page_file: PageFile, folder: Path) -> list[Path]:
    """Write a page and its attachments; gives their paths."""
    for attached in page_file.page.attachments:
        write_bytes(folder / attached.path, attached.content)
    with replacing(folder / page_file.path) as file:
        file.write(page_file.html(environment))
    return [folder / page_file.path, *(folder / attached.path for attached in page_file.page.attachments)]
