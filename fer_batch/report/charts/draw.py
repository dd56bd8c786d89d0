"""Pure: draws the charts."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.emotions import NEUTRAL, TABLE
from fer_batch.report.charts.curve import NO_MARKS, Curve, Marks, binned
from fer_batch.report.charts.svg import INK, Chart, chart, figure
from fer_batch.report.formatting import clock
from fer_batch.report.texts import label, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import PathPatch

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
"""Seconds between two ticks of a time axis."""

LANE = 0.86
"""Height of 100 % in a lane, as a part of the lane."""

EPISODE = (0.97, 0.07)
"""Top of an episode's bar above its lane's floor, and its height, as parts of the lane."""

LONGEST_NAME = 18
"""Characters of a group's name in the chart; the table has the whole name."""

PAGE_WIDTH, PAGE_HEIGHT = 780, 376
"""Size of a timeline chart, in SVG units."""

PLOT = (78.0, 6.0, 733.0, 328.0)
"""Left, top, right and bottom of a timeline chart's lanes without events, in SVG units."""

EVENT_ROW = 16.0
"""Height of a row of names of events above the lanes, in SVG units."""

MOST_EVENT_ROWS = 3
"""Rows for events at the same time; when all are taken, an event has a band without a name."""

GROUPS_PLOT = (184, 232, 440)
"""Left and width of the plot of a chart of groups, and the chart's width, in SVG units: narrow enough for a phone."""

GROUP_LOOKS = (
    ("#8560D0", ((-1, -1), (1, -1), (1, 1), (-1, 1))),
    ("#1B8F82", ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0))),
    ("#C0477D", ((-1.2, 0.9), (1.2, 0.9), (0, -1.3))),
    ("#7A8420", ((-1.2, -0.9), (1.2, -0.9), (0, 1.3))),
    ("#A8652A", ((-0.5, -1.3), (0.5, -1.3), (0.5, 1.3), (-0.5, 1.3))),
    ("#5E7896", ((-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5))),
)
"""Colour and mark of each group, which begin again after the last: none is an emotion's colour, and all have a contrast
of 3 or more with the light and the dark page. A mark's corners are from -1.3 to 1.3, y downwards."""

MARK = 4.5
"""Half the size of a mark, in SVG units."""

NAME_MARGIN = 3.0
"""Distance from the start of an event to its name, in SVG units."""


def distribution(
    shares: Sequence[float] | np.ndarray, *, prefix: str, title: str, description: str, paper: str = ""
) -> Chart:
    """Seven bars on one scale from 0 to 100 %, each with its name and its share.

    ``shares`` are (7,) from 0 to 1 in the order of EMOTIONS. ``prefix`` begins every id in the SVG and must be unique
    on its page; ``title`` and ``description`` are for screen readers. ``paper`` is the path, without a suffix, of files
    for papers; empty: there are none.
    """
    with figure(350, 182) as drawing:
        axes = drawing.add_axes((0.215, 0.0, 0.61, 1.0))
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(len(TABLE) - 0.5, -0.5))
        for row, (emotion, share) in enumerate(zip(TABLE, shares, strict=True)):
            axes.barh(row, 1, height=0.62, color=INK, alpha=0.07, linewidth=0)
            axes.barh(row, share, height=0.62, color=emotion.colour, linewidth=0, gid=f"part-{emotion.name}")
            axes.text(-0.02, row, label(emotion.name), ha="right", va="center")
            axes.text(1.02, row, f"{100 * share:.1f} %", ha="left", va="center")
        return chart(drawing, prefix, title, description, paper)


