"""Groups of persons on the first page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_batch.output.schema import MEANS
from fer_batch.report.charts import draw
from fer_batch.report.pages.base import MOST_ROWS, ChartFigure, ChartMaker
from fer_batch.report.results import Results
from fer_batch.report.texts import say
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class GroupRow:
    """One group: for each emotion its mean share and the interval over persons."""

    name: str
    persons: int
    cells: tuple[tuple[float, float, float], ...]
    """(7, 3) mean, low and high; NaN where there is no interval."""


@dataclass(frozen=True)
class DifferenceRow:
    """One group minus another: for each emotion the difference of mean shares and its interval over persons."""

    name: str
    other: str
    persons: int
    other_persons: int
    in_both: int
    """Number of persons who are in both groups, and are compared with themselves."""
    cells: tuple[tuple[float, float, float], ...]
    """(7, 3) difference, low and high, from -1 to 1; NaN where there is no interval."""


@dataclass(frozen=True)
class Groups:
    """The groups side by side, in videos or in photos."""

    heading: str
    rows: tuple[GroupRow, ...]
    differences: tuple[DifferenceRow, ...]
    """Of every two groups."""
    more_differences: int
    """Number of those that only group_differences.csv has."""
    chart: ChartFigure


def groups_of(results: Results, charts: ChartMaker) -> list[Groups]:
    """Of videos and of photos, as far as summary_by_group.csv and group_differences.csv have them."""
    table = results.optional("summary_by_group.csv")
    table = table[table["measure"].isin(MEANS)]
    pairs = results.optional("group_differences.csv")
    pairs = pairs[pairs["measure"].isin(MEANS)]
    found = []
    headings = {Kind.VIDEO: say("index.groups_in_videos"), Kind.PHOTOS: say("index.groups_in_photos")}
    for kind, heading in headings.items():
        rows = [_row(str(group), part) for group, part in table[table["kind"] == kind].groupby("group", sort=False)]
        if rows:
            chart = draw.groups(
                {row.name: np.array(row.cells) for row in rows},
                prefix=f"chart-groups-{kind}",
                title=heading,
                description=say("index.groups_chart", n=len(rows)),
                paper=results.report_options.charts,
            )
            compared = pairs[pairs["kind"] == kind].groupby(["group", "other_group"], sort=False)
            apart = tuple(_difference(str(group), str(other), part) for (group, other), part in compared)
            found.append(
                Groups(
                    heading,
                    tuple(rows),
                    apart[:MOST_ROWS],
                    len(apart[MOST_ROWS:]),
                    charts.keep(chart, f"groups-{kind}"),
                )
            )
    return found


def _row(name: str, part: "pd.DataFrame") -> GroupRow:
    return GroupRow(name, int(part["persons"].max()), _cells(part, "mean"))


def _difference(name: str, other: str, part: "pd.DataFrame") -> DifferenceRow:
    here, there, both = (int(part[column].max()) for column in ("persons", "other_persons", "persons_in_both"))
    return DifferenceRow(name, other, here, there, both, _cells(part, "difference"))


def _cells(part: "pd.DataFrame", column: str) -> tuple[tuple[float, float, float], ...]:
    """(7, 3) values and their intervals, in the order of EMOTIONS."""
    values = part.set_index("measure").reindex(list(MEANS))[[column, "low", "high"]]
    return tuple(tuple(row) for row in values.to_numpy(dtype=np.float64).tolist())
