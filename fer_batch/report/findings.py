"""Pure: what the numbers of a study show, as sentences. There is none where the numbers do not carry it.

A sentence that compares says by how much, with a 95 % interval, and is there only if the interval leaves zero out.
Intervals are over persons where people.csv names them, else over videos; of one video, over stretches of it (batch
means: Law and Kelton 1984, doi:10.1287/opre.32.6.1221). Where many comparisons are made, the sentence says of how many
it is one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_batch.analysis.groups import FEWEST, interval_of_difference, interval_of_mean
from fer_batch.emotions import EMOTIONS
from fer_batch.output.manifest import files_with
from fer_batch.output.results import Results
from fer_batch.output.schema import SIX
from fer_batch.report import formatting
from fer_batch.report.model_card import Accuracy
from fer_batch.report.pages.overview import STACK, Moment, OverviewRow
from fer_batch.report.texts import label, say, word
from fer_batch.types import Kind, Severity

if TYPE_CHECKING:
    import pandas as pd

STRETCHES = 10
"""Most parts of a video over which its uncertainty is estimated."""

SHORTEST_STRETCH = 10.0
"""Least length of such a part, in seconds, or in photos: it must be longer than an expression lasts.

Of 1,500 simulated videos each (50, 70, 100 and 300 s long, first-order autoregressive shares), intervals of 95 % hold
the truth in 95, 94, 93 and 91 % if shares are alike for half a second, 1, 2 and 4 s (the time to fall to 1/e).
"""

MATTERS = 0.05
"""Part of the faces that, if it is left out of all numbers, is worth a sentence."""

REST = 1.0
"""Seconds outside of an event for which a face must be visible to be compared with itself."""

FEW = 2
"""Number of rows of which it is said by itself what they show most."""

MOST = 6
"""Number of sentences."""

SIX_MEANS = tuple(f"mean_{name}" for name in SIX)


@dataclass(frozen=True)
class Finding:
    """One sentence, and where its numbers can be seen."""

    text: str
    detail: str
    """How sure it is."""
    link: str
    """Text of the link."""
    anchor: str
    """Id of an element on the first page; empty: ``moment`` is the place."""
    moment: Moment | None = None


def findings(
    results: Results, rows: Sequence[OverviewRow], moments: Sequence[Moment], accuracy: Accuracy | None
) -> tuple[Finding, ...]:
    """At most MOST sentences; ``rows`` and ``moments`` are those of the overview."""
    return tuple(
        [
            *_groups(results.optional["group_differences.csv"]),
            *_events(results.summary, results.optional["summary_by_event.csv"]),
            *_most(results.summary),
            *_most_of_each(rows, results.summary),
            *_who(rows),
            *_moment(moments, accuracy),
            *_left_out(results),
        ][:MOST]
    )


def _groups(differences: "pd.DataFrame") -> Iterator[Finding]:
    """The clearest difference of any two groups."""
    made = differences[differences["measure"].isin(SIX_MEANS) & differences["low"].notna()]
    clear = made[(made["low"] > 0) | (made["high"] < 0)]
    if not len(clear):
        return
    row = max(clear.to_dict("records"), key=lambda one: abs(one["difference"]) / (one["high"] - one["low"]))
    names, counts = [row["group"], row["other_group"]], [int(row["persons"]), int(row["other_persons"])]
    if row["difference"] < 0:
        names.reverse()
        counts.reverse()
    text = say(
        "findings.groups",
        group=names[0],
        other=names[1],
        emotion=word(row["measure"].removeprefix("mean_")),
        points=_points(row["difference"]),
    )
    if row["design"] == "paired":
        over = say("findings.in_both", n=counts[0])
    else:
        over = say("findings.of_each", persons=counts[0], others=counts[1])
    detail = _detail(row["low"], row["high"], over, len(clear), len(made))
    in_videos = row["kind"] == Kind.VIDEO
    link = say("index.groups_in_videos") if in_videos else say("index.groups_in_photos")
    yield Finding(text, detail, link, "groups")


def _events(summary: "pd.DataFrame", by_event: "pd.DataFrame") -> Iterator[Finding]:
    """The clearest difference between an event and the rest of the same videos."""
    unit = _unit(summary)
    made, clear = 0, []
    for event, part in by_event[by_event["faces"] > 0].groupby("label", sort=False):
        changes = _against_the_rest(summary, part, unit)
        for emotion, values in zip(SIX, changes.T, strict=True):
            low, high = interval_of_mean(values)
            if low is not None and high is not None:
                made += 1
                if low > 0 or high < 0:
                    clear.append((abs(values.mean()) / (high - low), event, emotion, values, low, high))
    if not clear:
        return
    _, event, emotion, values, low, high = max(clear, key=lambda one: one[0])
    mean = float(values.mean())
    if mean > 0:
        text = say("findings.event_more", event=event, emotion=word(emotion), points=_points(mean))
    else:
        text = say("findings.event_less", event=event, emotion=word(emotion), points=_points(mean))
    detail = _detail(low, high, _units(unit, len(values)), len(clear), made)
    yield Finding(text, detail, say("index.around"), "events")


def _against_the_rest(summary: "pd.DataFrame", in_event: "pd.DataFrame", unit: str) -> np.ndarray:
    """(units, 6) mean shares in an event less those in the rest of the videos that have it."""
    whole = summary[(summary["kind"] == Kind.VIDEO) & summary["file"].isin(in_event["file"])]
    changes = []
    for name, inside in in_event[in_event[unit] != ""].groupby(unit, sort=True):
        own = whole[(whole[unit] == name) & whole["file"].isin(inside["file"])]
        amounts, seconds = _amounts(inside)
        all_amounts, all_seconds = _amounts(own)
        if seconds > 0 and all_seconds - seconds >= REST:
            changes.append(amounts / seconds - (all_amounts - amounts) / (all_seconds - seconds))
    return np.array(changes).reshape(-1, len(SIX))


def _amounts(rows: "pd.DataFrame") -> tuple[np.ndarray, float]:
    """(6,) seconds times shares, and seconds, of rows of a summary."""
    seconds = rows["seconds_visible"].fillna(0).to_numpy(dtype=np.float64)
    return seconds @ rows[list(SIX_MEANS)].to_numpy(dtype=np.float64), float(seconds.sum())


def _most(summary: "pd.DataFrame") -> Iterator[Finding]:
    """Which of the six is shown most, over persons, or over videos."""
    unit = _unit(summary)
    timed = summary[(summary["kind"] == Kind.VIDEO) & (summary["seconds_visible"] > 0) & (summary[unit] != "")]
    means = []
    for _, rows in timed.groupby(unit, sort=True):
        amounts, seconds = _amounts(rows)
        means.append(amounts / seconds)
    if len(means) < FEWEST:
        return
    values = np.array(means)
    second, first = np.argsort(values.mean(axis=0), kind="stable")[-2:].tolist()
    low, _ = interval_of_mean(values[:, first] - values[:, second])
    own_low, own_high = interval_of_mean(values[:, first])
    if low is None or low <= 0 or own_low is None or own_high is None:
        return
    mean = float(values[:, first].mean())
    text = say("findings.most", emotion=word(SIX[first]), percent=formatting.percent(mean))
    detail = say(
        "findings.most_detail",
        low=formatting.percent(max(own_low, 0.0)),
        high=formatting.percent(own_high),
        units=_units(unit, len(values)),
        second=word(SIX[second]),
        points=_points(float((values[:, first] - values[:, second]).mean())),
    )
    yield Finding(text, detail, say("index.overview"), "overview")


def _most_of_each(rows: Sequence[OverviewRow], summary: "pd.DataFrame") -> Iterator[Finding]:
    """Which of the six each shows most, over stretches, where there are few: of those visible longest."""
    if summary[summary["person"] != ""]["person"].nunique() >= FEWEST or summary["file"].nunique() >= FEWEST:
        return
    for row in sorted(rows, key=lambda row: -row.visible)[:FEW]:
        second, first = sorted(STACK, key=lambda index: row.shares[index])[-2:]
        values, others = _stretches(row, first), _stretches(row, second)
        low, _ = interval_of_mean(values - others)
        own_low, own_high = interval_of_mean(values)
        if low is None or low <= 0 or own_low is None or own_high is None:
            continue
        percent = formatting.percent(row.shares[first])
        text = say("findings.most_of", name=row.label, emotion=word(EMOTIONS[first]), percent=percent)
        detail = say(
            "findings.most_detail",
            low=formatting.percent(max(own_low, 0.0)),
            high=formatting.percent(own_high),
            units=say("findings.stretches") if row.kind is Kind.VIDEO else say("findings.stretches_of_photos"),
            second=word(EMOTIONS[second]),
            points=_points(row.shares[first] - row.shares[second]),
        )
        yield Finding(text, detail, say("index.overview"), "overview")


def _who(rows: Sequence[OverviewRow]) -> Iterator[Finding]:
    """Who, or which video, shows most of what is shown most."""
    timed = [row for row in rows if row.timed and row.kind is Kind.VIDEO]
    if len(timed) < 2:
        return
    total = np.sum([row.visible * np.array(row.shares) for row in timed], axis=0)
    emotion = max(STACK, key=lambda index: float(total[index]))
    second, first = sorted(timed, key=lambda row: row.shares[emotion])[-2:]
    samples = [_stretches(row, emotion) for row in (first, second)]
    if min(map(len, samples)) < FEWEST:
        return
    low, high = interval_of_difference(*samples)
    if low is None or high is None or low <= 0:
        return
    text = say(
        "findings.who",
        name=first.label,
        count=len(timed),
        emotion=word(EMOTIONS[emotion]),
        percent=formatting.percent(first.shares[emotion]),
        second=second.label,
        less=formatting.percent(second.shares[emotion]),
    )
    detail = say("findings.interval", low=_points(low), high=_points(high), over=say("findings.stretches"))
    yield Finding(text, detail, say("index.overview"), "overview")


def _stretches(row: OverviewRow, emotion: int) -> np.ndarray:
    """Mean share of an emotion in each stretch of a row in which a face is visible."""
    found = []
    for segment in row.segments:
        length = segment.extent[1] - segment.extent[0]
        parts = min(STRETCHES, max(1, int(length / SHORTEST_STRETCH)))
        for part in np.array_split(segment.bins[:, emotion], parts):
            known = part[~np.isnan(part)]
            if len(known):
                found.append(known.mean())
    return np.array(found)


def _moment(moments: Sequence[Moment], accuracy: Accuracy | None) -> Iterator[Finding]:
    """The strongest moment, with how often the model is right about such faces."""
    if not moments or accuracy is None:
        return
    best = moments[0]
    text = say(
        "findings.moment",
        emotion=word(best.emotion),
        name=best.name or say("video.face_of_video", name=say("video.face", face_id=best.face_id), video=best.file),
        percent=formatting.percent(best.peak),
    )
    recall = f"{100 * accuracy.recalls[EMOTIONS.index(best.emotion)]:.0f}"
    detail = say("findings.recall", recall=recall, label=label(best.emotion))
    yield Finding(text, detail, formatting.tenths(best.peak_time), "", best)


def _left_out(results: Results) -> Iterator[Finding]:
    """What was left out, if it is much."""
    gone, partial = files_with(Severity.LOST, results.lines), files_with(Severity.PARTIAL, results.lines)
    parts = [say("findings.lost", files=say("findings.files", n=gone))] if gone else []
    parts += [say("findings.partial", files=say("findings.files", n=partial))] if partial else []
    if parts:
        text = say("findings.incomplete", what=", and ".join(parts))
        yield Finding(text, "", say("parts.left_out"), "left-out")
    counts: Mapping[str, Any] = results.run.get("counts", {})
    unused = sum(counts.get("faces_left_out", {}).values())
    every = unused + counts.get("faces", 0)
    if every and unused / every >= MATTERS:
        percent = formatting.percent(unused / every)
        text = say("findings.unused", percent=percent, faces=formatting.count(unused), all=formatting.count(every))
        yield Finding(text, "", say("index.how_made"), "counts")


def _unit(summary: "pd.DataFrame") -> str:
    """What is one case: a person where anybody in a video is named, else a video."""
    named = summary[summary["kind"] == Kind.VIDEO]["person"] != ""
    return "person" if named.any() else "file"


def _units(unit: str, number: int) -> str:
    return say("counts.persons", n=number) if unit == "person" else say("counts.videos", n=number)


def _points(difference: float) -> str:
    """How large a difference of shares is, in percentage points."""
    return formatting.percent(abs(difference))


def _detail(low: float, high: float, over: str, clear: int, made: int) -> str:
    """An interval that leaves zero out, and of how many comparisons it is one."""
    ends = sorted((abs(low), abs(high)))
    interval = say("findings.interval", low=_points(ends[0]), high=_points(ends[1]), over=over)
    if made == 1:
        return interval
    return f"{interval} {say('findings.among', n=clear, made=made, chance=f'{made * 0.05:.1f}')}"
