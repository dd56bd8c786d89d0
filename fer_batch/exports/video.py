"""What formats need to know of a video: where it is, when it ends, how many frames it has a second."""

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from fer_batch.output.results import Results


def media_link(results: Results, source: Mapping[str, Any], folder: Path) -> str:
    """Path of the video relative to ``folder``, or its name where it is not near the output folder. Never absolute."""
    path = results.media.get(source["name"])
    if path is None:
        return PurePosixPath(source["name"]).name
    relative = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    return relative if relative.startswith(".") else f"./{relative}"


def end_of(results: Results, source: Mapping[str, Any]) -> float:
    """When the last frame of a video that was analysed ends, in seconds."""
    times = results.timeline(source, ("timestamp", "duration")).dropna(subset=["timestamp"])
    return float((times["timestamp"] + times["duration"].fillna(0)).max()) if len(times) else 0.0


RATES = tuple(
    Fraction(rate)
    for rate in (Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 48, 50, Fraction(60000, 1001), 60)
)
"""Frames a second that all video editors, and their formats, know."""


def usual_rate(results: Results, source: Mapping[str, Any]) -> Fraction:
    """That of RATES which is next to the video's, by what was analysed; 25 where that does not tell."""
    measured = frame_rate(results, source) or 25.0
    return min(RATES, key=lambda usual: abs(usual - measured))


def frame_rate(results: Results, source: Mapping[str, Any]) -> float | None:
    """Frames a second: the median over neighbouring frames that were analysed. None: there are not two with times."""
    times = results.timeline(source, ("frame", "timestamp")).dropna().drop_duplicates("frame")
    frames, seconds = np.diff(times["frame"].to_numpy(float)), np.diff(times["timestamp"].to_numpy(float))
    later = seconds > 0
    return float(np.median(frames[later] / seconds[later])) if later.any() else None
