"""Pure: from a timeline's rows to numbers about each face."""

from typing import TYPE_CHECKING

import numpy as np

from fer_batch.emotions import EMOTIONS
from fer_batch.types import Kind, Summary

if TYPE_CHECKING:
    import pandas as pd


def summarise(timeline: "pd.DataFrame", file: str, kind: Kind) -> list[Summary]:
    """One Summary a face_id of a film, or one for a folder of photographs with at least one face.

    In a film each row weighs its duration, so that a variable frame rate does not favour the stretches with many
    frames; rows whose duration is unknown weigh nothing, unless none is known.
    """
    seen = timeline[timeline["success"]]
    if kind is Kind.VIDEO:
        tracks: list[int] = sorted(seen["face_id"].unique().tolist())
        return [_summarise(seen[seen["face_id"] == track], file, kind, track) for track in tracks]
    return [_summarise(seen, file, kind, None)] if len(seen) else []


def _summarise(rows: "pd.DataFrame", file: str, kind: Kind, face_id: int | None) -> Summary:
    timed = rows["timestamp"].notna().any()
    durations = rows["duration"].fillna(0.0).to_numpy()
    weights = durations if durations.sum() > 0 else np.ones(len(rows))
    return Summary(
        file=file,
        kind=kind,
        face_id=face_id,
        faces=len(rows),
        first_seen=float(rows["timestamp"].min()) if timed else None,
        last_seen=float((rows["timestamp"] + rows["duration"].fillna(0.0)).max()) if timed else None,
        seconds_visible=float(durations.sum()) if timed else None,
        shares=np.average(rows[list(EMOTIONS)].to_numpy(), axis=0, weights=weights),
    )
