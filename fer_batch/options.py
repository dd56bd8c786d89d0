"""Every option of an analysis and of a report: its name, type, default, range and help text.

The command line makes its options of the fields of :class:`Options` and :class:`ReportOptions`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from fer_batch.emotions import EMOTIONS, TABLE_VIEWS
from fer_batch.errors import UsageError

DEFAULT_MIN_FACE = 24
"""Lowest height of a face in pixels where the user gives none."""

AUTO, TENSORFLOW, OPENVINO = RUNTIMES = ("auto", "tensorflow", "openvino")
"""What can run the model; "auto" is the faster one on this machine."""

PROCESSES, RAY = ENGINES = ("processes", "ray")
"""Where the work is done: in processes of this machine, or in a cluster."""


BOX, BAR, PLAIN = STYLES = ("box", "bar", "plain")
"""What is drawn for a face: its box and leading emotion, its box and a bar for each emotion, its box alone."""

BLUR, PIXELATE, COVER = WAYS = ("blur", "pixelate", "cover")
"""How a face is hidden."""


@dataclass(frozen=True)
class CliOption:
    """What the command line needs to know of an option beside its name, type and default."""

    help: str
    metavar: str | None = None
    """Stands for the value in the help; None: the name of the type."""
    exists: Literal["file", "folder"] | None = None
    """What a path must lead to."""
    negatable: bool = False
    """Whether there is ``--no-NAME`` beside ``--NAME``."""
    parse: Callable[[str | None], Any] | None = None
    """Makes the value of the text that is given; None: the type is enough."""


def interval(text: str | None) -> tuple[float, float] | None:
    """``0-10`` as two numbers; None stays None.

    Raises:
        UsageError: the text is not two numbers with a hyphen between them.
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
        UsageError: the text is not four whole numbers with commas between them.
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


def part(text: str | None) -> tuple[int, int] | None:
    """``3/16`` as two numbers; None stays None.

    Raises:
        UsageError: the text is not two whole numbers with a slash between them.
    """
    if text is None:
        return None
    try:
        number, of = (int(one) for one in text.split("/"))
    except ValueError:
        raise UsageError(f"--shard must be two whole numbers, like 3/16; got {text}.") from None
    return number, of


def emotion_names(text: str | None) -> tuple[str, ...] | None:
    """``happiness,anger`` as names, in the order of EMOTIONS; None stays None.

    Raises:
        UsageError: one of them is no emotion.
    """
    if text is None:
        return None
    given = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in given if name not in EMOTIONS]
    if unknown or not given:
        raise UsageError(f"--emotions must be some of {', '.join(EMOTIONS)}; got {text}.")
    return tuple(name for name in EMOTIONS if name in given)


GROUPS: Mapping[str, Sequence[str]] = {
    "What is analysed": "fps start end region cropped as_video recursive follow_links detect_every shard".split(),
    "Which faces count": "min_confidence min_face min_quality max_faces".split(),
    "What the numbers mean": (
        "view people events baseline smooth episode_enter episode_leave episode_shortest episode_gap".split()
    ),
    "How it runs": "workers engine ray_address batch_size model runtime replace restart keep".split(),
    "What comes out": "parquet title thumbnails anonymize media charts".split(),
}
"""The options by their subject, as the help shows them."""