def timeline(
    curve: Curve, marks: Marks = NO_MARKS, *, prefix: str, title: str, description: str, paper: str = ""
) -> Chart:
    """One face's seven shares along its video: a line each, broken and hatched where the face is not found.

    Each line has a lane of its own with its emotion's name, since seven crossing lines cannot be told apart. All lanes
    have the same scale. Where frames are averaged into bins, a band reaches from the smallest to the largest share of a
    frame. The name of the emotion with the largest average is bold. An episode is a bar at the top of its emotion's
    lane, a stretch of low quality is dotted, an event is a pale band across all lanes with its name above, cut where
    the next name begins. The other arguments are those of :func:`distribution`.
    """
    curve = binned(curve)
    low, high = curve.extent
    leading = int(curve.average.argmax())
    averaged = bool((curve.highs > curve.lows).any())
    runs = _runs(curve)
    left, top, right, bottom = plot(marks)
    height = PAGE_HEIGHT + round(bottom - PLOT[3])
    with figure(PAGE_WIDTH, height) as drawing:
        box = (left / PAGE_WIDTH, 1 - bottom / height, (right - left) / PAGE_WIDTH, (bottom - top) / height)
        axes = drawing.add_axes(box)
        axes.set(xlim=(low, high if high > low else low + 1), ylim=(len(TABLE), 0))
        _dress(axes, curve)
        _spans(axes, [(start, stop) for _, start, stop in marks.events], "part-events", facecolor=INK, alpha=0.07)
        _name_events(axes, marks)
        _spans(axes, curve.gaps, "part-gaps", facecolor="none", edgecolor=INK, alpha=0.25, hatch="////")
        _spans(axes, marks.poor, "part-poor", facecolor="none", edgecolor=INK, alpha=0.25, hatch="....")
        for lane, emotion in enumerate(TABLE):
            floor = lane + 1.0
            axes.hlines([floor], low, high, color=INK, alpha=0.3, linewidth=0.8, gid=f"part-floor-{emotion.name}")
            heights = floor - LANE * curve.means[:, lane]
            episodes = marks.episodes.get(emotion.name, ())
            place = (floor - EPISODE[0], EPISODE[1])
            _spans(axes, episodes, f"part-{emotion.name}-episodes", place, facecolor=emotion.colour)
            if averaged:
                upper, lower = (floor - LANE * bound[:, lane] for bound in (curve.highs, curve.lows))
                band = _patch([_band(curve, run, upper, lower) for run in runs])
                axes.add_artist(band)  # add_patch would compute the limits again, which are set
                band.set(facecolor=emotion.colour, alpha=0.3, linewidth=0, gid=f"part-{emotion.name}-band")
            line = _patch([_hill(curve, run, heights, floor) for run in runs])
            axes.add_artist(line)
            line.set(
                facecolor=(emotion.colour, 0.25), edgecolor=emotion.colour, linewidth=1.1, gid=f"part-{emotion.name}"
            )
            # Round ends and joints: a face found in one frame of an hour is still visible.
            line.set(capstyle="round", joinstyle="round", clip_on=False)
            weight = "bold" if lane == leading else "normal"
            axes.text(
                -0.012,
                floor - 0.4,
                label(emotion.name),
                ha="right",
                va="center",
                fontweight=weight,
                transform=axes.get_yaxis_transform(),
                gid=f"part-label-{emotion.name}",
            )
        return chart(drawing, prefix, title, description, paper)


def groups(means: Mapping[str, np.ndarray], *, prefix: str, title: str, description: str, paper: str = "") -> Chart:
    """Mean shares of groups of persons, a row for each group below each emotion, with intervals over persons.

    ``means`` maps a group's name to (7, 3) mean, low and high; NaN where there is no interval. The other arguments as
    of :func:`distribution`.
    """
    rows = 16 * len(means) + 12
    height = len(TABLE) * rows + 34
    left, across, width = GROUPS_PLOT
    with figure(width, height) as drawing:
        axes = drawing.add_axes((left / width, 24 / height, across / width, 1 - 28 / height))
        axes.set(xlim=(0, 1), ylim=(len(TABLE) * rows, 0))
        axes.spines[:].set_visible(False)
        axes.tick_params(bottom=False, left=False)
        axes.set_yticks([])
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.8)
        beside = axes.get_yaxis_transform()
        for lane, emotion in enumerate(TABLE):
            axes.text(
                (4 - left) / across,
                lane * rows + 14,
                label(emotion.name),
                transform=beside,
                ha="left",
                va="center",
                weight="bold",
            )
            for row, (name, values) in enumerate(means.items()):
                colour, _ = GROUP_LOOKS[row % len(GROUP_LOOKS)]
                place = lane * rows + 16 * row + 14
                mean, low, high = values[lane].tolist()
                shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
                axes.text(-6 / across, place, shown, transform=beside, ha="right", va="center", fontsize=11)
                # Areas without edges: matplotlib writes others as references to ids, which _rename drops.
                if np.isfinite([low, high]).all():
                    axes.broken_barh([(low, high - low)], (place - 1, 2), facecolor=colour, linewidth=0)
                mark = _patch([_mark(row, mean, place, MARK / across, MARK)])
                axes.add_artist(mark)
                mark.set(facecolor=colour, linewidth=0, gid=f"part-{emotion.name}", clip_on=False)
        return chart(drawing, prefix, title, description, paper)


