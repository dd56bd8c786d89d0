"""The report: from the tables of an output folder to HTML pages that need nothing but a browser.

The data of each page is computed from the tables first; then a template lays it out. Pages load nothing from the
internet, show no thumbnail unless asked, and name no absolute path.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from fer_batch.options import ReportOptions
from fer_batch.output import folder as outfolder
from fer_batch.output.files import replacing, write_bytes, write_json
from fer_batch.output.media_links import find
from fer_batch.output.results import Results
from fer_batch.report import single_file, thumbnails
from fer_batch.report.layout import as_html, make_environment
from fer_batch.report.pages.base import INDEX, SHOWN, Page, SourcePage, SourceRow, box_of, page_path, source_row
from fer_batch.report.pages.index import index_page
from fer_batch.report.pages.overview import Moment, OverviewRow, rows_of, strongest
from fer_batch.report.pages.photos import photos_pages
from fer_batch.report.pages.video import VIDEO_COLUMNS, look_at, video_page
from fer_batch.report.texts import say
from fer_batch.types import Box, Kind

if TYPE_CHECKING:
    import pandas as pd

FOLDERS = ("pages", "assets", "charts")
"""Folders of the report within the output folder: files in them that the report did not write are removed."""

SINGLE_FILE = "report.html"

Warn = Callable[[str], None]
Rendered = Callable[[int, int], None]


def render(
    folder: Path,
    report_options: ReportOptions | None = None,
    media: Mapping[str, Path] | None = None,
    warn: Warn | None = None,
    progress: Rendered | None = None,
) -> Path:
    """Write index.html, pages/ and what belongs to them from the tables in an output folder.

    Files of earlier reports are removed. ``media`` has the paths of videos and folders of photos, by the source's name,
    for thumbnails of those that are not near the output folder. ``warn`` is called with a sentence about thumbnails
    that could not be made, ``progress`` with the number of sources that have their pages, and
    of all. The same tables give the same bytes. Returns the path of index.html.

    Raises:
        UsageError: the folder is no output folder, or a table that its run.json names is missing or damaged.
        OutputError: a page cannot be written.
    """
    results = Results.read(folder, report_options)
    environment = make_environment()
    written = [folder / SHOWN]
    shown: dict[str, None] = {}
    for page in _pages(results, media or {}, warn, progress):
        written += _write(environment, page, folder)
        if isinstance(page, SourcePage) and page.media:
            shown[page.title] = None
    write_json(folder / SHOWN, {"shown": list(shown)})
    for name in FOLDERS:
        outfolder.sweep(folder / name, keep=written)
    return folder / INDEX


def render_single_file(
    folder: Path,
    report_options: ReportOptions | None = None,
    media: Mapping[str, Path] | None = None,
    warn: Warn | None = None,
    progress: Rendered | None = None,
) -> Path:
    """Write the whole report as one file of at most :data:`fer_batch.report.single_file.MOST_BYTES`; returns its path.

    Where not everything fits, pages are shortened or left out, and the file says so. Arguments and errors are those of
    :func:`render`.
    """
    *source_pages, index = _pages(Results.read(folder, report_options), media or {}, warn, progress, "p{}-")
    text = single_file.join(make_environment(), index, source_pages)
    with replacing(folder / SINGLE_FILE) as file:
        file.write(text)
    return folder / SINGLE_FILE


def _pages(
    results: Results, media: Mapping[str, Path], warn: Warn | None, progress: Rendered | None, prefix: str = ""
) -> Iterator[Page]:
    """The pages of each source, and the index last, so that it never links to a page that is not written yet.

    ``prefix`` begins every id of a source's pages; the source's number takes the place of its braces.
    """
    rows: list[SourceRow] = []
    overview: list[OverviewRow] = []
    moments = strongest(results)
    pictures: dict[Moment, bytes] = {}
    missing = 0
    for number, source in enumerate(results.sources, start=1):
        of_source = [moment for moment in moments if moment.page == page_path(source)]
        for page in _source_pages(results, source, media, rows, overview, of_source, pictures, prefix.format(number)):
            missing += page.missing_thumbnails
            yield page
        if progress:
            progress(number, len(results.sources))
    if missing and warn:
        warn(say("parts.missing_thumbnails", n=missing))
    yield replace(index_page(results, rows, overview, moments, pictures), missing_thumbnails=missing)


def _source_pages(
    results: Results,
    source: Mapping[str, Any],
    media: Mapping[str, Path],
    rows: list[SourceRow],
    overview: list[OverviewRow],
    moments: Sequence[Moment],
    pictures: dict[Moment, bytes],
    prefix: str,
) -> Iterator[Page]:
    """The pages of a video or of a folder of photos.

    What the index shows of it is added to ``rows``, ``overview`` and, of its ``moments``, ``pictures``.
    """
    report_options, is_video = results.report_options, source["kind"] == Kind.VIDEO
    timeline = results.timeline(source, VIDEO_COLUMNS if is_video else None)
    row = source_row(results, source, timeline)
    rows.append(row)
    overview += rows_of(results, source, timeline)
    path = _media_path(results, source["name"], media) if report_options.thumbnails else None
    if is_video:
        looked = look_at(results, source, timeline)
        best = looked.best if report_options.thumbnails else {}
        faces = _video_thumbnails(path, best, timeline, report_options.anonymize) if path else {}
        if path and moments:
            places = dict(enumerate(_place(moment, timeline) for moment in moments))
            cut = _video_thumbnails(path, places, timeline, report_options.anonymize)
            pictures |= {moments[number]: jpeg for number, jpeg in cut.items()}
        del timeline  # before anything is drawn: of a long video it is the largest thing in memory
        video = video_page(results, source, row, looked, faces, prefix)
        yield replace(video, missing_thumbnails=len(best) - len(faces))
        return
    jpegs = _photo_thumbnails(path, timeline, report_options.anonymize) if path else {}
    missing = int(timeline["success"].sum()) - len(jpegs) if report_options.thumbnails else 0
    for photos_page in photos_pages(results, source, row, timeline, jpegs, prefix):
        yield replace(photos_page, missing_thumbnails=missing if photos_page.number == 1 else 0)


def _place(moment: Moment, timeline: "pd.DataFrame") -> tuple[int, Box]:
    """The number of the frame of a moment, and the face's box there."""
    own = timeline[timeline["success"] & (timeline["face_id"] == moment.face_id)]
    row = own.iloc[int((own["timestamp"] - moment.peak_time).abs().argmin())].to_dict()
    return row["frame"], box_of(row)


