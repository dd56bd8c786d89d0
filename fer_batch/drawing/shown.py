"""Which faces a timeline shows in each frame of a video, those between two sampled frames included."""

from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.drawing.styles import ShownFace
from fer_batch.emotions import EMOTIONS
from fer_batch.output.schema import SMOOTHED
from fer_batch.types import Box, FrameTime

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("frame", "timestamp", "duration", "face_id", "person", "success", "left_out", "x", "y", "width", "height"),
    *EMOTIONS,
    *(column.name for column in SMOOTHED),
)
"""Of a timeline, as far as it has them."""

TOLERANCE_SECONDS = 1e-5
"""Tables have six decimals."""


class Shown:
    """The faces of a timeline by frame; ``name_of`` tells what a face of this person and number is called."""

    def __init__(self, timeline: "pd.DataFrame", name_of: Callable[[str, object], str]) -> None:
        shares = timeline[[f"smooth_{name}" if f"smooth_{name}" in timeline else name for name in EMOTIONS]].to_numpy()
        boxes = timeline[["x", "y", "width", "height"]].to_numpy(np.float64, na_value=np.nan)
        ends = (timeline["timestamp"] + timeline["duration"]).to_numpy()
        columns = (timeline[name].tolist() for name in ("frame", "face_id", "person", "success", "left_out"))
        self._faces: dict[int, dict[object, ShownFace]] = {}
        self._ends: dict[int, float] = {}
        for row, (frame, face_id, person, success, left_out) in enumerate(zip(*columns, strict=True)):
            here = self._faces.setdefault(frame, {})
            self._ends[frame] = ends[row]
            if success:
                summed_up = not left_out and not np.isnan(shares[row]).any()
                box = Box(*boxes[row].tolist())
                here[face_id] = ShownFace(box, name_of(person, face_id), shares[row] if summed_up else None)
        self._sampled = sorted(self._faces)

    def boxes(self, number: int) -> list[Box]:
        """The boxes of the faces of a sampled frame; none for other frames."""
        return [face.box for face in self._faces.get(number, {}).values()]

    def at(self, time: FrameTime) -> list[ShownFace]:
        """The faces of a frame.

        A face is shown as long as its row lasts: until the next sampled frame, and not over a gap between frames. If
        that has the face too, the box moves there evenly.
        """
        at = bisect_right(self._sampled, time.number) - 1
        if at < 0:
            return []
        before = self._sampled[at]
        faces = self._faces[before]
        if before == time.number or not faces:
            return list(faces.values())
        end = self._ends[before]
        if time.seconds is not None and time.seconds + TOLERANCE_SECONDS >= end:
            return []
        after = self._sampled[at + 1] if at + 1 < len(self._sampled) else None
        later = {} if after is None else self._faces[after]
        part = 0.0 if after is None else (time.number - before) / (after - before)
        return [
            ShownFace(between(face.box, later[face_id].box, part), face.name, face.shares) if face_id in later else face
            for face_id, face in faces.items()
        ]


def between(first: Box, second: Box, part: float) -> Box:
    """The box that is ``part`` of the way, 0 to 1, from the first to the second."""
    pairs = ((first.x, second.x), (first.y, second.y), (first.width, second.width), (first.height, second.height))
    return Box(*(a + part * (b - a) for a, b in pairs))
