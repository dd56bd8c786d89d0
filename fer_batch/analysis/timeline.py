"""Pure: a source's timeline as compact arrays: what its table holds, and what everything else is computed from.

The numbers are those of the table, with as many decimals: whoever computes a summary from the table gets the same one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from fer_batch.emotions import EMOTIONS
from fer_batch.types import Reason, TrackedFrame

SECONDS_DECIMALS = 6
SHARE_DECIMALS = 4
"""Of shares, scores and quality."""

ROW = np.dtype(
    [
        ("file", np.int32),  # index into Timeline.texts
        ("damaged", np.bool_),
        ("frame", np.int64),
        ("timestamp", np.float64),  # seconds; NaN: unknown
        ("duration", np.float64),  # seconds; NaN: unknown
        ("face_id", np.int32),  # -1: no face in this frame; then the fields below mean nothing
        ("track", np.int32),  # face_id before people.csv joined tracks; -1: no face
        *((name, np.int32) for name in ("person", "role", "group")),  # indices into Timeline.texts
        ("face_confidence", np.float64),
        ("quality", np.float64),
        ("spurious", np.bool_),
        ("left_out", np.int8),  # index into REASONS
        *((name, np.int32) for name in ("x", "y", "width", "height")),
        ("shares", np.float32, len(EMOTIONS)),  # not rounded
    ],
    align=True,
)
"""One row of a timeline: 120 bytes, which is 54 MB for an hour of video at 25 frames a second with five faces."""

REASONS = (None, Reason.SPURIOUS, Reason.QUALITY)
"""Why a row with a face is not summed up; None: it is, or there is no face."""

_NO_FACE = (-1, -1, 0, 0, 0, nan, nan, False, 0, 0, 0, 0, 0, (nan,) * len(EMOTIONS))


@dataclass(frozen=True)
class Timeline:
    """A row per face per frame, and one row for a frame without a face: N rows in the order of frames."""

    rows: np.ndarray
    """(N,) of ROW."""
    texts: Sequence[str]
    """What the fields ``file``, ``person``, ``role`` and ``group`` index."""

    @classmethod
    def of(cls, tracked_frames: Iterable[TrackedFrame], min_quality: float = 0.0) -> "Timeline":
        """The timeline of these frames, which are read one by one.

        Faces below ``min_quality`` are in it, but not summed up.
        """
        texts = {"": 0}
        rows = np.fromiter(_rows(tracked_frames, texts), ROW)
        rows["left_out"] = left_out(rows, min_quality)
        return cls(rows, tuple(texts))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: slice | np.ndarray) -> "Timeline":
        """Some of the rows."""
        return Timeline(self.rows[chosen], self.texts)

    @property
    def success(self) -> np.ndarray:
        """(N,) bool: whether the row is a face."""
        success: np.ndarray = self.rows["face_id"] >= 0
        return success

    @property
    def counts(self) -> np.ndarray:
        """(N,) bool: whether the row is summed up: a face that is not left out."""
        counts: np.ndarray = self.success & (self.rows["left_out"] == 0)
        return counts

    @property
    def shares(self) -> np.ndarray:
        """(N, 7) float64, rounded as in the table; NaN where there is no face."""
        # A float32 times 10,000 is exact in float64, so that this rounds as the table's text does: half to even.
        shares: np.ndarray = self.rows["shares"].astype(np.float64).round(SHARE_DECIMALS)
        return shares

    @property
    def strongest(self) -> np.ndarray:
        """(N,) int64: position in EMOTIONS of the largest share before rounding; 0 where there is no face."""
        strongest: np.ndarray = self.rows["shares"].argmax(axis=1)
        return strongest

    def text(self, field: str) -> list[str]:
        """The texts of a field that indexes them, row by row."""
        return [self.texts[index] for index in self.rows[field].tolist()]


def left_out(rows: np.ndarray, min_quality: float) -> np.ndarray:
    """(N,) int8: for each of ``rows``, of ROW, the position in REASONS of why it is not summed up.

    This alone decides what is summed up, everywhere. A face that is left out for two reasons has the first of REASONS.
    """
    has_face = rows["face_id"] >= 0
    reasons = np.zeros(len(rows), np.int8)
    reasons[has_face & ~(rows["quality"] >= min_quality)] = REASONS.index(Reason.QUALITY)
    reasons[has_face & rows["spurious"]] = REASONS.index(Reason.SPURIOUS)
    return reasons


def _rows(tracked_frames: Iterable[TrackedFrame], texts: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """Rows with the fields of ROW; nobody has a name yet. Files are added to ``texts``, which numbers them."""
    for tracked in tracked_frames:
        time = tracked.time
        frame = (
            texts.setdefault(time.file, len(texts)),
            time.damaged,
            time.number,
            _rounded(time.seconds, SECONDS_DECIMALS),
            _rounded(time.duration, SECONDS_DECIMALS),
        )
        if not tracked.faces:
            yield (*frame, *_NO_FACE)
        for face in tracked.faces:
            box = face.detection.box
            yield (
                *frame,
                face.face_id,
                face.face_id,
                *(0, 0, 0),
                _rounded(face.detection.confidence, SHARE_DECIMALS),
                _rounded(face.quality, SHARE_DECIMALS),
                face.spurious,
                0,
                *(round(box.x), round(box.y), round(box.width), round(box.height)),
                face.shares,
            )


def _rounded(value: float | None, decimals: int) -> float:
    """The number that the table's text stands for; NaN for None."""
    return nan if value is None else float(f"{value:z.{decimals}f}")
