"""The pages of a folder of photos, each with MOST_FACES faces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from fer_batch.emotions import EMOTIONS
from fer_batch.output.results import Results, summed_up
from fer_batch.report import formatting
from fer_batch.report.charts.script_data import as_json
from fer_batch.report.pages import base
from fer_batch.report.pages.base import MOST_ROWS, ChartMaker, Distribution, Shares, SourcePage, SourceRow, counted
from fer_batch.report.texts import say

if TYPE_CHECKING:
    import pandas as pd

MOST_FACES = 200
"""Faces on one page."""


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One face in a photo."""

    file: str
    face_id: int
    confidence: float
    box: tuple[int, int, int, int]
    """x, y, width and height in pixels of the upright photo."""
    emotion: str
    shares: Shares
    person: str
    """Who it is, as people.csv says; empty: it does not say."""
    thumbnail: str
    """Path of its thumbnail, relative to the output folder; empty: it has none."""


@dataclass(frozen=True)
class PhotosPage(SourcePage):
    """A folder of photos: its first page, or one of those that list more faces and hold little else."""

    template = "photos.html"
    distribution: Distribution | None
    """Of all faces together; None: there is no face, or this is not the first page."""
    number: int
    """From 1."""
    all_pages: tuple[str, ...]
    """Paths of the folder's pages, this one included."""
    timeline: str
    """Path of its table."""
    faces: tuple[PhotoRow, ...]
    first_face: int
    """Number of the first of them among all, from 1."""
    all_faces: int
    without_face: tuple[str, ...]
    more_without_face: int
    faces_path: str
    """Path of the script with every face."""
    about: Mapping[str, Any]
    """What the script needs to know beside the faces."""
    script_data: Markup
    """JSON for the page's script."""


def photos_pages(
    results: Results,
    source: Mapping[str, Any],
    row: SourceRow,
    timeline: "pd.DataFrame",
    thumbnails: Mapping[tuple[str, int], bytes],
    prefix: str,
) -> Iterator[PhotosPage]:
    """The pages of a folder; ``thumbnails`` are JPEGs by the photo's name and face_id."""
    seen = timeline[summed_up(timeline)]
    faceless = timeline.loc[~timeline["success"], "file"]
    folder = f"assets/{source['output']}"
    charts = ChartMaker(f"charts/{source['output']}", prefix, results.report_options.charts)
    mean = None
    if row.shares:
        leads = seen["emotion"].value_counts()
        mean = charts.distribution(
            "shares",
            say("photos.shares_of", folder=source["name"]),
            say("photos.basis", faces=say("counts.faces", n=row.faces)),
            row.shares,
            tuple(int(leads.get(name, 0)) for name in EMOTIONS),
        )
    places = ((str(file), int(face)) for file, face in seen[["file", "face_id"]].itertuples(index=False))
    cut = {place: f"{folder}/{number}.jpg" for number, place in enumerate(places) if place in thumbnails}
    parts = [seen[position : position + MOST_FACES] for position in range(0, len(seen), MOST_FACES)] or [seen]
    paths = (row.page, *(f"{folder}/page-{number}.html" for number in range(2, len(parts) + 1)))
    faces_path = f"{folder}/faces.js"
    first: dict[str, Any] = {
        "attachments": {
            **charts.attachments,
            faces_path: _script(_rows(part, cut) for part in parts).encode(),
            **{path: thumbnails[place] for place, path in cut.items()},
        },
        "distribution": mean,
        "tiles": (
            counted(say("photos.read"), row.frames),
            counted(say("photos.with_face"), row.frames_with_face, formatting.part(row.frames_with_face, row.frames)),
            counted(say("page.faces"), row.faces),
            *base.left_out_tile([row]),
        ),
    }
    later: dict[str, Any] = {"facts": (), "tiles": (), "distribution": None, "attachments": {}}
    media = results.media.get(source["name"])
    blurred = results.report_options.anonymize
    about = base.for_naming(results, source)
    for number, (path, part) in enumerate(zip(paths, parts, strict=True), start=1):
        yield PhotosPage(
            **base.common(results, source, prefix) | (first if number == 1 else later) | {"path": path},
            number=number,
            all_pages=paths,
            faces=tuple(_rows(part, cut)),
            first_face=(number - 1) * MOST_FACES + 1,
            all_faces=len(seen),
            without_face=tuple(map(str, faceless[:MOST_ROWS])) if number == 1 else (),
            more_without_face=len(faceless[MOST_ROWS:]),
            timeline=source["timeline"],
            faces_path=faces_path,
            media=media.relative_to(results.folder).as_posix() if media and media.is_dir() and not blurred else "",
            about=about,
            script_data=script_data((number - 1) * MOST_FACES, **about),
        )


def _rows(part: "pd.DataFrame", cut: Mapping[tuple[str, int], str]) -> list[PhotoRow]:
    """The faces of a part of a timeline; ``cut`` has the paths of thumbnails by the photo's name and face_id."""
    return [
        PhotoRow(
            file=record["file"],
            face_id=record["face_id"],
            confidence=record["face_confidence"],
            box=(record["x"], record["y"], record["width"], record["height"]),
            emotion=record["emotion"],
            shares=base.shares_of(record, EMOTIONS),
            person=record["person"],
            thumbnail=cut.get((record["file"], record["face_id"]), ""),
        )
        for record in part.to_dict("records")
    ]


def script_data(first: int, **more: Any) -> Markup:
    """JSON for a page's script; ``first`` is the number of faces on the pages before."""
    return Markup(as_json({"most": MOST_FACES, "first": first, **more}))  # noqa: S704  holds no "<"


def columns(rows: Sequence[PhotoRow]) -> dict[str, list[Any]]:
    """All faces as the page's script reads them, one array per column, without thumbnails."""
    shares = np.rint(np.array([row.shares for row in rows]).reshape(-1, len(EMOTIONS)) * 1000).astype(int)
    return {
        "file": [row.file for row in rows],
        "face": [row.face_id for row in rows],
        "confidence": [round(row.confidence, 4) for row in rows],
        "box": [row.box for row in rows],
        "person": [row.person for row in rows],
        "shares": shares.tolist(),
    }


def _script(parts: Iterable[Sequence[PhotoRow]]) -> str:
    """A script that passes every face of the folder to the page; addresses of thumbnails are relative to assets/.

    It is built as text, part by part: objects of all faces would take ten times as much memory.
    """
    texts: dict[str, list[str]] = {}
    for rows in parts:
        attached = [base.href("assets/x", row.thumbnail) if row.thumbnail else "" for row in rows]
        for name, values in {**columns(rows), "thumbnail": attached}.items():
            texts.setdefault(name, []).append(as_json(values)[1:-1])
    every = ",".join(f'"{name}":[{",".join(column)}]' for name, column in texts.items())
    return f"ferBatchFaces({{{every}}});\n"
