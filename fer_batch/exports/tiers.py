"""Episodes and events of a video as labelled intervals: in order of time, or in tiers in which none overlap."""

import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fer_batch.output.results import Results
from fer_batch.types import Kind

EVENTS = "events"
"""Name of the tier of events."""


@dataclass(frozen=True)
class Interval:
    """A stretch of a video that has a label."""

    who: str
    """Name of the person, or the number of the face; EVENTS for events. A single line."""
    label: str
    """A single line."""
    start: float
    """Seconds of the video, as in the tables."""
    stop: float


@dataclass
class Tier:
    """Intervals in order of time that do not overlap, in whole ticks."""

    name: str
    """Unique in the video."""
    intervals: list[tuple[int, int, str]] = field(default_factory=list)
    """Start, stop and label; each at least a tick long."""


def has_times(source: Mapping[str, Any]) -> bool:
    """Whether a source of run.json is a video whose times are known."""
    return bool(source["kind"] == Kind.VIDEO and source["seconds"] is not None)


def each_video(results: Results, folder: Path, suffix: str) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Each video whose times are known, as run.json describes it, and the path of its file, whose folder is made."""
    for source in filter(has_times, results.sources):
        path = folder / f"{source['output']}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        yield source, path


def episodes(results: Results, source: Mapping[str, Any]) -> list[Interval]:
    """The video's episodes in order of time."""
    rows = results.of_video("episodes.csv", source).sort_values(["start", "stop", "face_id"])
    columns = zip(*(rows[name] for name in ("person", "face_id", "emotion", "start", "stop")), strict=True)
    return [Interval(name_of(person, face_id), one_line(label), *times) for person, face_id, label, *times in columns]


def events(results: Results, source: Mapping[str, Any]) -> list[Interval]:
    """The video's events in order of time, from its beginning on: what lies before that is left out."""
    rows = results.of_video("events.csv", source)
    columns = zip(rows["label"], rows["start"], rows["stop"], strict=True)
    return [Interval(EVENTS, one_line(label), max(start, 0.0), stop) for label, start, stop in columns if stop > 0]


def tiers(results: Results, source: Mapping[str, Any], ticks: int) -> list[Tier]:
    """A tier for each person and each face without a name that the summary has, then the events; ``ticks`` a second.

    What overlaps goes to another tier, such as "Anna (2)": of a person who is two faces at once, or of events.
    """
    summary = results.summary_of(source)
    seen = dict.fromkeys(map(name_of, summary["person"], summary["face_id"]))
    found: dict[str, list[Interval]] = {who: [] for who in seen}
    for episode in episodes(results, source):
        found.setdefault(episode.who, []).append(episode)
    lanes = [lane for who, intervals in found.items() for lane in _lanes(who, intervals, ticks)]
    lanes += _lanes(EVENTS, events(results, source), ticks) if len(results.of_video("events.csv", source)) else []
    names: set[str] = set()
    for lane in lanes:
        lane.name = unique(lane.name, names)
        names.add(lane.name)
    return lanes


def _lanes(name: str, intervals: Iterable[Interval], ticks: int) -> list[Tier]:
    """As few tiers of one name as it takes for none to overlap; at least one."""
    lanes = [Tier(name)]
    stops = [float("-inf")]
    for interval in intervals:
        number = next((number for number, stop in enumerate(stops) if stop <= interval.start), len(lanes))
        if number == len(lanes):
            lanes.append(Tier(name))
            stops.append(float("-inf"))
        lane = lanes[number].intervals
        start = max(round(interval.start * ticks), lane[-1][1] if lane else 0)
        stop = max(round(interval.stop * ticks), start + 1)
        lane.append((start, stop, interval.label))
        stops[number] = interval.stop
    return lanes


def name_of(person: str, face_id: object) -> str:
    """What a face is called: the person's name, or else its number."""
    return one_line(person) or f"face {face_id}"


def numbered(name: str, number: int) -> str:
    """The name of the first of that name, or with a number after it that of another."""
    return name if number == 1 else f"{name} ({number})"


def unique(name: str, taken: Container[str]) -> str:
    """The name, with a number after it if it is taken."""
    return next(other for number in count(1) if (other := numbered(name, number)) not in taken)


def one_line(text: str) -> str:
    """The text with a space for each control character and line break: labels and names of tiers stand in one line.

    Marks of the direction of writing, and joiners, stay.
    """
    return "".join(" " if _is_control(sign) else sign for sign in text).strip()


def _is_control(sign: str) -> bool:
    """Whether it is a control character, a line break, or no character at all, which XML does not allow."""
    return unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} or ord(sign) & 0xFFFE == 0xFFFE
