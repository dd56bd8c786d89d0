"""What happened when, as events.csv says, in the time of each film.

Times in events.csv are those of one clock. A film that started later than the clock has an offset: the clock's time at
which the film's own begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer_batch.annotations import user_csv
from fer_batch.annotations.targets import Targets
from fer_batch.annotations.user_csv import Line
from fer_batch.media.sources import FoundMedia

REQUIRED = ("file", "label", "start", "stop")
OPTIONAL = ("offset",)


@dataclass(frozen=True)
class Event:
    """A stretch of one film that has a label."""

    line: Line
    file: str
    label: str
    start: float
    """Seconds of the film."""
    stop: float


@dataclass(frozen=True)
class Events:
    """All of events.csv."""

    by_video: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    """Each film's events by their start."""
    offsets: Mapping[str, float] = field(default_factory=dict)

    def of(self, video: str) -> Sequence[Event]:
        """The events of a film."""
        return self.by_video.get(video, ())

    def offset(self, video: str) -> float:
        """Seconds of the clock at which a film's own time begins."""
        return self.offsets.get(video, 0.0)


def read(path: Path, found: FoundMedia) -> Events:
    """Read events.csv. A line without a file is about every film, one without a label gives its film's offset only.

    Raises:
        UsageError: something in it is wrong; the text names the line and says what to do.
    """
    places = Targets(found)
    offsets: dict[str, tuple[float, Line]] = {}
    spoken: list[tuple[Line, Sequence[str]]] = []
    for line in user_csv.read(path, REQUIRED, OPTIONAL):
        videos = _videos(line, places)
        if line.values["offset"]:
            if not line.values["file"]:
                raise line.wrong("an offset belongs to one film. Name it in the column file.")
            offset = line.number_in("offset")
            for video in videos:
                known, where = offsets.setdefault(video, (offset, line))
                if known != offset:
                    raise line.wrong(f"the offset of {video} is {known:g} in line {where.number}. Write the same one.")
        _check(line)
        spoken.append((line, videos))
    told = {video: offset for video, (offset, _) in offsets.items()}
    by_video: dict[str, list[Event]] = {}
    for line, videos in spoken:
        for video in videos if line.values["label"] else ():
            start, stop = (line.number_in(column) - told.get(video, 0.0) for column in ("start", "stop"))
            by_video.setdefault(video, []).append(Event(line, video, line.values["label"], start, stop))
    for events in by_video.values():
        events.sort(key=lambda one: (one.start, one.stop, one.label))
        _refuse_overlaps(events)
    return Events(by_video, told)


def _videos(line: Line, places: Targets) -> Sequence[str]:
    """The films that a line is about."""
    if not line.values["file"]:
        return places.videos
    place = places.of(line)
    if place is not None and place.photo is not None:
        raise line.wrong(f"'{line.values['file']}' is a photograph, and events are of films. Take the line out.")
    return [] if place is None else [place.source]


def _check(line: Line) -> None:
    values = line.values
    if not values["label"]:
        if not values["offset"] or values["start"] or values["stop"]:
            raise line.wrong("label is empty. Write what happens, or take the line out.")
        return
    start, stop = line.number_in("start"), line.number_in("stop")
    if stop <= start:
        raise line.wrong(f"stop ({stop:g}) must come after start ({start:g}). Are the two reversed?")


def _refuse_overlaps(events: Sequence[Event]) -> None:
    last: dict[str, Event] = {}
    for event in events:
        before = last.get(event.label)
        if before is not None and event.start < before.stop:
            first, second = sorted((before.line, event.line), key=lambda line: line.number)
            raise second.wrong(
                f"'{event.label}' overlaps with the one in line {first.number}, in {event.file}. Correct their times, "
                "or give one of them another label."
            )
        last[event.label] = event
