"""What happens when, as events.csv says, in the time of each video.

Times in events.csv are those of one clock. A video that starts later than the clock has an offset: the clock's time at
which the video begins.
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
DESCRIBING = ("seconds",)
"""The video's length, as ``fer-batch events`` writes it. Only users read it."""


@dataclass(frozen=True)
class Event:
    """An interval of one video with a label."""

    line: Line
    file: str
    """The video's name."""
    label: str
    start: float
    """Seconds of the video, as is ``stop``; negative where the event begins before the video."""
    stop: float


@dataclass(frozen=True)
class Events:
    """The content of events.csv."""

    by_video: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    """Each video's events, sorted by their start."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """Each video's offset in seconds; videos without one are missing."""

    def of(self, video: str) -> Sequence[Event]:
        """The events of a video."""
        return self.by_video.get(video, ())

    def offset(self, video: str) -> float:
        """Seconds of the clock at which a video begins; 0 if events.csv does not say."""
        return self.offsets.get(video, 0.0)


def read(path: Path, found: FoundMedia) -> Events:
    """Read events.csv. A line without a file is about every video; a line without a label only gives an offset.

    Raises:
        UsageError: something in it is wrong; the text names the line and says what to do.
    """
    targets = Targets(found)
    offset_lines: dict[str, tuple[float, Line]] = {}
    videos_of_lines: list[tuple[Line, Sequence[str]]] = []
    for line in user_csv.read(path, REQUIRED, (*OPTIONAL, *DESCRIBING)):
        videos = _videos(line, targets)
        if line.values["offset"]:
            if not line.values["file"]:
                raise line.error("an offset is for one video. Name the video in the column file.")
            offset = line.seconds_in("offset")
            for video in videos:
                first, first_line = offset_lines.setdefault(video, (offset, line))
                if first != offset:
                    raise line.error(
                        f"the offset of {video} is {first:g} in line {first_line.number}. Write the same one."
                    )
        _check(line)
        videos_of_lines.append((line, videos))
    offsets = {video: offset for video, (offset, _) in offset_lines.items()}
    by_video: dict[str, list[Event]] = {}
    for line, videos in videos_of_lines:
        for video in videos if line.values["label"] else ():
            start, stop = (line.seconds_in(column) - offsets.get(video, 0.0) for column in ("start", "stop"))
            by_video.setdefault(video, []).append(Event(line, video, line.values["label"], start, stop))
    for events in by_video.values():
        events.sort(key=lambda event: (event.start, event.stop, event.label))
        _refuse_overlaps(events)
    return Events(by_video, offsets)


def _videos(line: Line, targets: Targets) -> Sequence[str]:
    """The videos that a line is about; none if the video cannot be read."""
    if not line.values["file"]:
        return targets.videos
    target = targets.of(line)
    if target is not None and target.photo is not None:
        raise line.error(f"'{line.values['file']}' is a photo, and events are for videos. Take the line out.")
    return [] if target is None else [target.source]


def _check(line: Line) -> None:
    """Refuse a line without a label that is not only there for its offset, and a stop that is not after the start."""
    values = line.values
    if not values["label"]:
        if not values["offset"] or values["start"] or values["stop"]:
            raise line.error("label is empty. Write what happens, or take the line out.")
        return
    start, stop = line.seconds_in("start"), line.seconds_in("stop")
    if stop <= start:
        raise line.error(f"stop ({stop:g}) must come after start ({start:g}). Are the two reversed?")


def _refuse_overlaps(events: Sequence[Event]) -> None:
    """Refuse events of one label that overlap; ``events`` are those of one video, sorted by their start."""
    last: dict[str, Event] = {}
    for event in events:
        before = last.get(event.label)
        if before is not None and event.start < before.stop:
            first, second = sorted((before.line, event.line), key=lambda line: line.number)
            raise second.error(
                f"'{event.label}' overlaps with the one in line {first.number}, in {event.file}. Correct their times, "
                "or give one of them another label."
            )
        last[event.label] = event
