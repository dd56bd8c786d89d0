"""Praat (.TextGrid): an interval tier for each person or face, and of events; what lies between them is empty.

Times are seconds with six decimals, as in the tables.
"""

from pathlib import Path

from pympi import Praat

from fer_batch.exports.tiers import Tier, each_video, tiers
from fer_batch.exports.video import end_of
from fer_batch.output.results import Results

TICKS = 1_000_000


def write(results: Results, folder: Path) -> None:
    """Write a .TextGrid file for each video whose times are known."""
    for source, path in each_video(results, folder, ".TextGrid"):
        found = tiers(results, source, TICKS) or [Tier("no face")]
        stops = [stop for tier in found for _, stop, _ in tier.intervals]
        grid = Praat.TextGrid(xmin=0, xmax=max(round(end_of(results, source) * TICKS), *stops, 1) / TICKS)
        for tier in found:
            # pympi doubles quotation marks in intervals, as Praat demands it, but not in names.
            written = grid.add_tier(tier.name.replace('"', '""'))
            for start, stop, label in tier.intervals:
                written.add_interval(start / TICKS, stop / TICKS, label)
        grid.to_file(path)
