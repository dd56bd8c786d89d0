"""Pure: a video's curves as JSON with packed numbers, which the page's script reads."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_batch.emotions import EMOTIONS
from fer_batch.report.charts.curve import MOST_BINS, Curve, Marks, binned
from fer_batch.report.charts.draw import EPISODE, EVENT_ROW, LANE, NAME_MARGIN, PAGE_WIDTH, STEPS, event_rows, plot
from fer_batch.report.texts import label

SHARE_STEPS = 10_000
"""A packed share is an integer from 0 to this: as precise as a timeline's four decimals."""


@dataclass(frozen=True)
class ChartedFace:
    """What the script needs of one charted face."""

    face_id: int
    name: str
    curve: Curve
    marks: Marks


def video_data(faces: Sequence[ChartedFace], *, container_start: float) -> str:
    """JSON for a page: the curves of its faces in as many points as their charts have, and the layout of the charts.

    ``container_start``, in seconds, is the container's time of what tables call 0. The text is safe within a <script>
    element. There must be a face.
    """
    first = faces[0]
    value = {
        "unit": first.curve.unit,
        "extent": first.curve.extent,
        "start": container_start,
        "emotions": EMOTIONS,
        "labels": [label(emotion) for emotion in EMOTIONS],
        "plot": plot(first.marks),
        "width": PAGE_WIDTH,
        "event_row": EVENT_ROW,
        "name_margin": NAME_MARGIN,
        "lane": LANE,
        "episode": EPISODE,
        "steps": STEPS,
        "most": MOST_BINS,
        "events": [
            (start, stop, row)
            for (_, start, stop), row in zip(first.marks.events, event_rows(first.marks), strict=True)
        ],
        "faces": [
            {
                "id": face.face_id,
                "name": face.name,
                "curve": packed(binned(face.curve), bounds=True),
                "gaps": face.curve.gaps,
                "poor": face.marks.poor,
                "episodes": face.marks.episodes,
            }
            for face in faces
        ],
    }
    return as_json(value)


def frames_script(faces: Sequence[ChartedFace]) -> str:
    """A script that passes every frame's shares to the page: a page opened as a file can load no other kind of file."""
    return f"ferBatchFrames({as_json({face.face_id: packed(face.curve, bounds=False) for face in faces})});\n"


def is_coarse(curve: Curve) -> bool:
    """Whether a page shows fewer points than the video has frames with the face."""
    return len(curve.starts) > MOST_BINS


def packed(curve: Curve, *, bounds: bool) -> dict[str, str]:
    """The arrays of a curve in base64, little-endian: positions as float64, weights as float32, shares as uint16.

    Shares are in ten-thousandths, (N, 7) row by row. ``bounds``: with the smallest and the largest shares.
    """
    arrays: Mapping[str, np.ndarray] = {
        "starts": curve.starts.astype("<f8"),
        "ends": curve.ends.astype("<f8"),
        "weights": curve.weights.astype("<f4"),
        "joined": curve.joined.astype(np.uint8),
        "means": _counted(curve.means),
        **({"lows": _counted(curve.lows), "highs": _counted(curve.highs)} if bounds else {}),
    }
    return {name: base64.b64encode(array.tobytes()).decode("ascii") for name, array in arrays.items()}


def _counted(shares: np.ndarray) -> np.ndarray:
    counted: np.ndarray = np.rint(shares * SHARE_STEPS).astype("<u2")
    return counted


def as_json(value: Any) -> str:
    """JSON that is safe within a <script> element: without "<"."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
