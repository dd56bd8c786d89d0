"""What the report's first page shows of groups of persons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_batch import charts
from fer_batch.pages import Drawn, Figures
from fer_batch.results import Results
from fer_batch.tables import MEANS
from fer_batch.types import Kind

if TYPE_CHECKING:
    import pandas as pd

KINDS = {Kind.VIDEO: "films", Kind.PHOTOS: "photographs"}


@dataclass(frozen=True)
class GroupRow:
    """One group: for each emotion its mean share and the interval over persons."""

    name: str
    persons: int
    cells: tuple[tuple[float, float, float], ...]
    """(7, 3) mean, low and high; NaN where there is no interval."""


@dataclass(frozen=True)
class Groups:
    """The groups side by side, in films or in photographs."""

    heading: str
    rows: tuple[GroupRow, ...]
    chart: Drawn


def groups_of(results: Results, drawing: Figures) -> list[Groups]:
    """Of films and of photographs, as far as summary_by_group.csv has them."""
    table = results.optional("summary_by_group.csv")
    table = table[table["measure"].isin(MEANS)]
    found = []
    for kind, name in KINDS.items():
        rows = [_row(str(group), part) for group, part in table[table["kind"] == kind].groupby("group")]
        if rows:
            heading = f"Groups in {name}"
            text = f"Mean shares of {len(rows)} groups with 95 % intervals over persons. The table has the numbers."
            chart = charts.groups(
                {row.name: np.array(row.cells) for row in rows},
                prefix=f"chart-groups-{kind}",
                title=heading,
                description=text,
                paper=results.asked.charts,
            )
            found.append(Groups(heading, tuple(rows), drawing.keep(chart, f"groups-{kind}")))
    return found


def _row(name: str, part: "pd.DataFrame") -> GroupRow:
    values = part.set_index("measure").reindex(list(MEANS))
    cells = values[["mean", "low", "high"]].to_numpy(dtype=np.float64)
    return GroupRow(name, int(part["persons"].max()), tuple(tuple(row) for row in cells.tolist()))
