"""OpenFace's CSV: its columns of frames and faces by its names, and the shares of emotions after them.

OpenFace (Baltrusaitis et al. 2018, doi:10.1109/FG.2018.00019) counts frames from 1, and writes a frame without a face
as a row with confidence and success 0. fer-batch has no landmarks, no gaze and no action units: their columns are
missing, rather than empty.
"""

from pathlib import Path

from fer_batch.emotions import EMOTIONS
from fer_batch.exports.tiers import each_video
from fer_batch.output.results import Results

COLUMNS = {"frame": "frame", "face_id": "face_id", "timestamp": "timestamp", "face_confidence": "confidence"}
"""OpenFace's name by ours."""


def write(results: Results, folder: Path) -> None:
    """Write a .csv file for each video whose times are known."""
    for source, path in each_video(results, folder, ".csv"):
        table = results.timeline(source, {*COLUMNS, "success", *EMOTIONS})
        rows = table.rename(columns=COLUMNS)[[*COLUMNS.values(), "success", *EMOTIONS]]
        rows["frame"] += 1
        rows["success"] = rows["success"].astype(int)
        rows[["face_id", "confidence"]] = rows[["face_id", "confidence"]].fillna(0)
        rows.to_csv(path, index=False, lineterminator="\n")
