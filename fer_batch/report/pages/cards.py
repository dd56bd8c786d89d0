"""Small charts side by side on the first page: of sources and people, or of tracks if there is no people.csv."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_batch.output.results import Results
from fer_batch.report.formatting import clock
from fer_batch.report.pages.base import Shares, SourceRow, shares_of
from fer_batch.report.texts import say
from fer_batch.types import Kind


@dataclass(frozen=True)
class ChartCard:
    """One small chart."""

    name: str
    page: str
    """Path of the page that shows it, relative to the output folder; empty: none does."""
    basis: str
    shares: Shares


def of_sources(rows: Sequence[SourceRow]) -> list[ChartCard]:
    """Videos and folders with a face."""
    return [
        ChartCard(
            row.name,
            row.page,
            clock(row.seconds) if row.seconds is not None else say("counts.faces", n=row.faces),
            row.shares,
        )
        for row in rows
        if row.shares
    ]


def of_people(results: Results, videos: Sequence[SourceRow]) -> list[ChartCard]:
    """Every row of summary_by_person.csv: in videos, longest visible first, then in photos, most faces first."""
    pages = {video.name: video.page for video in videos}
    table = results.optional["summary_by_person.csv"]
    order = ["seconds_visible", "faces"]
    found = []
    for kind in Kind:
        people = table[table["kind"] == kind].sort_values(order, ascending=False, na_position="last")
        for row in people.to_dict("records"):
            where = _video_of(results, row) if kind is Kind.VIDEO else ""
            role_and_group = " ".join(f"({row[part]})" for part in ("role", "group") if row[part])
            name = f"{row['person']} {role_and_group}".rstrip()
            found.append(ChartCard(name, pages.get(where, ""), _basis(row), shares_of(row)))
    return found


def of_faces(results: Results, videos: Sequence[SourceRow]) -> list[ChartCard]:
    """Every track of the videos with timestamps, those visible longest first."""
    pages = {video.name: video.page for video in videos}
    rows = results.timed.sort_values("seconds_visible", ascending=False, kind="stable").to_dict("records")
    return [
        ChartCard(
            row["person"] or say("video.face", face_id=row["face_id"]),
            pages[row["file"]],
            say("index.amount_in", amount=clock(float(row["seconds_visible"])), where=row["file"]),
            shares_of(row),
        )
        for row in rows
    ]


def _basis(row: Mapping[Any, Any]) -> str:
    """How long, or in how many faces, a person is visible, and where; ``row`` of summary_by_person.csv."""
    seconds = float(row["seconds_visible"])
    amount = clock(seconds) if seconds > 0 else say("counts.faces", n=int(row["faces"]))
    files = int(row["files"])
    where = say("counts.videos", n=files) if row["kind"] == Kind.VIDEO else say("counts.folders", n=files)
    return say("index.amount_in", amount=amount, where=where)


def _video_of(results: Results, row: Mapping[Any, Any]) -> str:
    """Name of the video that shows a person longest; empty: none."""
    summary = results.summary
    same = summary["kind"] == Kind.VIDEO
    for column in ("person", "role", "group"):
        same &= summary[column] == row[column]
    tracks = summary[same].sort_values(["seconds_visible", "faces"], ascending=False, na_position="last")
    return str(tracks["file"].iloc[0]) if len(tracks) else ""
