"""The Observer XT (.txt): when each emotion and each event starts and stops, in columns for an import profile.

Columns and words are those of the "manual scoring log" that EthoVision XT exports for The Observer XT (help of
EthoVision XT, "Export manually-scored behaviors"): Time, Subject, Behavior, Event type, with semicolons between them.
"""

import csv
from pathlib import Path

from fer_batch.exports.tiers import each_video, tiers
from fer_batch.output.results import Results

TICKS = 1000

COLUMNS = ("Time", "Subject", "Behavior", "Event type")

START, STOP = "State start", "State stop"


def write(results: Results, folder: Path) -> None:
    """Write a .txt file for each video whose times are known; a tier is a subject."""
    for source, path in each_video(results, folder, ".txt"):
        rows = [
            (time, tier.name, label, what)
            for tier in tiers(results, source, TICKS)
            for start, stop, label in tier.intervals
            for time, what in ((start, START), (stop, STOP))
        ]
        rows.sort(key=lambda row: (row[0], row[3] == START))  # what ends makes way for what begins
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(COLUMNS)
            writer.writerows((f"{time / TICKS:.3f}", *texts) for time, *texts in rows)
