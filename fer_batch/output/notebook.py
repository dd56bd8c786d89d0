"""For notebooks: a timeline summed up as summary.csv sums it up."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis.summary import summarize as summarize_source
from fer_batch.analysis.timeline import ROW, Timeline
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.output.csv import read_table, write_summary
from fer_batch.output.schema import CHANGES, SUMMARY
from fer_batch.types import Kind, Source

if TYPE_CHECKING:
    import pandas as pd

LEAD = 1e-6
"""Added to the share of the emotion that the table calls the strongest, which rounding may have made equal to another.
It vanishes when shares are rounded."""


def summarize(
    timeline: "pd.DataFrame", options: Options | None = None, kind: Kind | str | None = None
) -> "pd.DataFrame":
    """What summary.csv says of a timeline: weighted by time, and without what is left out.

    A row for each face_id of a video, one row for photos, with the columns of summary.csv. Photos have no ``file``.

    Args:
        timeline: as :func:`fer_batch.read_timeline` gives it. To leave more out of the numbers, give ``left_out`` a
            reason in these rows, any text.
        options: those of the run decide what an episode is, and the baseline, in seconds of the video.
        kind: video or photos; None: rows without any timestamp are photos.

    Raises:
        KeyError: a column of a timeline is missing.
    """
    options = options or Options()
    if kind is None:
        kind = Kind.VIDEO if timeline["timestamp"].notna().any() else Kind.PHOTOS
    kind = Kind(kind)
    name = str(timeline["file"].iloc[0]) if kind is Kind.VIDEO and len(timeline) else ""
    found, _ = summarize_source(_timeline(timeline), Source(kind, name, (), name), options, Annotations())
    changes = CHANGES if options.baseline else ()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "summary.csv"
        write_summary(path, found.summaries, changes)
        return read_table(path, (*SUMMARY, *changes))


def _timeline(table: "pd.DataFrame") -> Timeline:
    rows = np.zeros(len(table), ROW)
    texts = {"": 0}
    for field in ("file", "person", "role", "group"):
        values = table[field].fillna("").tolist() if field in table else [""] * len(table)
        rows[field] = [texts.setdefault(value, len(texts)) for value in values]
    for field in ("damaged", "spurious"):
        rows[field] = table[field]
    for field in ("timestamp", "duration", "face_confidence", "quality"):
        rows[field] = table[field].to_numpy(np.float64, na_value=np.nan)
    for field in ("frame", "face_id", "x", "y", "width", "height"):
        rows[field] = table[field].fillna(-1).to_numpy(np.int64)
    rows["track"] = rows["face_id"]
    rows["left_out"] = table["left_out"].fillna("") != ""
    strongest = np.stack([table["emotion"].eq(emotion).fillna(value=False) for emotion in EMOTIONS], axis=1)
    rows["shares"] = table[list(EMOTIONS)].to_numpy(np.float64) + LEAD * strongest
    return Timeline(rows, tuple(texts))
