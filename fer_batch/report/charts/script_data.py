"""Pure: a video's curves and boxes as JSON with packed numbers, which the page's script reads."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.report.charts.curve import MOST_BINS, Curve, Marks, binned, frame_times
from fer_batch.report.charts.draw import STEPS
from fer_batch.report.texts import label

if TYPE_CHECKING:
    import pandas as pd

SHARE_STEPS = 10_000
"""A packed share is an integer from 0 to this: as precise as a timeline's four decimals."""

MISSING = -32768
"""Stands for a packed number that is not known."""

FORMS: Mapping[str, str] = {"raw": "{}", "smooth": "smooth_{}", "change": "change_{}"}
"""The columns of a timeline that a chart can show, by the script's name of them."""

MOST_INLINE = 3000
"""Faces in frames that a page itself holds, about 90 kB; more are in a file beside it."""


@dataclass(frozen=True)
class ChartedFace:
    """What the script needs of one charted face."""

    face_id: int
    curves: Mapping[str, Curve]
    """By the names in FORMS; there is always "raw"."""
    marks: Marks


def forms_of(timeline: "pd.DataFrame") -> dict[str, str]:
    """Those of FORMS that a timeline has."""
    return {kind: form for kind, form in FORMS.items() if form.format(EMOTIONS[0]) in timeline}


def video_data(faces: Sequence[ChartedFace], frames: Mapping[str, Any], **more: Any) -> str:
    """JSON for a page: what its charts show, and every frame with its boxes if they are few.

    ``frames`` are those of :func:`frames_data`, ``more`` is passed on. The text is safe within a <script> element.
    There must be a face.
    """
    first, inline = faces[0], is_inline(frames)
    value = {
        "unit": first.curves["raw"].unit,
        "extent": first.curves["raw"].extent,
        "emotions": EMOTIONS,
        "labels": [label(emotion) for emotion in EMOTIONS],
        "colours": [emotion.colour for emotion in TABLE],
        "steps": STEPS,
        "most": MOST_BINS,
        "kinds": list(first.curves),
        "events": first.marks.events,
        "charted": [
            {
                "id": face.face_id,
                "curves": {} if inline else {kind: packed(binned(curve)) for kind, curve in face.curves.items()},
                "gaps": face.curves["raw"].gaps,
                "poor": face.marks.poor,
                "episodes": face.marks.episodes,
            }
            for face in faces
        ],
        "frames": frames if inline else None,
        **more,
    }
    return as_json(value)


def is_inline(frames: Mapping[str, Any]) -> bool:
    """Whether a page itself holds every frame."""
    return bool(sum(face["rows"] for face in frames["faces"]) <= MOST_INLINE)


def frames_data(timeline: "pd.DataFrame") -> dict[str, Any]:
    """Every frame that was analysed and every face in it, left-out ones included, with numbers packed.

    The frames' ``starts`` and ``ends`` are float64, ``weights`` float32, ``numbers`` uint32. Of each face: ``runs``,
    pairs of the rank of the first of some frames in a row that show it and how many these are; and by row ``boxes``,
    (N, 4) int16 x, y, width and height in pixels of the upright frame, ``left``, (N,) uint8 with 1 where it is left out
    (empty: nowhere), and for each of FORMS (N, 7) int16 shares in ten-thousandths.
    """
    times = frame_times(timeline)
    seen = np.flatnonzero(timeline["success"])
    ids = timeline["face_id"].iloc[seen].to_numpy(dtype=np.int64)
    ranks = np.searchsorted(times.numbers, timeline["frame"].to_numpy(dtype=np.int64)[seen])
    order = np.lexsort((ranks, ids))
    seen, ids, ranks = seen[order], ids[order], ranks[order]
    boxes = np.column_stack(
        [timeline[name].iloc[seen].to_numpy(dtype=np.int64) for name in ("x", "y", "width", "height")]
    )
    shares = {
        kind: _counted(np.column_stack([timeline[form.format(name)].to_numpy(float)[seen] for name in EMOTIONS]))
        for kind, form in forms_of(timeline).items()
    }
    left = (timeline["left_out"] != "").to_numpy()[seen]
    faces = []
    edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)] if len(ids) else []
    for begin, end in pairwise(edges):
        rows = slice(begin, end)
        own = ranks[rows]
        firsts = np.flatnonzero(np.diff(own, prepend=own[0] - 2) != 1)
        lengths = np.diff(firsts, append=len(own))
        faces.append(
            {
                "id": int(ids[begin]),
                "rows": end - begin,
                "runs": np.column_stack((own[firsts], lengths)).ravel().tolist(),
                "boxes": _text(boxes[rows].clip(MISSING + 1, -MISSING - 1).astype("<i2")),
                "left": _text(left[rows].astype(np.uint8)) if left[rows].any() else "",
                **{kind: _text(values[rows]) for kind, values in shares.items()},
            }
        )
    return {
        "starts": _text(times.starts.astype("<f8")),
        "ends": _text(times.ends.astype("<f8")),
        "weights": _text(times.weights.astype("<f4")),
        "numbers": _text(times.numbers.astype("<u4")),
        "faces": faces,
    }


def frames_script(frames: Mapping[str, Any]) -> str:
    """A script that passes every frame to the page: a page opened as a file can load no other kind of file."""
    return f"ferBatchFrames({as_json(frames)});\n"


def packed(curve: Curve) -> dict[str, str]:
    """The arrays of a curve in base64, little-endian: positions as float64, weights as float32, shares as int16.

    Shares, and the smallest and the largest ones, are in ten-thousandths, (N, 7) row by row.
    """
    arrays: Mapping[str, np.ndarray] = {
        "starts": curve.starts.astype("<f8"),
        "ends": curve.ends.astype("<f8"),
        "weights": curve.weights.astype("<f4"),
        "joined": curve.joined.astype(np.uint8),
        "means": _counted(curve.means),
        "lows": _counted(curve.lows),
        "highs": _counted(curve.highs),
    }
    return {name: _text(array) for name, array in arrays.items()}


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _counted(shares: np.ndarray) -> np.ndarray:
    counted: np.ndarray = np.nan_to_num(np.rint(shares * SHARE_STEPS), nan=MISSING).astype("<i2")
    return counted


def as_json(value: Any) -> str:
    """JSON that is safe within a <script> element: without "<"."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
