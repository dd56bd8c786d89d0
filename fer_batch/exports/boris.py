"""BORIS: a project with the videos and their coding in it (.boris), and the same as aggregated events (.tsv).

An emotion is a state event, a tier is a subject. Times are whole milliseconds, as BORIS keeps them.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_batch.emotions import NEUTRAL, TABLE
from fer_batch.exports.tiers import Tier, events, has_times, one_line, tiers, unique
from fer_batch.exports.video import end_of, frame_rate, media_link
from fer_batch.output.results import Results

TICKS = 1000

PROJECT = "project.boris"

AGGREGATED = "events.tsv"

PLAYERS = [str(number) for number in range(1, 9)]

COLUMNS = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Coding duration",
    "Media duration (s)",
    "FPS (frame/s)",
    "Subject",
    "Observation duration by subject by observation",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Start (s)",
    "Stop (s)",
    "Duration (s)",
    "Media file name",
    "Image index start",
    "Image index stop",
    "Image file path start",
    "Image file path stop",
    "Comment start",
    "Comment stop",
)
"""Of aggregated events as BORIS 8 exports them."""


def write(results: Results, folder: Path) -> None:
    """Write the project and the table, if there is a video whose times are known."""
    videos = list(filter(has_times, results.sources))
    if not videos:
        return
    categories = {emotion.name: "expression" for index, emotion in enumerate(TABLE) if index != NEUTRAL}
    for source in videos:
        categories |= {event.label: categories.get(event.label, "event") for event in events(results, source)}
    subjects: dict[str, None] = {}
    observations: dict[str, Any] = {}
    with (folder / AGGREGATED).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", delimiter="\t", lineterminator="\n")
        table.writeheader()
        for source in videos:
            found = tiers(results, source, TICKS)
            subjects |= dict.fromkeys(tier.name for tier in found)
            name = unique(one_line(source["name"]), observations)
            observations[name] = _observation(results, source, found, folder)
            table.writerows(_aggregated(name, observations[name], found, categories))
    project = {
        "time_format": "hh:mm:ss",
        "project_date": _date(results),
        "project_name": one_line(results.folder.resolve().name),
        "project_description": f"Episodes and events, exported by fer-batch {results.run['fer_batch']}",
        "project_format_version": "7.0",
        "subjects_conf": _numbered({"key": "", "name": name, "description": ""} for name in subjects),
        "behaviors_conf": _numbered(_behaviour(label, category) for label, category in categories.items()),
        "observations": observations,
        "behavioral_categories": sorted(set(categories.values())),
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    (folder / PROJECT).write_text(json.dumps(project, indent=1), encoding="ascii", newline="\n")


def _observation(results: Results, source: Mapping[str, Any], found: list[Tier], folder: Path) -> dict[str, Any]:
    """A video with its coding: each interval is two events, one that starts the state and one that stops it."""
    link = media_link(results, source, folder)
    coded = [
        [time / TICKS, tier.name, label, "", ""]
        for tier in found
        for start, stop, label in tier.intervals
        for time in (start, stop)
    ]
    return {
        "file": {player: [link] if player == "1" else [] for player in PLAYERS},
        "type": "MEDIA",
        "date": _date(results),
        "description": "",
        "time offset": 0.0,
        "events": sorted(coded, key=lambda event: event[0]),
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "media_creation_date_as_offset": False,
        "media_scan_sampling_duration": 0,
        "image_display_duration": 1,
        "close_behaviors_between_videos": False,
        "media_info": {
            "length": {link: round(end_of(results, source), 6)},
            "fps": {link: round(frame_rate(results, source) or 0.0, 3)},
            "hasVideo": {link: True},
            "hasAudio": {link: False},
            "offset": {"1": 0.0},
        },
    }


def _aggregated(
    name: str, observation: Mapping[str, Any], found: list[Tier], categories: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each interval, in order of time."""
    ((link, length),) = observation["media_info"]["length"].items()
    common = {
        "Observation id": name,
        "Observation date": observation["date"].replace("T", " "),
        "Observation type": "Media file(s)",
        "Source": f"player #1:{one_line(link)}",
        "Time offset (s)": 0,
        "Coding duration": f"{length:.3f}",
        "Media duration (s)": f"{length:.3f}",
        "FPS (frame/s)": observation["media_info"]["fps"][link],
        "Media file name": one_line(link),
        "Behavior type": "STATE",
    }
    rows = [(start, stop, tier.name, label) for tier in found for start, stop, label in tier.intervals]
    return [
        common
        | {
            "Subject": subject,
            "Observation duration by subject by observation": f"{length:.3f}",
            "Behavior": label,
            "Behavioral category": categories.get(label, ""),
            "Start (s)": f"{start / TICKS:.3f}",
            "Stop (s)": f"{stop / TICKS:.3f}",
            "Duration (s)": f"{(stop - start) / TICKS:.3f}",
        }
        for start, stop, subject, label in sorted(rows)
    ]


def _behaviour(code: str, category: str) -> dict[str, Any]:
    colours = {emotion.name: emotion.colour for emotion in TABLE}
    return {
        "type": "State event",
        "key": "",
        "code": code,
        "description": "",
        "color": colours.get(code, ""),
        "category": category,
        "modifiers": {},
        "excluded": "",
        "coding map": "",
    }


def _numbered(items: Any) -> dict[str, Any]:
    return {str(number): item for number, item in enumerate(items)}


def _date(results: Results) -> str:
    """When the run ended, without its zone, as BORIS writes dates."""
    return str(results.run["finished"])[:19]