def event_time(
    means: Mapping[str, np.ndarray],
    places: np.ndarray,
    *,
    prefix: str,
    title: str,
    description: str,
    paper: str = "",
) -> Chart:
    """Mean shares of the six expressions around the start of an event, a panel each, a line with its interval a group.

    ``means`` maps a group's name to (bins, 7, 3) mean, low and high, NaN where there is none; ``places`` are the
    middles of the bins, in seconds from the start. The other arguments as of :func:`distribution`.
    """
    across, down, rows = 160.0, 92.0, -(-len(means) // 2)
    width, height = 400, 404 + 18 * rows  # narrow enough for a phone
    six = [(index, emotion) for index, emotion in enumerate(TABLE) if index != NEUTRAL]
    highest = max(float(np.nanmax(values[:, [index for index, _ in six]])) for values in means.values())
    top = max(0.1, min(1.0, np.ceil(10 * highest) / 10))
    low, high = float(places[0]), float(places[-1])
    with figure(width, height) as drawing:
        for number, (index, emotion) in enumerate(six):
            left, upper = 34 + (number % 2) * (across + 32), 22 + (number // 2) * (down + 36)
            axes = drawing.add_axes((left / width, 1 - (upper + down) / height, across / width, down / height))
            axes.spines[:].set_visible(False)
            axes.tick_params(bottom=False, left=False)
            axes.set(xlim=(low, high), ylim=(0, top))
            axes.set_yticks([0, top], ["0", f"{100 * top:.0f} %"], fontsize=10)
            axes.set_xticks(np.arange(np.ceil(low / 5) * 5, high, 5).tolist())
            axes.tick_params(axis="x", labelsize=10)
            axes.grid(axis="both", color=INK, alpha=0.12, linewidth=0.8)
            axes.broken_barh([(-0.02 * (high - low) / 8, 0.04 * (high - low) / 8)], (0, top), facecolor=INK, alpha=0.5)
            axes.text(0, 1.08, label(emotion.name), transform=axes.transAxes, weight="bold", fontsize=11)
            for group, values in enumerate(means.values()):
                _band_and_line(
                    axes, group, places, values[:, index], (MARK / across * (high - low), -MARK / down * top)
                )
        for group, name in enumerate(means):
            colour, _ = GROUP_LOOKS[group % len(GROUP_LOOKS)]
            at, below = 34 + group % 2 * 190, 408 + 18 * (group // 2)
            mark = _patch([_mark(group, at / width, 1 - below / height, MARK / width, -MARK / height)])
            mark.set(facecolor=colour, linewidth=0, transform=drawing.transFigure, gid=f"part-group-{group}")
            drawing.add_artist(mark)
            shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
            drawing.text((at + 10) / width, 1 - (below + 4) / height, shown, fontsize=11)
        return chart(drawing, prefix, title, description, paper)


def _band_and_line(axes: "Axes", group: int, places: np.ndarray, values: np.ndarray, mark: tuple[float, float]) -> None:
    """A group's mean along time, with a band for its interval and marks; ``values`` (bins, 3) mean, low and high."""
    colour, _ = GROUP_LOOKS[group % len(GROUP_LOOKS)]
    for known, columns in ((np.isfinite(values).all(axis=1), (1, 2)), (np.isfinite(values[:, 0]), (0,))):
        edges = np.flatnonzero(np.diff(known.astype(int), prepend=0, append=0))
        outlines = []
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            lines = [np.column_stack((places[start:stop], values[start:stop, column])) for column in columns]
            outlines.append(np.concatenate((lines[0], *(line[::-1] for line in lines[1:]))))
        if outlines:
            drawn = _patch(outlines)
            axes.add_artist(drawn)
            if len(columns) == 2:
                drawn.set(facecolor=colour, alpha=0.2, linewidth=0)
            else:
                drawn.set(facecolor="none", edgecolor=colour, linewidth=1.4)
    marked = [at for at in range(group % 5, len(places), 5) if np.isfinite(values[at, 0])]
    if marked:
        marks = _patch([_mark(group, places[at], values[at, 0], *mark) for at in marked])
        axes.add_artist(marks)
        marks.set(facecolor=colour, linewidth=0, clip_on=False, gid=f"part-group-{group}")


def _mark(group: int, x: float, y: float, right: float, down: float) -> np.ndarray:
    """(n, 2) corners of a group's mark about a place; ``right`` and ``down`` are MARK in the units of the axes."""
    corners = np.array(GROUP_LOOKS[group % len(GROUP_LOOKS)][1], float)
    placed: np.ndarray = np.array([x, y]) + corners * [right, down]
    return placed


def event_rows(marks: Marks) -> list[int]:
    """The row of each event's name, 0 at the top; events at the same time have different rows; -1: no row is free."""
    taken: list[float] = []
    rows = []
    for _, start, stop in marks.events:
        free = next((row for row, until in enumerate(taken) if until <= start), len(taken))
        if free < MOST_EVENT_ROWS:
            taken[free : free + 1] = [stop]
        rows.append(free if free < MOST_EVENT_ROWS else -1)
    return rows


def plot(marks: Marks) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a timeline chart's lanes, in SVG units; names of events are above them."""
    left, top, right, bottom = PLOT
    names = EVENT_ROW * (max(event_rows(marks), default=-1) + 1)
    return left, top + names, right, bottom + names


def _dress(axes: "Axes", curve: Curve) -> None:
    """Axes with their ticks and labels."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, left=False, right=False, pad=6)
    axes.yaxis.tick_right()
    axes.tick_params(right=False)
    axes.set_yticks([1 - LANE, 1], ["100 %", "0 %"], alpha=0.75)
    axes.grid(axis="x", color=INK, alpha=0.1, linewidth=0.8)
    low, high = axes.get_xlim()
    if curve.unit == "frames":
        axes.set_xlabel(say("charts.frames"))
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:,.0f}"))
        return
    step = next((step for step in STEPS if (high - low) / step <= 9), STEPS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    if high < 60:
        axes.set_xlabel(say("charts.seconds"))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:.{int(step < 1)}f}"))
    else:
        axes.set_xlabel(say("charts.clock"))
        # Ticks are multiples of the step, so they have fractions only in short videos that begin late.
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: clock(place)[: None if step < 1 else -4]))


def _spans(
    axes: "Axes",
    spans: Sequence[tuple[float, float]],
    gid: str,
    place: tuple[float, float] = (0, len(TABLE)),
    **look: Any,
) -> None:
    """Draw stretches of the video as bars; ``place`` is their top and their height, by default that of all lanes."""
    axes.broken_barh([(start, end - start) for start, end in spans], place, linewidth=0, gid=gid, **look)


def _name_events(axes: "Axes", marks: Marks) -> None:
    """Draw the names of events above the lanes, each in a bar as long as its event."""
    from matplotlib.transforms import Bbox, TransformedBbox

    low, high = axes.get_xlim()
    left, top, right, bottom = PLOT
    unit = (high - low) / (right - left)
    step = EVENT_ROW / ((bottom - top) / len(TABLE))
    rows = event_rows(marks)
    for row in range(max(rows, default=-1) + 1):
        upper = (row - max(rows) - 1) * step
        events = [(index, *marks.events[index]) for index, event_row in enumerate(rows) if event_row == row]
        bars = [(max(start, low), min(stop, high)) for _, _, start, stop in events]
        _spans(axes, bars, f"part-event-row-{row}", (upper, step * 0.9), facecolor=INK, alpha=0.12, clip_on=False)
        edges = [start for _, _, start, _ in events[1:]] + [high + (PAGE_WIDTH - right) * unit]
        for (index, name, start, _), edge in zip(events, edges, strict=True):
            begin = max(start, low) + NAME_MARGIN * unit
            text = axes.text(begin, upper + step * 0.45, name, fontsize=11, va="center", gid=f"part-event-{index}")
            # A name may be longer than its event, but not run into the next name.
            room = Bbox([[begin, upper], [max(edge - NAME_MARGIN * unit, begin), upper + step]])
            text.set_clip_box(TransformedBbox(room, axes.transData))
            text.set_clip_on(True)


def _runs(curve: Curve) -> list[slice]:
    """The stretches of a curve between its gaps."""
    first = np.flatnonzero(~curve.joined).tolist()
    return [slice(start, stop) for start, stop in pairwise([*first, len(curve.starts)])]


def _across(curve: Curve, run: slice) -> np.ndarray:
    """(n + 2,) positions of a run's corners: its start, the middle of each point, its end.

    So the line is as long as the face is visible.
    """
    starts, ends = curve.starts[run], curve.ends[run]
    return np.concatenate((starts[:1], (starts + ends) / 2, ends[-1:]))


def _hill(curve: Curve, run: slice, heights: np.ndarray, floor: float) -> np.ndarray:
    """(n + 4, 2) corners of a line over a run; both ends are on the floor."""
    places = _across(curve, run)
    return np.column_stack(
        (np.pad(places, 1, "edge"), np.pad(np.pad(heights[run], 1, "edge"), 1, constant_values=floor))
    )


def _band(curve: Curve, run: slice, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """(2n + 4, 2) corners of the area between two lines over a run."""
    places = _across(curve, run)
    there = np.column_stack((places, np.pad(top[run], 1, "edge")))
    back = np.column_stack((places, np.pad(bottom[run], 1, "edge")))
    return np.concatenate((there, back[::-1]))


def _patch(outlines: Sequence[np.ndarray]) -> "PathPatch":
    """One patch of several open outlines."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = [np.where(np.arange(len(outline)) == 0, Path.MOVETO, Path.LINETO) for outline in outlines]
    return PathPatch(Path(np.concatenate(outlines), np.concatenate(codes)))
