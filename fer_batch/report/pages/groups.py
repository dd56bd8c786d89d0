"""Groups of persons, and events, on the first page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.analysis.event_time import BIN
from fer_batch.emotions import EMOTIONS
from fer_batch.output.results import Results
from fer_batch.output.schema import MEANS
from fer_batch.report.charts import draw
from fer_batch.report.charts.svg import Chart
from fer_batch.report.pages.base import MOST_ROWS, ChartMaker
from fer_batch.report.texts import say
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class GroupRow:
    """One group, or one group minus another: for each emotion a value and its interval over persons."""

    names: tuple[str, ...]
    """Of the group; of two groups also the design in which they are compared."""
    persons: tuple[int, ...]
    """Of each group."""
    cells: np.ndarray
    """(7, 3) mean share, 0 to 1, low and high; or (7, 4) difference, -1 to 1, low, high and Hedges' g. NaN: none."""
    values: tuple[tuple[float, ...], ...]
    """(7, persons) the share of each of the group's persons, where they are too few for an interval; else empty."""


@dataclass(frozen=True)
class Groups:
    """The groups side by side, in videos or in photos."""

    heading: str
    rows: tuple[GroupRow, ...]
    differences: tuple[GroupRow, ...]
    """Of every two groups: paired and unpaired apart."""
    more_differences: int
    """Number of those that only group_differences.csv has."""
    chart: Chart


def groups_of(results: Results, charts: ChartMaker) -> list[Groups]:
    """Of videos and of photos, as far as summary_by_group.csv and group_differences.csv have them."""
    means, differences = results.optional["summary_by_group.csv"], results.optional["group_differences.csv"]
    found = []
    headings = {Kind.VIDEO: say("index.groups_in_videos"), Kind.PHOTOS: say("index.groups_in_photos")}
    for kind, heading in headings.items():
        rows = _rows(means[means["kind"] == kind], ["group"], ["persons"], ["mean", "low", "high"])
        if rows:
            apart = _rows(
                differences[differences["kind"] == kind],
                ["group", "other_group", "design"],
                ["persons", "other_persons"],
                ["difference", "low", "high", "hedges_g"],
            )
            chart = charts.draw(
                draw.groups,
                {row.names[0]: row.cells for row in rows},
                name=f"groups-{kind}",
                title=heading,
                description=say("index.groups_chart", n=len(rows)),
            )
            found.append(Groups(heading, rows, apart[:MOST_ROWS], len(apart[MOST_ROWS:]), chart))
    return found


@dataclass(frozen=True)
class EventTime:
    """What is shown around the start of an event."""

    label: str
    over: str
    """How many persons or videos it is a mean of, as a phrase."""
    chart: Chart


def around_events(results: Results, charts: ChartMaker) -> list[EventTime]:
    """Of every event in summary_by_event_time.csv: each group, or everybody where there is none."""
    table = results.optional["summary_by_event_time.csv"]
    found = []
    for number, (label, rows) in enumerate(table.groupby("label", sort=False)):
        groups = [group for group in rows["group"].drop_duplicates().tolist() if group] or [""]
        seconds = np.sort(rows["seconds"].unique())
        means = {group or say("index.everybody"): _curve(rows[rows["group"] == group], seconds) for group in groups}
        most = int(rows.loc[rows["group"] == "", "cases"].max())
        persons = (rows["over"] == "persons").all()
        over = say("counts.persons", n=most) if persons else say("counts.videos", n=most)
        chart = charts.draw(
            draw.event_time,
            means,
            seconds + BIN / 2,
            name=f"event-{number}",
            title=say("index.around_title", event=label),
            description=say("index.around_text", event=label, over=over),
        )
        found.append(EventTime(str(label), over, chart))
    return found


def _curve(rows: "pd.DataFrame", seconds: np.ndarray) -> np.ndarray:
    """(bins, 7, 3) mean, low and high; NaN where there is none."""
    values = np.full((len(seconds), len(EMOTIONS), 3), np.nan)
    places = np.searchsorted(seconds, rows["seconds"].to_numpy(dtype=np.float64))
    emotions = [EMOTIONS.index(name) for name in rows["emotion"]]
    values[places, emotions] = rows[["mean", "low", "high"]].to_numpy(dtype=np.float64)
    return values


def _rows(
    table: "pd.DataFrame", names: list[str], counts: Sequence[str], numbers: Sequence[str]
) -> tuple[GroupRow, ...]:
    """A row for each group, or each two groups, that the columns ``names`` name; counts of persons are the largest."""
    rows = []
    for groups, part in table[table["measure"].isin(MEANS)].groupby(names, sort=False):
        measured = part.set_index("measure").reindex(list(MEANS))
        values = (tuple(map(float, filter(None, text.split(";")))) for text in measured["values"].fillna(""))
        persons = tuple(int(part[column].max()) for column in counts)
        cells = measured[list(numbers)].to_numpy(dtype=np.float64)
        rows.append(GroupRow(tuple(map(str, groups)), persons, cells, tuple(values)))
    return tuple(rows)