@dataclass(frozen=True)
class Options:
    """How to analyse. The help texts say what each option means; what they leave out stands below the option.

    Raises:
        UsageError: a value is out of its range.
    """

    fps: Annotated[float | None, CliOption("Frames per second to analyse, at most; default: all.")] = None
    start: Annotated[float | None, CliOption("Begin so many seconds into each video.")] = None
    end: Annotated[float | None, CliOption("Stop before this second of each video.")] = None
    region: Annotated[
        tuple[int, int, int, int] | None,
        CliOption("Analyse only this rectangle, in pixels of the upright image.", metavar="X,Y,W,H", parse=rectangle),
    ] = None
    """Left, top, width and height."""
    as_video: Annotated[
        float | None, CliOption("Take each folder of photos as a video of so many frames per second.", metavar="FPS")
    ] = None
    """The photos are its frames, in the natural order of their names."""
    cropped: Annotated[bool, CliOption("Take each photo as one face that is cut out already; search for none.")] = False
    """Photos that are the frames of a video, too. ``min_confidence`` and ``min_face`` do not apply to such faces."""
    recursive: Annotated[bool, CliOption("Look into folders within folders.", negatable=True)] = True
    follow_links: Annotated[bool, CliOption("Follow symbolic links, wherever they lead.", negatable=True)] = True
    """Each target once. An input that the user names is always followed."""
    detect_every: Annotated[
        int | None,
        CliOption("Most frames of a video from one whole-frame detection to the next; default: half a second's."),
    ] = None
    """In the frames between, only the surroundings of known faces are scanned."""
    shard: Annotated[
        tuple[int, int] | None,
        CliOption("Analyse only this one of so many parts, about as large; see: merge.", metavar="N/OF", parse=part),
    ] = None
    """Which one, from 1; and how many there are."""
    min_confidence: Annotated[float, CliOption("Lowest detector score of a face, 0 to 1.")] = 0.5
    min_face: Annotated[
        int | None,
        CliOption(
            "Lowest height of a face, in pixels; frames are searched as finely as it needs. Default: 24, if seen."
        ),
    ] = None
    """Of the upright frame. None: DEFAULT_MIN_FACE, as far as such faces are seen in frames that are shrunk to be
    searched fast."""
    min_quality: Annotated[
        float, CliOption("Lowest quality of a face in the summaries, 0 to 1; timelines keep all.")
    ] = 0.0
    max_faces: Annotated[int | None, CliOption("Most faces per frame, highest score first; default: all.")] = None
    view: Annotated[
        str,
        CliOption(
            "fer2013: belief in each of the data set's labels; ferplus: expected share of human raters; "
            "combined: their weighted mean.",
            metavar="|".join(TABLE_VIEWS),
        ),
    ] = TABLE_VIEWS[0]
    people: Annotated[
        Path | None, CliOption("CSV that says who is who: file, face_id, person, role, group.", exists="file")
    ] = None
    events: Annotated[
        Path | None, CliOption("CSV that says what happens when: file, label, start, stop, offset.", exists="file")
    ] = None
    baseline: Annotated[
        tuple[float, float] | None,
        CliOption(
            "Seconds in which faces look as usual: changes from that are added.", metavar="START-STOP", parse=interval
        ),
    ] = None
    smooth: Annotated[
        float | None, CliOption("Average shares over so many seconds, in columns beside the raw ones and for episodes.")
    ] = None
    episode_enter: Annotated[float, CliOption("Share with which an episode of an expression begins.")] = 0.5
    episode_leave: Annotated[float, CliOption("Share below which it ends.")] = 0.35
    """At most ``episode_enter``."""
    episode_shortest: Annotated[float, CliOption("Shortest episode, in seconds.")] = 0.3
    episode_gap: Annotated[float, CliOption("Longest interruption that does not end it, in seconds.")] = 0.3
    workers: Annotated[
        int | None, CliOption("Processes that read media; default: one for each core; 0: none beside the main process.")
    ] = None
    engine: Annotated[
        str, CliOption("Where the work is done: on this machine, or in a Ray cluster.", metavar="|".join(ENGINES))
    ] = PROCESSES
    ray_address: Annotated[
        str | None, CliOption("HOST:PORT of a Ray cluster, or auto; default: a new one on this machine.")
    ] = None
    batch_size: Annotated[int, CliOption("Faces in one call of the model.")] = 256
    """At most."""
    model: Annotated[Path | None, CliOption("A model of your own (.keras).", exists="file")] = None
    """None: the shipped one."""
    runtime: Annotated[str, CliOption(f"What runs the model: {', '.join(RUNTIMES)}.", metavar="NAME")] = AUTO
    parquet: Annotated[
        bool, CliOption("Write the timelines as timelines.parquet, too: one table, a file for each source.")
    ] = False
    replace: Annotated[
        bool, CliOption("Remove earlier results of what is not among the inputs; default: keep them.")
    ] = False
    restart: Annotated[bool, CliOption("Analyse everything again.")] = False
    keep: Annotated[bool, CliOption("Keep the work folder, from which a later run continues.", negatable=True)] = True

    def __post_init__(self) -> None:
        """Check every range."""
        if self.view not in TABLE_VIEWS:
            raise UsageError(f"--view must be one of {', '.join(TABLE_VIEWS)}; got {self.view}.")
        if self.runtime not in RUNTIMES:
            raise UsageError(f"--runtime must be one of {', '.join(RUNTIMES)}; got {self.runtime}.")
        _require(self.fps is None or 0 < self.fps < inf, "--fps must be greater than 0", self.fps)
        _require(self.start is None or 0 <= self.start < inf, "--start must be 0 or more seconds", self.start)
        after = "greater than 0 seconds" if self.start is None else f"greater than --start, {self.start:g}"
        _require(self.end is None or (self.start or 0) < self.end < inf, f"--end must be {after}", self.end)
        _require(0 < self.min_confidence <= 1, "--min-confidence must be above 0 and at most 1", self.min_confidence)
        _require(self.min_face is None or self.min_face >= 1, "--min-face must be at least 1 pixel", self.min_face)
        _require(0 <= self.min_quality <= 1, "--min-quality must be at least 0 and at most 1", self.min_quality)
        _require(self.max_faces is None or self.max_faces >= 1, "--max-faces must be at least 1", self.max_faces)
        _require(
            self.region is None or (min(self.region[:2]) >= 0 and min(self.region[2:]) >= 1),
            "--region must be x,y,width,height in pixels, the last two at least 1",
            self.region,
        )
        _require(
            self.region is None or not self.cropped,
            "--region must be left out with --cropped, which takes whole photos",
            self.region,
        )
        _require(self.as_video is None or 0 < self.as_video < inf, "--as-video must be greater than 0", self.as_video)
        _require(
            self.baseline is None or 0 <= self.baseline[0] < self.baseline[1] < inf,
            "--baseline must be two times in seconds, the first one less, like 0-10",
            self.baseline,
            "-",
        )
        _require(self.smooth is None or 0 < self.smooth < inf, "--smooth must be greater than 0 seconds", self.smooth)
        _require(0 < self.episode_enter <= 1, "--episode-enter must be above 0 and at most 1", self.episode_enter)
        if self.episode_enter < self.episode_leave == type(self).episode_leave:
            raise UsageError(
                f"--episode-leave is {self.episode_leave:g} if it is not given: with --episode-enter "
                f"{self.episode_enter:g}, give --episode-leave too, of at most {self.episode_enter:g}."
            )
        _require(
            0 < self.episode_leave <= self.episode_enter,
            f"--episode-leave must be above 0 and at most --episode-enter, {self.episode_enter:g}",
            self.episode_leave,
        )
        _require(
            0 <= self.episode_shortest < inf, "--episode-shortest must be 0 or more seconds", self.episode_shortest
        )
        _require(0 <= self.episode_gap < inf, "--episode-gap must be 0 or more seconds", self.episode_gap)
        _require(
            self.detect_every is None or self.detect_every >= 1, "--detect-every must be at least 1", self.detect_every
        )
        _require(
            self.shard is None or 1 <= self.shard[0] <= self.shard[1],
            "--shard must be N/OF, with N from 1 to OF, like 3/16",
            self.shard,
            "/",
        )
        if self.engine not in ENGINES:
            raise UsageError(f"--engine must be one of {', '.join(ENGINES)}; got {self.engine}.")
        _require(
            self.ray_address is None or self.engine == RAY,
            "--ray-address must be left out without --engine ray",
            self.ray_address,
        )
        _require(self.workers is None or self.workers >= 0, "--workers must be 0 or more", self.workers)
        _require(self.batch_size >= 1, "--batch-size must be at least 1", self.batch_size)

    @property
    def deciding(self) -> dict[str, Any]:
        """Those that decide the numbers, as :meth:`as_json` gives them."""
        return {name: value for name, value in self.as_json().items() if name not in _NOT_DECIDING}

    @property
    def numbering(self) -> str:
        """Those that decide which face has which number, as people.csv names them: ``fps=10 min_face=40``."""
        return numbering(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The options as JSON holds them; of paths only the file's name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.name if isinstance(value, Path) else value for name, value in values.items()}


def numbering(options: Mapping[str, Any]) -> str:
    """:attr:`Options.numbering` of options as JSON holds them; ``default`` where all have their defaults."""
    defaults = Options().as_json()
    chosen = {name: options.get(name, defaults[name]) for name in _NUMBERING}
    return " ".join(f"{name}={_text(value)}" for name, value in chosen.items() if value != defaults[name]) or "default"


def _text(value: Any, between: str = ",") -> str:
    """A value in few characters, as on the command line."""
    if isinstance(value, list | tuple):
        return between.join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


_NUMBERING = (
    *("fps", "start", "end", "min_confidence", "min_face", "max_faces", "region", "as_video", "cropped"),
    "detect_every",
)
"""Options that decide which faces there are, and so their numbers."""

_NOT_DECIDING = frozenset(
    ("recursive follow_links shard workers engine ray_address batch_size runtime parquet replace restart keep").split()
)
"""Options that choose the inputs, or how the work is done."""


@dataclass(frozen=True)
class ReportOptions:
    """What a report holds beyond numbers and their charts.

    Raises:
        UsageError: two of them contradict each other.
    """

    title: Annotated[str | None, CliOption("Title of the report; default: the output folder's name.")] = None
    thumbnails: Annotated[bool, CliOption("Show images of faces in the report; default: none.", negatable=True)] = False
    anonymize: Annotated[bool, CliOption("Blur the faces in thumbnails beyond recognition.")] = False
    media: Annotated[
        Path | None, CliOption("For thumbnails: the folder that videos and photos are in now.", exists="folder")
    ] = None
    """None: where they were in relation to the output folder."""
    charts: Annotated[bool, CliOption("Save every chart as SVG and PNG too, for papers.")] = False

    def __post_init__(self) -> None:
        """Check that they fit together."""
        if self.anonymize and not self.thumbnails:
            raise UsageError("--anonymize blurs thumbnails: give --thumbnails too. Without it no face is shown at all.")
        if self.media is not None and not self.thumbnails:
            raise UsageError("--media says where to cut thumbnails from: give --thumbnails too.")


@dataclass(frozen=True)
class AnnotateOptions:
    """What is drawn into videos and photos, or hidden in them, and how they are encoded.

    Raises:
        UsageError: a value is out of its range, or two of them contradict each other.
    """

    style: Annotated[
        str | None,
        CliOption(
            "Draw box: box and leading emotion; bar: box and a bar for each emotion; plain: box and name. "
            "Default: box, with --anonymize nothing.",
            metavar="|".join(STYLES),
        ),
    ] = None
    emotions: Annotated[
        tuple[str, ...] | None,
        CliOption("Which bars to draw; default: all.", metavar="NAME[,NAME...]", parse=emotion_names),
    ] = None
    anonymize: Annotated[
        str | None,
        CliOption("Hide every face in every frame, and take over no metadata.", metavar="|".join(WAYS)),
    ] = None
    min_face: Annotated[
        int | None,
        CliOption("For --anonymize: lowest height of a face, in pixels; lower takes longer. Default: as analysed."),
    ] = None
    """None: that of the analysis; if that has none either, frames are searched as closely as is fast."""
    encoder: Annotated[
        str, CliOption("FFmpeg's encoder, and its options: libx264,crf=18.", metavar="NAME[,OPTION=VALUE...]")
    ] = "libx264"
    media: Annotated[Path | None, CliOption("The folder that videos and photos are in now.", exists="folder")] = None
    """None: where they were in relation to the output folder."""
    workers: Annotated[
        int | None, CliOption("Videos that are worked on at the same time; default: one for each core.")
    ] = None

    def __post_init__(self) -> None:
        """Check every range."""
        if self.style is not None and self.style not in STYLES:
            raise UsageError(f"--style must be one of {', '.join(STYLES)}; got {self.style}.")
        if self.anonymize is not None and self.anonymize not in WAYS:
            raise UsageError(f"--anonymize must be one of {', '.join(WAYS)}; got {self.anonymize}.")
        _require(self.min_face is None or self.min_face >= 1, "--min-face must be at least 1 pixel", self.min_face)
        _require(self.workers is None or self.workers >= 0, "--workers must be 0 or more", self.workers)
        if self.min_face is not None and self.anonymize is None:
            raise UsageError("--min-face says which faces are hidden: give --anonymize too.")
        if self.emotions is not None and self.style != BAR:
            raise UsageError("--emotions says which bars are drawn: give --style bar too.")

    @property
    def drawn(self) -> str | None:
        """The style that is drawn; None: nothing is."""
        return self.style or (None if self.anonymize else BOX)


def _require(holds: bool, rule: str, value: object, between: str = ",") -> None:
    if not holds:
        raise UsageError(f"{rule}; got {_text(value, between)}.")
