"""Pure: from shares to charts, as SVG text that stands inside an HTML page.

Lines take the page's own text colour and fonts, so that a chart is readable in light, in dark and on paper.
"""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.emotions import EMOTIONS, TABLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

MOST_BINS = 600
"""Most points of a line: about one for each pixel that a chart's line is wide on a laptop."""

TOLERANCE = 0.001
"""Seconds (or frames) between one row's end and the next one's start that are no gap yet: tables are rounded."""

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
"""Seconds between two marks of a time axis."""

LANE = 0.86
"""Height of 100 % in a lane, as a part of the lane."""

INK = "#010203"
"""Stands for the page's text colour until the chart is done; no emotion has it."""

RULES: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fer-batch",
    "text.parse_math": False,  # a "$" is a dollar
    "path.simplify": False,  # points are averaged, never dropped
    "font.size": 12,
    "hatch.linewidth": 0.6,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Course:
    """One face's shares along a film: a point a frame, or a point a bin.

    All arrays are in presentation order and of length N; places are in ``unit``.
    """

    unit: str
    """"seconds", or "frames" for a film in which not every frame has a time stamp."""
    extent: tuple[float, float]
    """Where the looked-at part of the film begins and ends; the same for each of its faces."""
    starts: np.ndarray
    """(N,) float64."""
    ends: np.ndarray
    """(N,) float64: where the last frame of each point ends."""
    weights: np.ndarray
    """(N,) float64: how long the face is visible in each point."""
    joined: np.ndarray
    """(N,) bool: this point goes on from the one before; False after a stretch without the face."""
    means: np.ndarray
    """(N, 7) float64, in the order of EMOTIONS, weighted by time."""
    lows: np.ndarray
    """(N, 7) float64: the least share of a frame."""
    highs: np.ndarray
    """(N, 7) float64: the greatest share of a frame."""

    @property
    def average(self) -> np.ndarray:
        """(7,) float64: mean shares over the time that the face is visible."""
        return np.average(self.means, axis=0, weights=self.weights if self.weights.sum() > 0 else None)

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """(start, end) of the stretches of the film without this face, its beginning and end included."""
        breaks = np.flatnonzero(~self.joined[1:]) + 1
        starts = np.concatenate(([self.extent[0]], self.ends[breaks - 1], [self.ends[-1]]))
        ends = np.concatenate(([self.starts[0]], self.starts[breaks], [self.extent[1]]))
        return [(float(a), float(b)) for a, b in zip(starts, ends, strict=True) if b - a > TOLERANCE]


def courses(timeline: "pd.DataFrame", face_ids: Sequence[int]) -> dict[int, Course]:
    """The course of each of these faces, from the timeline of their film.

    Two rows of a face are joined when the frames are neighbours among those looked at, and no time is missing between
    them. A row's weight is its duration; unknown durations weigh nothing, unless none is known (as in ``summarise``).
    """
    frames = timeline.drop_duplicates("frame").sort_values("frame")
    timed = bool(frames["timestamp"].notna().all())
    numbers = frames["frame"].to_numpy(dtype=np.int64)
    starts = frames["timestamp"].to_numpy(dtype=np.float64) if timed else numbers.astype(np.float64)
    durations = frames["duration"].to_numpy(dtype=np.float64) if timed else np.full(len(frames), np.nan)
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else float(not timed)
    guesses = np.minimum(np.append(starts[1:], np.inf), starts + step)
    ends = np.where(np.isnan(durations), guesses, starts + durations)
    weights = np.nan_to_num(durations) if np.nansum(durations) > 0 else np.ones(len(frames))
    extent = (float(starts.min()), float(ends.max())) if len(starts) else (0.0, 0.0)

    found = {}
    seen = timeline[timeline["success"] & timeline["face_id"].isin(list(face_ids))].sort_values("frame")
    for face_id in seen["face_id"].unique().tolist():
        rows = seen[seen["face_id"] == face_id]
        ranks = np.searchsorted(numbers, rows["frame"].to_numpy(dtype=np.int64))
        near = starts[ranks[1:]] - ends[ranks[:-1]] <= TOLERANCE
        shares = rows[list(EMOTIONS)].to_numpy(dtype=np.float64)
        found[int(face_id)] = Course(
            unit="seconds" if timed else "frames",
            extent=extent,
            starts=starts[ranks],
            ends=ends[ranks],
            weights=weights[ranks],
            joined=np.concatenate(([False], (np.diff(ranks) == 1) & near)),
            means=shares,
            lows=shares,
            highs=shares,
        )
    return found