def _media_path(results: Results, name: str, media: Mapping[str, Path]) -> Path | None:
    """Path of a video or of a folder of photos; None: it is not known."""
    here = find(results.report_options.media, name) if results.report_options.media else None
    return here or {**results.media, **media}.get(name)


def _video_thumbnails(
    path: Path, best: Mapping[int, tuple[int, Box]], timeline: "pd.DataFrame", blur: bool
) -> dict[int, bytes]:
    """A thumbnail by face_id for each of the ``best`` frames, of a video file or of a folder of frames."""
    if not path.is_dir():
        return thumbnails.of_video(path, best, anonymize=blur)
    names = dict(zip(timeline["frame"], timeline["file"], strict=True))
    cut = {
        face_id: thumbnails.of_photo(path / names[frame], [box], anonymize=blur)
        for face_id, (frame, box) in best.items()
    }
    return {face_id: jpegs[0] for face_id, jpegs in cut.items() if jpegs}


def _photo_thumbnails(folder: Path, timeline: "pd.DataFrame", blur: bool) -> dict[tuple[str, int], bytes]:
    """A thumbnail for each face of a folder of photos, by the photo's name and face_id."""
    jpegs: dict[tuple[str, int], bytes] = {}
    for file, rows in timeline[timeline["success"]].groupby("file", sort=False):
        faces = rows.to_dict("records")
        cut = thumbnails.of_photo(folder / str(file), [box_of(face) for face in faces], anonymize=blur)
        jpegs |= {(str(file), int(face["face_id"])): jpeg for face, jpeg in zip(faces, cut, strict=False)}
    return jpegs


def _write(environment: Environment, page: Page, folder: Path) -> list[Path]:
    """Write a page and its attachments; returns their paths."""
    for path, content in page.attachments.items():
        write_bytes(folder / path, content)
    with replacing(folder / page.path) as file:
        file.write(as_html(environment, page))
    return [folder / path for path in (page.path, *page.attachments)]
