"""Groups of persons on the first page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    persons: tuple[int, ...]
    """Of each of ``names``; of two groups then those who are in both, and are compared with themselves."""
    cells: np.ndarray
    """(7, 3) mean share, 0 to 1, or difference, -1 to 1; low and high, NaN where there is no interval."""


@dataclass(frozen=True)
class Groups:
    """The groups side by side, in videos or in photos."""

    heading: str
    rows: tuple[GroupRow, ...]
    differences: tuple[GroupRow, ...]
    """Of every two groups."""
    more_differences: int
    """Number of those that only group_differences.csv has."""
    chart: Chart


def groups_of(results: Results, charts: ChartMaker) -> list[Groups]:
    """Of videos and of photos, as far as summary_by_group.csv and group_differences.csv have them."""
    means, differences = results.optional["summary_by_group.csv"], results.optional["group_differences.csv"]
    found = []
    headings = {Kind.VIDEO: say("index.groups_in_videos"), Kind.PHOTOS: say("index.groups_in_photos")}
    for kind, heading in headings.items():
        rows = _rows(means[means["kind"] == kind], ["group"], ["persons"], "mean")
        if rows:
            counts = ["persons", "other_persons", "persons_in_both"]
            apart = _rows(differences[differences["kind"] == kind], ["group", "other_group"], counts, "difference")
            chart = charts.draw(
                draw.groups,
                {row.names[0]: row.cells for row in rows},
                name=f"groups-{kind}",
                title=heading,
                description=say("index.groups_chart", n=len(rows)),
            )
            found.append(Groups(heading, rows, apart[:MOST_ROWS], len(apart[MOST_ROWS:]), chart))
    return found


def _rows(table: "pd.DataFrame", names: list[str], counts: Sequence[str], value: str) -> tuple[GroupRow, ...]:
    """A row for each group, or each two groups, that the columns ``names`` name; numbers of persons are the largest."""
    return tuple(
        GroupRow(
            tuple(map(str, groups)),
            tuple(int(part[column].max()) for column in counts),
            part.set_index("measure").reindex(list(MEANS))[[value, "low", "high"]].to_numpy(dtype=np.float64),
        )
        for groups, part in table[table["measure"].isin(MEANS)].groupby(names, sort=False)
    )