def binned(course: Course, most: int = MOST_BINS) -> Course:
    """The course in at most ``most`` equal stretches of its film; those without the face are left out.

    Means are weighted by time, so that the average of the bins is the average of the frames. A gap shorter than a bin
    and wholly within it can no longer be seen.
    """
    if len(course.starts) <= most:
        return course
    low, high = course.extent
    places = np.floor((course.starts - low) / max(high - low, TOLERANCE) * most).clip(0, most - 1)
    first = np.flatnonzero(np.diff(places, prepend=-1.0))
    weights = np.add.reduceat(course.weights, first)
    # A bin in which no duration is known weighs nothing, but is drawn: as the plain mean of its frames.
    fill = np.repeat(weights == 0, np.diff(first, append=len(places)))
    parts = np.where(fill, 1.0, course.weights)
    means = np.add.reduceat(course.means * parts[:, np.newaxis], first, axis=0)
    return Course(
        unit=course.unit,
        extent=course.extent,
        starts=course.starts[first],
        ends=np.maximum.reduceat(course.ends, first),
        weights=weights,
        joined=course.joined[first],
        means=means / np.add.reduceat(parts, first)[:, np.newaxis],
        lows=np.minimum.reduceat(course.lows, first, axis=0),
        highs=np.maximum.reduceat(course.highs, first, axis=0),
    )


def distribution(shares: Sequence[float] | np.ndarray, *, prefix: str, title: str, description: str) -> str:
    """Seven bars on one scale from 0 to 100 %, each with its name and its share.

    ``shares`` are (7,) from 0 to 1 in the order of EMOTIONS. ``prefix`` begins every id in the SVG and must be unique
    on its page; ``title`` and ``description`` are what a screen reader says.
    """
    with _figure(350, 182) as figure:
        axes = figure.add_axes((0.215, 0.0, 0.61, 1.0))
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(len(TABLE) - 0.5, -0.5))
        for row, (emotion, share) in enumerate(zip(TABLE, shares, strict=True)):
            axes.barh(row, 1, height=0.62, color=INK, alpha=0.07, linewidth=0)
            axes.barh(row, share, height=0.62, color=emotion.colour, linewidth=0, gid=f"part-{emotion.name}")
            axes.text(-0.02, row, emotion.label, ha="right", va="center")
            axes.text(1.02, row, f"{100 * share:.1f} %", ha="left", va="center")
        return _svg(figure, prefix, title, description)


def timeline(course: Course, *, prefix: str, title: str, description: str) -> str:
    """One face's seven shares along its film: a line each, broken and hatched where the face is not seen.

    Each line runs in a lane of its own, with its emotion's name: seven lines across each other can be told apart by
    nobody. All lanes have the same scale. Where frames are averaged into bins, a band reaches from the least to the
    greatest share of a frame. The name of the emotion with the greatest average is bold. ``prefix``, ``title`` and
    ``description`` as in :func:`distribution`.
    """
    course = binned(course)
    low, high = course.extent
    leading = int(course.average.argmax())
    averaged = bool((course.highs > course.lows).any())
    runs = _runs(course)
    with _figure(780, 376) as figure:
        axes = figure.add_axes((0.1, 0.125, 0.84, 0.86))
        axes.set(xlim=(low, high if high > low else low + 1), ylim=(len(TABLE), 0))
        _dress(axes, course)
        spans = [(start, end - start) for start, end in course.gaps]
        axes.broken_barh(
            spans,
            (0, len(TABLE)),
            facecolor="none",
            edgecolor=INK,
            alpha=0.25,
            hatch="////",
            linewidth=0,
            gid="part-gaps",
        )
        for lane, emotion in enumerate(TABLE):
            floor = lane + 1.0
            axes.hlines([floor], low, high, color=INK, alpha=0.3, linewidth=0.8)
            heights = floor - LANE * course.means[:, lane]
            if averaged:
                top, bottom = (floor - LANE * bound[:, lane] for bound in (course.highs, course.lows))
                band = _patch([_band(course, run, top, bottom) for run in runs])
                axes.add_patch(band)
                band.set(facecolor=emotion.colour, alpha=0.3, linewidth=0, gid=f"part-{emotion.name}-band")
            line = _patch([_hill(course, run, heights, floor) for run in runs])
            axes.add_patch(line)
            line.set(
                facecolor=(emotion.colour, 0.25), edgecolor=emotion.colour, linewidth=1.1, gid=f"part-{emotion.name}"
            )
            # Round ends and joints: a face seen for one frame in an hour is still a stroke.
            line.set(capstyle="round", joinstyle="round", clip_on=False)
            weight = "bold" if lane == leading else "normal"
            axes.text(
                -0.012,
                floor - 0.4,
                emotion.label,
                ha="right",
                va="center",
                fontweight=weight,
                transform=axes.get_yaxis_transform(),
            )
        return _svg(figure, prefix, title, description)


