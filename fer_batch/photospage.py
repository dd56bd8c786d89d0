"""What the page of a folder of photographs shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch import words
from fer_batch.emotions import EMOTIONS
from fer_batch.pages import MOST_ROWS, Distribution, Fact, Page, Shares, Tile, common, facts, figures, source_row
from fer_batch.results import Results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PhotoRow:
    """One face in a photograph."""

    file: str
    face_id: int
    confidence: float
    box: tuple[int, int, int, int]
    """x, y, width and height in pixels of the upright photograph."""
    emotion: str
    shares: Shares


@dataclass(frozen=True)
class PhotosPage(Page):
    """One folder of photographs."""

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    distribution: Distribution | None
    faces: tuple[PhotoRow, ...]
    more_faces: int
    """Rows that only the timeline has."""
    without_face: tuple[str, ...]
    more_without_face: int


def photos_page(results: Results, source: Mapping[str, Any], timeline: "pd.DataFrame") -> PhotosPage:
    """All that the page of a folder of photographs shows."""
    row = source_row(results, source, timeline)
    seen = timeline[timeline["success"]]
    faceless = timeline.loc[~timeline["success"], "file"].astype(str).tolist()
    shown = seen.head(MOST_ROWS)
    shares = shown[list(EMOTIONS)].to_numpy(dtype=np.float64).tolist()
    drawing = figures(results, source)
    mean = None
    if row.shares:
        leads = seen["emotion"].value_counts()
        mean = drawing.distribution(
            "shares",
            f"Mean shares of {source['name']}",
            f"Mean over {words.count(row.faces)} faces; each face counts the same.",
            row.shares,
            tuple(int(leads.get(name, 0)) for name in EMOTIONS),
        )
    return PhotosPage(
        **common(results, source),
        attachments=tuple(drawing.attachments),
        tiles=(
            Tile("Photographs read", words.count(row.frames)),
            Tile("With a face", words.count(row.frames_with_face), words.part(row.frames_with_face, row.frames)),
            Tile("Faces", words.count(row.faces)),
        ),
        facts=facts(source.get("facts", {})),
        distribution=mean,
        faces=tuple(
            PhotoRow(
                file=str(one["file"]),
                face_id=int(one["face_id"]),
                confidence=float(one["face_confidence"]),
                box=(int(one["x"]), int(one["y"]), int(one["width"]), int(one["height"])),
                emotion=str(one["emotion"]),
                shares=tuple(share),
            )
            for one, share in zip(shown.to_dict("records"), shares, strict=True)
        ),
        more_faces=len(seen) - len(shown),
        without_face=tuple(faceless[:MOST_ROWS]),
        more_without_face=len(faceless[MOST_ROWS:]),
    )
