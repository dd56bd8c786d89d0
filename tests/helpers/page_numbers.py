"""The numbers on the pages of a report, held against its tables: equal, rounded as pages round."""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEVEN = "anger disgust fear happiness sadness surprise neutral".split()
MEANS = [f"mean_{name}" for name in SEVEN]
ROUNDED = 0.5001e-4
"""How far a number of a table may be from the one that it was made from."""


class Page(HTMLParser):
    """A page as its tables, each a list of rows of texts, with its id, caption and the heading before it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tables: list[tuple[str, str, str, list[list[str]]]] = []
        self.text = ""
        self._heading = self._caption = ""
        self._into = ""
        self.feed(path.read_text(encoding="utf-8"))
        source = path.read_text(encoding="utf-8")
        self.tiles = dict(re.findall(r"<dt>([^<]*)</dt>\s*<dd class=\"value\"[^>]*>(?:<a[^>]*>)?([^<]*)<", source))
        self.notes = dict(
            re.findall(r"<dt>([^<]*)</dt>\s*<dd class=\"value\"[^>]*>.*?</dd>\s*<dd class=\"note\">([^<]*)<", source)
        )

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append((dict(attrs).get("id") or "", "", self._heading, []))
        elif tag == "tr":
            self.tables[-1][3].append([])
        elif tag in ("td", "th"):
            self.tables[-1][3][-1].append("")
        if tag in ("td", "th", "caption", "h2", "h3", "button", "script", "style"):
            self._into = tag
            if tag in ("h2", "h3"):
                self._heading = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption", "h2", "h3", "button", "script", "style"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into in ("td", "th"):
            self.tables[-1][3][-1][-1] += data
        elif self._into == "caption":
            number, caption, heading, rows = self.tables[-1]
            self.tables[-1] = (number, caption + data, heading, rows)
        elif self._into in ("h2", "h3"):
            self._heading += data
        elif self._into not in ("script", "style"):
            self.text += data

    def rows(self, of: str) -> list[list[str]]:
        """The rows below the head of the one table with this id, or of which the caption begins so; none without it."""
        found = [rows for number, caption, _, rows in self.tables if number == of or caption.startswith(of)]
        assert len(found) <= 1, of
        return [[" ".join(cell.split()) for cell in row] for row in found[0][1:]] if found else []


def check_pages(folder: Path, tables: Mapping[str, pd.DataFrame], timelines: Mapping[str, pd.DataFrame]) -> None:
    """Every number of every page is that of the tables."""
    index = Page(folder / "index.html")
    videos = {file: rows for file, rows in timelines.items() if rows["timestamp"].notna().all()}
    for file, timeline in timelines.items():
        page = Page(folder / f"pages/{file}.html")
        of_file = {name: rows[rows["file"] == file] for name, rows in tables.items() if "file" in rows}
        check_left_out(page, [timeline])
        if file in videos:
            check_video(page, timeline, of_file)
        else:
            check_photos(page, timeline, of_file["summary.csv"])
    check_left_out(index, list(timelines.values()))
    check_index(index, tables, videos, {file: rows for file, rows in timelines.items() if file not in videos})
    check_persons(index, tables["summary_by_person.csv"])
    check_overview(index, tables)
    for kind, heading in (("video", "Groups in videos"), ("photos", "Groups in photos")):
        check_groups(
            index, heading, *(tables[name] for name in ("summary_by_group.csv", "group_differences.csv")), kind
        )


def check_left_out(page: Page, timelines: Sequence[pd.DataFrame]) -> None:
    """How many faces are left out of all numbers, and why."""
    rows = pd.concat(timelines)
    gone = rows[(rows["success"] == 1) & (rows["left_out"] != "")]
    shown = page.tiles.get("Faces left out of all numbers", "0")
    assert shown == f"{len(gone):,}"
    note = page.notes.get("Faces left out of all numbers", "")
    for reason, words in (("spurious", "found in one frame only"), ("quality", "below --min-quality")):
        of_reason = gone[gone["left_out"] == reason]
        assert (f"{len(of_reason):,} {words}" in note) == (len(of_reason) > 0)
        if of_reason["duration"].sum() > 0:
            either = (f"{of_reason['duration'].sum() + tiny:,.1f} s" for tiny in (-1e-9, 1e-9))  # 0.25 may become both
            assert any(one in note for one in either)


def check_index(
    page: Page,
    tables: Mapping[str, pd.DataFrame],
    videos: Mapping[str, pd.DataFrame],
    folders: Mapping[str, pd.DataFrame],
) -> None:
    """The tiles, and a row for each source."""
    summary = tables["summary.csv"]
    kept = {file: summed_up(timeline) for file, timeline in (*videos.items(), *folders.items())}
    frames = {file: rows.drop_duplicates("frame") for file, rows in (*videos.items(), *folders.items())}
    assert page.tiles["Sources"] == str(len(kept))
    seconds = sum(frames[file]["duration"].sum() for file in videos)
    assert abs(clock(page.tiles["Video time analysed"]) - seconds) <= 0.05 + 1e-6
    assert page.tiles["Video frames analysed"] == f"{sum(len(frames[file]) for file in videos):,}"
    with_face = sum(kept[file]["frame"].nunique() for file in videos)
    assert page.tiles["Video frames with a face"] == f"{with_face:,}"
    assert page.tiles["Tracks in videos"] == f"{sum(kept[file]['face_id'].nunique() for file in videos):,}"
    assert page.notes["Tracks in videos"].startswith(f"{sum(len(kept[file]) for file in videos):,} face")
    if folders:
        assert page.tiles["Faces in photos"] == f"{sum(len(kept[file]) for file in folders):,}"
        assert page.tiles["Photos read"] == f"{sum(len(frames[file]) for file in folders):,}"
    for kind, heading, weight in (
        ("video", "Videos: mean over time", "seconds_visible"),
        ("photos", "Photos: mean over faces", "faces"),
    ):
        of_kind = summary[summary["kind"] == kind]
        cells = [row[1] for _, _, above, rows in page.tables if above == heading for row in rows[1:]]
        if len(of_kind):
            check_shares(cells, together(of_kind, weight), ROUNDED)
    rows = {row[0].split()[0]: row[1:] for row in (*page.rows("videos-table"), *page.rows("folders-table"))}
    assert set(rows) == set(kept)
    for file, cells in rows.items():
        of_file = summary[summary["file"] == file]
        counts = [len(frames[file]), kept[file]["frame"].nunique(), len(kept[file])]
        if file in videos:
            assert_clock(cells.pop(0), frames[file]["duration"].sum())
            counts.append(kept[file]["face_id"].nunique())
        assert [int(cell.replace(",", "")) for cell in cells[: len(counts)]] == counts
        shares = together(of_file, "seconds_visible" if file in videos else "faces")
        check_shares(cells[len(counts) + 1 :], shares, ROUNDED)


def check_persons(page: Page, people: pd.DataFrame) -> None:
    """A row for each person."""
    rows = page.rows("people-table")
    assert len(rows) == len(people)
    left = people.to_dict("records")
    for name, role, group, amount, *shares in rows:
        (row,) = (
            one
            for one in left
            if [one["person"], one["role"], one["group"]] == [name, role, group]
            and (one["kind"] == "video") == ("video" in amount)
        )
        if row["kind"] == "video":
            assert_clock(amount.split()[0], row["seconds_visible"])
        else:
            assert amount.startswith(f"{row['faces']:,} face")
        check_shares(shares, [row[name] for name in MEANS])


def check_overview(page: Page, tables: Mapping[str, pd.DataFrame]) -> None:
    """How long each person, or each video, is visible, and what it shows most."""
    people, summary = tables["summary_by_person.csv"], tables["summary.csv"]
    for label, visible, _, lead, strongest in page.rows("overview-table"):
        name, *place = label.split(" ", 1)
        if name not in set(people["person"]):
            rows = summary[summary["file"] == name]
            shares = together(rows, "seconds_visible" if rows["kind"].iloc[0] == "video" else "faces")
            seconds, count = rows["seconds_visible"].sum(), rows["faces"].sum()
            own = tables["episodes.csv"][tables["episodes.csv"]["file"] == name]
        else:
            role, group = ("guest" in place[0], next((one for one in "AB" if f" {one} " in f" {place[0]} "), ""))
            chosen = (people["person"] == name) & (people["role"].ne("") == role) & (people["group"] == group)
            rows = people[chosen & (people["kind"] == "video")]
            shares, seconds, count = rows[MEANS].to_numpy()[0], rows["seconds_visible"].sum(), 0
            tracks = summary.merge(rows[["person", "role", "group"]])
            own = tables["episodes.csv"].merge(tracks[["file", "face_id"]])
        if ":" in visible:
            assert abs(clock(visible) - seconds) <= 0.05 + 1e-6
        else:
            assert visible.startswith(f"{count:,} face")
        assert abs(float(lead.split()[-2]) - 100 * max(shares[:6])) <= 0.05 + 0.0051
        if len(own):
            assert abs(float(strongest.split()[1]) - 100 * own["peak"].max()) <= 0.05 + 1e-6
        else:
            assert strongest == "no episode"


def check_groups(page: Page, heading: str, means: pd.DataFrame, differences: pd.DataFrame, kind: str) -> None:
    """Each group's mean, interval or values, and each difference."""
    tables = [rows for _, _, above, rows in page.tables if above == heading]
    means, differences = means[means["kind"] == kind], differences[differences["kind"] == kind]
    assert bool(tables) == bool(len(means))
    if not tables:
        return
    for column, group in enumerate(means["group"].unique(), start=1):
        rows = means[means["group"] == group].set_index("measure")
        head = tables[0][0][column]
        assert head.split()[:2] == [
            f"{group}{rows['persons'].max()}",
            "persons"[: 7 if rows["persons"].max() > 1 else 6],
        ]
        for name, cells in zip(MEANS, tables[0][1:], strict=True):
            row = rows.loc[name]
            several = row["values"].split(";") if pd.isna(row["low"]) else [row["low"], row["high"]]
            check_shares(re.findall(r"[-\d.]+\d", cells[column]), [row["mean"], *map(float, filter(None, several))])
    of_means = differences[differences["measure"].isin(MEANS)]
    shown = [row for table in tables[1:] for row in table[1:]]
    keys = list(of_means.groupby(["group", "other_group", "design"], sort=False))
    assert len(shown) == len(keys)
    for cells, (_, rows) in zip(shown, keys, strict=True):
        for cell, name in zip(cells[2:], MEANS, strict=True):
            row = rows.set_index("measure").loc[name]
            numbers = [float(one) for one in re.findall(r"[-+]?\d+\.\d+", cell.replace("\N{MINUS SIGN}", "-"))]
            known = [row[one] for one in ("difference", "low", "high") if pd.notna(row[one])]
            expected = [100 * one for one in known] + ([row["hedges_g"]] if pd.notna(row["hedges_g"]) else [])
            np.testing.assert_allclose(numbers[: len(known)], expected[: len(known)], rtol=0, atol=0.05 + 1e-6)
            np.testing.assert_allclose(numbers[len(known) :], expected[len(known) :], rtol=0, atol=0.005 + 1e-6)