def clock(seconds: float) -> str:
    """Seconds of a film as h:mm:ss.mmm."""
    milliseconds = round(abs(seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    sign = "-" if seconds < 0 and milliseconds else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _dress(axes: "Axes", course: Course) -> None:
    """Axes, marks and their words."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, left=False, right=False, pad=6)
    axes.yaxis.tick_right()
    axes.tick_params(right=False)
    axes.set_yticks([1 - LANE, 1], ["100 %", "0 %"], alpha=0.75)
    axes.grid(axis="x", color=INK, alpha=0.1, linewidth=0.8)
    low, high = axes.get_xlim()
    if course.unit == "frames":
        axes.set_xlabel("Frame number (not every frame of this film has a time stamp)")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:,.0f}"))
        return
    step = next((step for step in STEPS if (high - low) / step <= 9), STEPS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    if high < 60:
        axes.set_xlabel("Time in the film, in seconds")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:.{int(step < 1)}f}"))
    else:
        axes.set_xlabel("Time in the film, as hours:minutes:seconds")
        # A mark stands on a multiple of the step, so fractions only appear for films that begin late and are short.
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: clock(place)[: None if step < 1 else -4]))


def _runs(course: Course) -> list[slice]:
    """The stretches of a course between its gaps."""
    first = np.flatnonzero(~course.joined).tolist()
    return [slice(start, stop) for start, stop in pairwise([*first, len(course.starts)])]


def _across(course: Course, run: slice) -> np.ndarray:
    """Places of a run's corners, (n + 2,): its beginning, the middle of each point, its end.

    So a line says how long the face was there, and not only when.
    """
    starts, ends = course.starts[run], course.ends[run]
    return np.concatenate((starts[:1], (starts + ends) / 2, ends[-1:]))


def _hill(course: Course, run: slice, heights: np.ndarray, floor: float) -> np.ndarray:
    """(n + 4, 2) corners of a line over a run, with both its feet on the floor."""
    places = _across(course, run)
    return np.column_stack(
        (np.pad(places, 1, "edge"), np.pad(np.pad(heights[run], 1, "edge"), 1, constant_values=floor))
    )


def _band(course: Course, run: slice, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """(2n + 4, 2) corners of the area between two lines over a run."""
    places = _across(course, run)
    there = np.column_stack((places, np.pad(top[run], 1, "edge")))
    back = np.column_stack((places, np.pad(bottom[run], 1, "edge")))
    return np.concatenate((there, back[::-1]))


def _patch(outlines: Sequence[np.ndarray]) -> "PathPatch":
    """One shape of several open outlines."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = [np.where(np.arange(len(outline)) == 0, Path.MOVETO, Path.LINETO) for outline in outlines]
    return PathPatch(Path(np.concatenate(outlines), np.concatenate(codes)))


@contextmanager
def _figure(width: int, height: int) -> Iterator["Figure"]:
    """A figure of so many SVG units, under our rules and not those of the user's matplotlibrc."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)  # type: ignore[arg-type]  # its stub wants every name as a literal
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        yield figure


def _svg(figure: "Figure", prefix: str, title: str, description: str) -> str:
    """The figure as SVG for one place in a page: ids of its own, no size but its shape, no document around it."""
    written = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    root = ET.fromstring(written.getvalue())  # noqa: S314  matplotlib's own words, not a stranger's
    _tidy(root)
    _rename(root, prefix)
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-text",
        "stroke-linejoin": "round",
    }
    for tag, text in (("desc", description), ("title", title)):
        element = ET.Element(tag, {"id": f"{prefix}-{'text' if tag == 'desc' else tag}"})
        element.text = text
        root.insert(0, element)
    return ET.tostring(root, encoding="unicode")


def _tidy(root: ET.Element) -> None:
    """Drop what a page has already (fonts, a style sheet that would restyle the page), round numbers, take its ink."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith("}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text = element.text if element.tag == "text" else None
        element.tail = None
        if element.tag == "text":
            del element.attrib["transform"]  # a turn by nothing: no text here is turned
        for name, value in list(element.attrib.items()):
            if name == "d":
                element.attrib[name] = _shortened(value)
            elif name in {"x", "y", "width", "height"}:
                element.attrib[name] = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", value)
            elif name == "style":
                element.attrib[name] = re.sub(r"font-family: [^;]*;? ?", "", value).replace(INK, "currentColor")


def _shortened(path: str) -> str:
    """A path of straight lines, in tenths of a unit and as steps from point to point: a third of the length.

    Steps are taken between rounded places, so that no error adds up.
    """
    words: list[str] = []
    x = y = 0
    for verb, right, down in re.findall(r"([MLz])(?: (\S+) (\S+))?", path):
        if verb == "z":
            words.append("z")
            continue
        before = (x, y)
        x, y = round(float(right) * 10), round(float(down) * 10)
        if verb == "M":
            words.append(f"M{_tenths(x)} {_tenths(y)}")
        elif (x, y) != before or words[-1].startswith("M"):
            words.append(f"l{_tenths(x - before[0])} {_tenths(y - before[1])}")
    return "".join(words)


def _tenths(number: int) -> str:
    return f"{number / 10:.1f}".removesuffix(".0")


def _rename(root: ET.Element, prefix: str) -> None:
    """Ids that something refers to get ``prefix``; those that we gave become classes; matplotlib's others go."""
    pointer = re.compile(r"url\(#([^)]*)\)")
    used: dict[str, str] = {}
    for element in root.iter():
        for name, value in element.attrib.items():
            for target in pointer.findall(value):
                used.setdefault(target, f"{prefix}-{len(used)}")
            element.attrib[name] = pointer.sub(lambda match: f"url(#{used[match[1]]})", value)
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name.startswith("part-"):
            element.attrib["class"] = name.removeprefix("part-")
        elif name in used:
            element.attrib["id"] = used[name]
