"""Timelines made of arrays, without rounding."""

from collections.abc import Sequence

import numpy as np

from fer_batch.analysis.timeline import ROW, Timeline, left_out


def make_timeline(
    shares: np.ndarray,
    file: str = "film.mp4",
    person: str | Sequence[str] = "",
    min_quality: float = 0.0,
    **fields: object,
) -> Timeline:
    """Rows with ``shares`` (N, 7) and other ``fields`` of ROW, whose quality is 1 unless given."""
    rows = np.zeros(len(shares), ROW)
    rows["shares"], rows["quality"] = shares, 1.0
    texts = sorted({"", file, *np.atleast_1d(person).tolist()})
    rows["file"] = texts.index(file)
    rows["person"] = [texts.index(name) for name in np.broadcast_to(np.array(person, object), len(rows))]
    for name, values in fields.items():
        rows[name] = values
    rows["left_out"] = left_out(rows, min_quality)
    return Timeline(rows, texts)