def check_video(page: Page, timeline: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """Tiles, faces, episodes, stretches and events of a video."""
    summary, kept = tables["summary.csv"], summed_up(timeline)
    frames = timeline.drop_duplicates("frame")
    assert_clock(page.tiles["Time analysed"], frames["duration"].sum())
    assert page.tiles["Frames analysed"] == f"{len(frames):,}"
    assert page.tiles["Frames with a face"] == f"{kept['frame'].nunique():,}"
    assert page.tiles["Tracks"] == str(len(summary))
    places = [(int(face), name) for face, name in zip(summary["face_id"], summary["person"], strict=True)]
    names = {face: f"{name} (face {face})" if name else f"Face {face}" for face, name in places}
    rows = page.rows("faces-table")
    if len(summary) > 1:
        check_shares(rows.pop()[3:], together(summary, "seconds_visible"), ROUNDED)
    assert len(rows) == len(summary)
    for label, faces, first, last, visible, _, *shares in rows:
        (row,) = (one for one in summary.to_dict("records") if label.startswith(names[one["face_id"]]))
        assert faces == f"{row['faces']:,}"
        for cell, name in ((first, "first_seen"), (last, "last_seen"), (visible, "seconds_visible")):
            assert_clock(cell, row[name])
        check_shares(shares, [row[name] for name in MEANS])
    for face, name in names.items():
        own = tables["episodes.csv"]
        own = own[own["face_id"] == face]
        shown = page.rows(f"When {name} shows")
        assert len(shown) == len(own)
        for (start, emotion, lasts, mean, peak, at), row in zip(shown, own.to_dict("records"), strict=True):
            assert_clock(start, row["start"])
            assert_clock(at, row["peak_time"])
            assert emotion.lower() == row["emotion"]
            assert abs(float(lasts.split()[0]) - (row["stop"] - row["start"])) <= 0.0005 + 1e-6
            check_shares([mean, peak], [row["mean"], row["peak"]])
    check_stretches(page, timeline, list(names))
    events = tables["summary_by_event.csv"].sort_values(["start", "stop"], kind="stable")
    shown = page.rows("Every face in every event")
    assert len(shown) == len(events)
    left = events.to_dict("records")
    for label, start, stop, face, visible, *shares in shown:
        (row,) = (
            one
            for one in left
            if one["label"] == label
            and abs(clock(start) - one["start"]) < 0.001
            and face == (names[one["face_id"]] if one["faces"] else "nobody")
        )
        assert_clock(stop, row["stop"])
        assert abs(float(visible.split()[0]) - row["seconds_visible"]) <= 0.0005 + 1e-6
        check_shares(shares, [row[name] for name in MEANS] if row["faces"] else [])


def check_stretches(page: Page, timeline: pd.DataFrame, faces: Sequence[int]) -> None:
    """Below each chart: at most 20 equal parts of the video; a frame is in the part in which it begins."""
    form = "smooth_{}" if "smooth_anger" in timeline else "{}"
    begin, end = timeline["timestamp"].min(), (timeline["timestamp"] + timeline["duration"]).max()
    found = [rows[1:] for _, caption, _, rows in page.tables if "in which the face is visible; mean" in caption]
    kept = summed_up(timeline)
    seconds = kept.groupby("face_id")["duration"].agg(["sum", "count"]).round(6)
    longest = sorted(faces, key=lambda face: (*-seconds.loc[face], face))
    assert len(found) == len(faces)
    for face, shown in zip(longest, found, strict=True):
        rows = kept[kept["face_id"] == face]
        part = np.arange(len(rows))
        if len(rows) > 20:
            part = np.floor((rows["timestamp"] - begin) / (end - begin) * 20).clip(0, 19).to_numpy()
        parts = [group for _, group in rows.groupby(part)]
        assert len(shown) == len(parts)
        for (start, stop, visible, *shares), group in zip(shown, parts, strict=True):
            assert_clock(start, group["timestamp"].min())
            assert_clock(stop, (group["timestamp"] + group["duration"]).max())
            assert abs(float(visible.split()[0]) - group["duration"].sum()) <= 0.0005 + 1e-6
            means = [np.average(group[form.format(name)], weights=group["duration"]) for name in SEVEN]
            check_shares(shares, means, 1e-9)


def check_photos(page: Page, timeline: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Tiles, the mean, and each face of a folder of photos."""
    kept = summed_up(timeline)
    assert page.tiles["Faces"] == f"{len(kept):,}"
    shown = page.rows("The same as a table")
    for (_, mean, leads), name in zip(shown, SEVEN, strict=True):
        check_shares([mean], [summary[f"mean_{name}"].iloc[0]])
        assert leads == str((kept["emotion"] == name).sum())
    for (_, face, _, _, _, leading, *shares), row in zip(page.rows("faces-list"), kept.to_dict("records"), strict=True):
        assert (int(face), leading.lower()) == (row["face_id"], row["emotion"])
        check_shares(shares, [row[name] for name in SEVEN])


def summed_up(timeline: pd.DataFrame) -> pd.DataFrame:
    """The rows that are in the numbers."""
    return timeline[(timeline["success"] == 1) & (timeline["left_out"] == "")]


def together(summary: pd.DataFrame, weight: str) -> Any:
    """Mean shares of rows of summary.csv; none without any."""
    return np.average(summary[MEANS], axis=0, weights=summary[weight]) if len(summary) else []


def check_shares(cells: Sequence[str], shares: Any, off: float = 0.0) -> None:
    """Percent with one decimal, of shares that may be ``off``; a cell alone says that there is no face."""
    if not len(shares):
        assert list(cells) == ["no face"]
        return
    assert all(re.fullmatch(r"-?\d+\.\d", cell) for cell in cells), cells
    np.testing.assert_allclose(
        [float(cell) for cell in cells], 100 * np.array(shares), rtol=0, atol=0.05 + 1e-6 + 100 * off
    )


def clock(text: str) -> float:
    """Seconds of h:mm:ss with decimals."""
    hours, minutes, seconds = text.removeprefix("-").split(":")
    return (3600 * int(hours) + 60 * int(minutes) + float(seconds)) * (-1 if text.startswith("-") else 1)


def assert_clock(text: str, seconds: float) -> None:
    """To as many decimals as are shown: milliseconds in tables, tenths elsewhere."""
    decimals = len(text.partition(".")[2])
    assert decimals in (1, 3)
    assert abs(clock(text) - seconds) <= 0.5 * 10**-decimals + 1e-6, (text, seconds)
