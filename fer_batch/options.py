"""Every option of an analysis, with its default. The command line reads both from here."""

from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

from fer_batch.emotions import VIEWS
from fer_batch.errors import UsageError

AUTO, TENSORFLOW, OPENVINO = RUNTIMES = ("auto", "tensorflow", "openvino")
"""What can run the model."""


@dataclass(frozen=True)
class Options:
    """How to analyse.

    Raises:
        UsageError: a value is out of its range.
    """

    view: str = VIEWS[0]
    """Which of the model's two answers fills the tables: "fer2013" or "ferplus"."""
    fps: float | None = None
    """Frames a second to look at, at most; None: every frame."""
    start: float | None = None
    """Seconds into each film to begin at."""
    end: float | None = None
    """Seconds into each film to stop before."""
    min_confidence: float = 0.5
    """Lowest detector score of a face in the tables, 0 to 1."""
    min_face: int = 24
    """Lowest height of a face in the tables, in pixels of the upright frame."""
    min_quality: float = 0.0
    """Lowest quality of a face in whatever is summed up, 0 to 1; others stay in the timeline."""
    max_faces: int | None = None
    """Most faces a frame in the tables, surest first; None: all."""
    people: Path | None = None
    """A CSV file that says who the faces are; None: nobody says."""
    events: Path | None = None
    """A CSV file that says what happened when; None: nobody says."""
    baseline: tuple[float, float] | None = None
    """From which second to which each face looked as it ordinarily does; None: no change from that is computed."""
    smooth: float | None = None
    """Seconds over which shares are averaged, in columns of their own and for episodes; None: not at all."""
    episode_enter: float = 0.5
    """Share with which an episode of an expression begins, above 0 and at most 1."""
    episode_leave: float = 0.35
    """Share below which it ends; at most ``episode_enter``."""
    episode_shortest: float = 0.3
    """Shortest episode, in seconds."""
    region: tuple[int, int, int, int] | None = None
    """Left, top, width and height, in pixels of the upright frame, of what is looked at; None: all of it."""
    recursive: bool = True
    """Look into folders within folders."""
    follow_links: bool = True
    """Follow symbolic links to files and folders, each once; an input that the user names is always followed."""
    detect_every: int | None = None
    """Most frames of a film from one look at the whole frame to the next; between them only the surroundings of known
    faces are looked at. 1: every frame is looked at whole; None: about two a second."""
    workers: int | None = None
    """Processes that look at media at the same time; 0: none but the main one; None: one for each core."""
    batch_size: int = 256
    """Faces in one call of the model, at most."""
    model: Path | None = None
    """A model file of one's own; None: the shipped one."""
    runtime: str = AUTO
    """What runs the model: "tensorflow", "openvino", or "auto" for the faster one here."""
    restart: bool = False
    """Look at everything again, whatever an earlier run has left."""
    keep: bool = True
    """Leave the work folder, from which a later run goes on."""

    def __post_init__(self) -> None:
        """Check every range."""
        if self.view not in VIEWS:
            raise UsageError(f"--view must be one of {', '.join(VIEWS)}; got {self.view}.")
        if self.runtime not in RUNTIMES:
            raise UsageError(f"--runtime must be one of {', '.join(RUNTIMES)}; got {self.runtime}.")
        _require(self.fps is None or 0 < self.fps < inf, "--fps must be greater than 0", self.fps)
        _require(self.start is None or 0 <= self.start < inf, "--start must be 0 or more seconds", self.start)
        _require(self.end is None or (self.start or 0) < self.end < inf, "--end must come after --start", self.end)
        _require(0 < self.min_confidence <= 1, "--min-confidence must be above 0 and at most 1", self.min_confidence)
        _require(self.min_face >= 1, "--min-face must be at least 1 pixel", self.min_face)
        _require(0 <= self.min_quality <= 1, "--min-quality must be at least 0 and at most 1", self.min_quality)
        _require(self.max_faces is None or self.max_faces >= 1, "--max-faces must be at least 1", self.max_faces)
        _require(
            self.region is None or (min(self.region[:2]) >= 0 and min(self.region[2:]) >= 1),
            "--region must be x,y,width,height in pixels, the last two at least 1",
            self.region,
        )
        _require(
            self.baseline is None or 0 <= self.baseline[0] < self.baseline[1] < inf,
            "--baseline must be two times in seconds, the first one less, like 0-10",
            self.baseline,
        )
        _require(self.smooth is None or 0 < self.smooth < inf, "--smooth must be greater than 0 seconds", self.smooth)
        _require(0 < self.episode_enter <= 1, "--episode-enter must be above 0 and at most 1", self.episode_enter)
        _require(
            0 < self.episode_leave <= self.episode_enter,
            "--episode-leave must be above 0 and at most --episode-enter",
            self.episode_leave,
        )
        _require(
            0 <= self.episode_shortest < inf, "--episode-shortest must be 0 or more seconds", self.episode_shortest
        )
        _require(
            self.detect_every is None or self.detect_every >= 1, "--detect-every must be at least 1", self.detect_every
        )
        _require(self.workers is None or self.workers >= 0, "--workers must be 0 or more", self.workers)
        _require(self.batch_size >= 1, "--batch-size must be at least 1", self.batch_size)

    def as_json(self) -> dict[str, Any]:
        """The options as JSON holds them; of paths only the file's name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.name if isinstance(value, Path) else value for name, value in values.items()}


@dataclass(frozen=True)
class ReportOptions:
    """What a report holds beyond numbers and their charts.

    Raises:
        UsageError: two of them make no sense together.
    """

    charts: bool = False
    """Save every chart as SVG and PNG too, for papers."""
    thumbnails: bool = False
    """Show pictures of faces, cut from the films and photographs."""
    anonymize: bool = False
    """Blur the faces in thumbnails beyond recognition."""
    media: Path | None = None
    """The folder that films and photographs lie in now; None: where they were in relation to the output folder."""

    def __post_init__(self) -> None:
        """Check that they fit together."""
        if self.anonymize and not self.thumbnails:
            raise UsageError("--anonymize blurs thumbnails: give --thumbnails too. Without it no face is shown at all.")
        if self.media is not None and not self.thumbnails:
            raise UsageError("--media says where to cut thumbnails from: give --thumbnails too.")


def interval(text: str | None) -> tuple[float, float] | None:
    """``0-10`` as two numbers; None stays None.

    Raises:
        UsageError: it is no such text.
    """
    if text is None:
        return None
    try:
        start, stop = (float(part) for part in text.split("-"))
    except ValueError:
        raise UsageError(f"--baseline must be two times in seconds, like 0-10 or 2.5-4; got {text}.") from None
    return start, stop


def rectangle(text: str | None) -> tuple[int, int, int, int] | None:
    """``100,50,640,480`` as four numbers; None stays None.

    Raises:
        UsageError: it is no such text.
    """
    if text is None:
        return None
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--region must be x,y,width,height in whole pixels, like 100,50,640,480; got {text}."
        ) from None
    return x, y, width, height


def _require(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"{rule}; got {value}.")
