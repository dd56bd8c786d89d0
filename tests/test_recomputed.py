"""Every table, computed again from the timelines by what docs say, in pandas alone.

Nothing of fer_batch.analysis is used for that. Values must be equal to the last digit of the tables.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

from fer_batch.analysis.summary import summarize
from fer_batch.annotations.events import Event, Events
from fer_batch.annotations.load import Annotations
from fer_batch.media.sources import _output
from fer_batch.options import Options
from fer_batch.output import folder as outfolder
from fer_batch.output.csv import write_timeline
from fer_batch.output.manifest import Manifest
from fer_batch.pipeline.tables import write_tables
from fer_batch.types import Kind, Outcome, Source
from tests.helpers.studies import FINISHED, LINE
from tests.helpers.timelines import make_timeline

SEVEN = "anger disgust fear happiness sadness surprise neutral".split()
SIX = SEVEN[:6]
PLACE = ["person", "role", "group"]
PEOPLE = {"Anna": ("guest", "A"), "Bo": ("host", "B"), "Cy": ("", "A"), "Di": ("guest", "")}
MILLISECOND = 0.001


def write_study(folder: Path, rng: np.random.Generator, options: Options) -> Events:
    """Videos and a folder of photos of drawn faces, persons, gaps and events; all tables are written."""
    outfolder.claim(folder)
    by_video: dict[str, list[Event]] = {}
    offsets: dict[str, float] = {}
    outcomes, summaries = [], []
    for number in range(int(rng.integers(1, 9))):
        kind = Kind.PHOTOS if number == 5 else Kind.VIDEO
        name = f"{number}.mp4" if kind is Kind.VIDEO else f"{number}"
        frames = int(rng.integers(2, 90))
        duration = np.full(frames, rng.choice([0.04, 0.033367, 0.2])) * rng.choice([1, 1, 1, 2], frames)
        pause = np.where(rng.random(frames) < 0.05, rng.choice([0.1, 0.5, 2]), 0)
        start = (np.cumsum(duration + pause) - duration - pause).round(6)
        rows: list[tuple[Any, ...]] = []
        names = rng.permutation(["", *PEOPLE])[:2]
        mood = rng.integers(0, 7, frames // 8 + 1).repeat(8)[:frames]
        for frame in range(frames):
            seen = [face for face in range(2) if rng.random() < (0.9, 0.5)[face]]
            for face in seen or [-1]:
                person = names[face] if face >= 0 else ""
                shares = rng.dirichlet(np.full(7, 0.4)) * 0.5 + 0.5 * np.eye(7)[mood[frame]] * rng.random()
                role, group = PEOPLE.get(person, ("", ""))
                shares = shares / shares.sum() if face >= 0 else shares * np.nan
                rows.append((frame, face, person, role, group, shares, round(rng.random(), 4), rng.random() < 0.05))
        frame, face, person, role, group, shares, quality, spurious = (
            list(column) for column in zip(*rows, strict=True)
        )
        timeline = make_timeline(
            np.array(shares),
            name,
            "",
            frame=frame,
            timestamp=start[frame] if kind is Kind.VIDEO else np.nan,
            duration=duration[frame].round(6) if kind is Kind.VIDEO else np.nan,
            face_id=face,
            track=face,
        )
        texts = sorted({"", name, *person, *role, *group})
        for field, values in (("file", [name] * len(rows)), ("person", person), ("role", role), ("group", group)):
            timeline.rows[field] = [texts.index(value) for value in values]
        timeline.rows["quality"], timeline.rows["spurious"] = quality, spurious
        timeline.rows["left_out"] = np.where(
            timeline.success, np.where(spurious, 1, np.where(np.array(quality) < options.min_quality, 2, 0)), 0
        )
        timeline = type(timeline)(timeline.rows, tuple(texts))
        source = Source(kind, name, (folder.parent / name,), _output(name))
        if kind is Kind.VIDEO:
            offsets[name] = float(rng.choice([0, 0.25, -1]))
            at = rng.choice([0.1, 0.5, 1.2]) - offsets[name]
            lines = [Event(LINE, name, label, at + 2 * step, at + 2 * step + 0.7) for step, label in enumerate("pqp")]
            by_video[name] = lines
        annotations = Annotations(events=Events(by_video, offsets))
        summary, added = summarize(timeline, source, options, annotations)
        outcome = Outcome(source, frames, frames, len(rows), 1.0, {}, ())
        write_timeline(
            folder / outcome.timeline, timeline, added.smoothed, added.changes, named=True, source=outcome.source.name
        )
        outcomes.append(outcome)
        summaries.append(summary)
    write_tables(folder, Manifest(FINISHED, FINISHED, options, {}, {}, None, {}, {}, outcomes, [], []), summaries)
    return Events(by_video, offsets)


def table(path: Path) -> pd.DataFrame:
    """A table as pandas reads it; texts that are empty stay so."""
    texts = ["file", *PLACE, "emotion", "left_out", "label", "event", "kind", "measure", "design", "values"]
    texts += ["other_values", "other_group"]
    read = pd.read_csv(path, keep_default_na=False, na_values={}, dtype=str)
    if "source" in read:
        assert (read.pop("source") == read["file"]).all()
    numbers = [name for name in read.columns if name not in texts and "emotion" not in name]
    return read.assign(**{name: pd.to_numeric(read[name]) for name in numbers})


def measures(rows: pd.DataFrame) -> dict[str, Any]:
    """Those of summary.csv but for episodes, over rows with ``weight``."""
    weight = rows["weight"]
    means = {name: mean(rows, name) for name in SEVEN}
    strongest = {name: weight[rows["emotion"] == name].sum() / weight.sum() for name in SEVEN}
    rest = 1 - strongest["neutral"]
    found: dict[str, Any] = {f"mean_{name}": value for name, value in means.items()}
    found["emotion"] = max(SEVEN, key=lambda name: means[name])
    found |= {f"strongest_{name}": value for name, value in strongest.items()}
    some = weight[rows["emotion"] != "neutral"].sum() > 0
    found |= {f"strongest_{name}_without_neutral": strongest[name] / rest if some else np.nan for name in SIX}
    bad = ["anger", "disgust", "fear", "sadness"]
    found["derived_valence"] = ((rows["happiness"] - rows[bad].max(axis=1)) * weight).sum() / weight.sum()
    found["derived_valence_of_means"] = means["happiness"] - max(means[name] for name in bad)
    return found


def gaps(rows: pd.DataFrame) -> np.ndarray:
    """Lengths of the stretches between rows that are more than a millisecond apart."""
    apart = rows["timestamp"].to_numpy()[1:] - (rows["timestamp"] + rows["duration"]).to_numpy()[:-1]
    return apart[apart > MILLISECOND]


def smoothed(rows: pd.DataFrame, seconds: float) -> np.ndarray:
    """Shares averaged over the window, and then over each row, in stretches without a gap, mirrored at both ends."""
    apart = rows["timestamp"].to_numpy()[1:] - (rows["timestamp"] + rows["duration"]).to_numpy()[:-1]
    parts = []
    for stretch in np.split(np.arange(len(rows)), np.flatnonzero(apart > MILLISECOND) + 1):
        part = rows.iloc[stretch]
        shares, length = part[SEVEN].to_numpy(), part["duration"].to_numpy()
        times = int(np.ceil(seconds / length.sum())) + 1
        tiles = [(shares[::-1], length[::-1]), (shares, length)] * (times + 1)
        middle = times + 1 - times % 2
        edges = np.concatenate([[0], np.cumsum(np.concatenate([one[1] for one in tiles]))])
        origin = sum(one[1].sum() for one in tiles[:middle])
        steps = np.concatenate([one[0] for one in tiles])
        whole = np.concatenate([np.zeros((1, 7)), np.cumsum(steps * np.diff(edges)[:, None], axis=0)])
        at = origin + np.concatenate([[0], np.cumsum(length)])
        for begin, end in pairwise(at):
            bends = np.unique(np.clip(np.concatenate([edges - seconds / 2, edges + seconds / 2]), begin, end))
            windows = np.stack(
                [
                    np.interp(bends + seconds / 2, edges, whole[:, one])
                    - np.interp(bends - seconds / 2, edges, whole[:, one])
                    for one in range(7)
                ]
            )
            parts.append(np.trapezoid(windows, bends) / (end - begin) / seconds)
    return np.array(parts)


def within(rows: pd.DataFrame, start: float, stop: float) -> pd.DataFrame:
    """The parts of rows that lie in an interval."""
    begin, end = rows["timestamp"].clip(start, stop), (rows["timestamp"] + rows["duration"]).clip(start, stop)
    return rows.assign(timestamp=begin, duration=end - begin, weight=end - begin)[end > begin]


def assert_equal(found: pd.DataFrame, expected: Sequence[dict[str, Any]], unchecked: Sequence[str] = ()) -> None:
    """Each value of a table is the expected one, rounded as the table is."""
    assert len(found) == len(expected)
    for (_, row), values in zip(found.iterrows(), expected, strict=True):
        assert set(values) | set(unchecked) == set(found.columns)
        for name, value in values.items():
            if isinstance(value, str):
                assert row[name] == value, name
            elif value is None or np.isnan(value):
                assert pd.isna(row[name]), name
            else:
                digits = 6 if name in SECONDS else 4
                assert abs(row[name] - value) <= 0.5000001 * 10**-digits + 1e-9, (name, row[name], value)


SECONDS = (
    "duration first_seen last_seen seconds_visible seconds_left_out seconds_missing seconds_outside start stop".split()
)
EPISODES = ["episodes_per_minute"]
options = st.builds(
    Options,
    smooth=st.sampled_from([None, 0.3, 2.0]),
    baseline=st.sampled_from([None, (0.0, 0.5), (1.0, 3.0)]),
    min_quality=st.sampled_from([0.0, 0.3]),
    people=st.just(Path("people.csv")),
    events=st.just(Path("events.csv")),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(seed=st.integers(0, 2**32 - 1), options=options)
def test_every_table_is_what_docs_say_of_the_timelines(
    tmp_path_factory: pytest.TempPathFactory, seed: int, options: Options
) -> None:
    folder = tmp_path_factory.mktemp("study") / "out"
    events = write_study(folder, np.random.default_rng(seed), options)
    in_summary: list[dict[str, Any]] = []
    named: list[dict[str, Any]] = []
    in_events: list[dict[str, Any]] = []
    in_episodes: list[dict[str, Any]] = []
    summary = table(folder / "summary.csv")
    rates = {(row["file"], row["face_id"]): row["episodes_per_minute"] for _, row in summary.iterrows()}
    for path in sorted((folder / "timelines").glob("*.csv")):
        timeline = table(path)
        if timeline["timestamp"].isna().any():
            lines, people = of_photos(timeline, options)
        else:
            offset = events.offset(timeline["file"].iloc[0])
            lines, bases = of_video(timeline, options, offset, rates)
            people = [line for line in lines if line["person"]]
            for (face, person), rows in split(timeline)[0].groupby(["face_id", "person"]):
                base = {"file": rows["file"].iloc[0], "face_id": face, "person": person}
                made = [] if options.smooth else episodes(rows, options)
                in_episodes += [base | one for one in made]
                if not options.smooth:
                    (line,) = (line for line in lines if line["face_id"] == face)
                    line["episodes_per_minute"] = len(made) / line["seconds_visible"] * 60
            in_events += of_events(timeline, options, events.of(timeline["file"].iloc[0]), bases)
        in_summary += lines
        named += people
    assert_equal(summary, in_summary)
    if not options.smooth:  # smoothed shares decide before they are rounded
        assert_equal(table(folder / "episodes.csv"), in_episodes, ["peak_time"])
    check_events(table(folder / "summary_by_event.csv"), in_events)
    found = table(folder / "summary_by_person.csv")
    assert_equal(found, [{key: line[key] for key in found.columns} for line in by_person(named)])
    check_long(table(folder / "summary_long.csv"), named, in_events)
    check_groups(folder, named)


def split(timeline: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that are summed up, with what they weigh, and those that are left out."""
    faces = timeline[timeline["success"] == 1]
    kept = faces[faces["left_out"] == ""]
    weight = kept["duration"] if timeline["timestamp"].notna().all() else 1.0
    return kept.assign(weight=weight), faces[faces["left_out"] != ""]


def of_photos(timeline: pd.DataFrame, options: Options) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A folder's line of summary.csv, and what goes into the lines of its persons."""
    kept, gone = split(timeline)
    if not len(kept):
        return [], []
    times = "first_seen last_seen seconds_visible seconds_left_out gaps seconds_missing episodes_per_minute".split()
    base = {"file": timeline["file"].iloc[0], "kind": "photos"} | dict.fromkeys(times)

    def line(rows: pd.DataFrame, gone: pd.DataFrame) -> dict[str, Any]:
        counts = {"face_id": None, "faces": len(rows), "faces_left_out": len(gone)}
        return base | counts | measures(rows) | (change(rows, rows.iloc[:0]) if options.baseline else {})

    people = [
        line(rows, gone[gone["person"] == place[0]]) | dict(zip(PLACE, place, strict=True))
        for place, rows in kept[kept["person"] != ""].groupby(PLACE, sort=False)
    ]
    return [line(kept, gone) | dict.fromkeys(PLACE, "")], people


def of_video(
    timeline: pd.DataFrame, options: Options, offset: float, rates: dict[tuple[str, int], float]
) -> tuple[list[dict[str, Any]], dict[int, pd.DataFrame]]:
    """The lines of summary.csv, and each face's rows in the baseline. The columns of the timeline are checked."""
    kept, gone = split(timeline)
    lines, bases = [], {}
    for face, rows in kept.groupby("face_id"):
        file, ends = rows["file"].iloc[0], rows["timestamp"] + rows["duration"]
        out = gone[gone["face_id"] == face]
        line = {"file": file, "kind": "video", "face_id": face, "faces": len(rows), "faces_left_out": len(out)}
        line |= {name: rows[name].iloc[0] for name in PLACE}
        line |= {"first_seen": rows["timestamp"].min(), "last_seen": ends.max()}
        line |= {"seconds_visible": rows["duration"].sum(), "seconds_left_out": out["duration"].sum()}
        line |= {"gaps": len(gaps(rows)), "seconds_missing": gaps(rows).sum()}
        line |= measures(rows) | {"episodes_per_minute": rates[file, face]}
        if options.smooth is not None:
            own = timeline.loc[rows.index, [f"smooth_{name}" for name in SEVEN]].to_numpy()
            assert np.abs(own - smoothed(rows, options.smooth)).max() <= 0.5000001e-4
        if options.baseline is not None:
            base = within(rows, *(seconds - offset for seconds in options.baseline))
            bases |= {face: base} if len(base) else {}
            line |= change(rows, base)
            own = timeline.loc[rows.index, [f"change_{name}" for name in SEVEN]]
            usual = np.array([mean(base, name) if len(base) else np.nan for name in SEVEN])
            np.testing.assert_allclose(own, rows[SEVEN].to_numpy() - usual, rtol=0, atol=0.5000001e-4)
        lines.append(line)
    return lines, bases


def of_events(
    timeline: pd.DataFrame, options: Options, events: Sequence[Event], bases: dict[int, pd.DataFrame]
) -> list[dict[str, Any]]:
    """The lines of summary_by_event.csv of a video."""
    kept, gone = split(timeline)
    begin, end = timeline["timestamp"].min(), (timeline["timestamp"] + timeline["duration"]).max()
    found = []
    for event in events:
        analysed = max(0.0, min(event.stop, end) - max(event.start, begin))
        base = {"file": event.file, "label": event.label, "start": event.start, "stop": event.stop}
        base["seconds_outside"] = event.stop - event.start - analysed
        lines = []
        for face, rows in kept.groupby("face_id"):
            part = within(rows, event.start, event.stop)
            if not len(part):
                continue
            out = within(gone[gone["face_id"] == face], event.start, event.stop)
            line = base | {name: part[name].iloc[0] for name in PLACE} | {"face_id": face, "faces": len(part)}
            line |= {"faces_left_out": len(out), "seconds_left_out": out["duration"].sum()}
            line |= {"seconds_visible": part["duration"].sum()}
            line["seconds_missing"] = analysed - line["seconds_visible"]
            line |= measures(part)
            if options.baseline is not None:
                line |= change(part, bases.get(face, part.iloc[:0]))
            lines.append(line)
        found += lines or [base | {"seconds_visible": 0, "seconds_missing": analysed, "faces": 0}]
    return found


def mean(rows: pd.DataFrame, name: str) -> float:
    """Mean of one share."""
    return float((rows[name] * rows["weight"]).sum() / rows["weight"].sum())


def change(rows: pd.DataFrame, base: pd.DataFrame) -> dict[str, Any]:
    """Means less those of the baseline; NaN without one."""
    here, usual = measures(rows), measures(base) if len(base) else {}
    found = {f"change_{name}": here[f"mean_{name}"] - usual.get(f"mean_{name}", np.nan) for name in SEVEN}
    return found | {"derived_valence_change": here["derived_valence"] - usual.get("derived_valence", np.nan)}


def stretches(rows: pd.DataFrame, shares: np.ndarray, options: Options) -> list[list[int]]:
    """Emotion, first row and last row of each stretch in which one of the six is shown without an interruption."""
    begin, end = rows["timestamp"].to_numpy(), (rows["timestamp"] + rows["duration"]).to_numpy()
    gap = options.episode_gap + MILLISECOND
    shown: list[list[int]] = []
    for row in range(len(rows)):
        leader = int(shares[row].argmax())
        before = shown[-1] if shown and shown[-1][2] == row - 1 and begin[row] - end[row - 1] <= gap else None
        emotion = leader if shares[row, leader] >= options.episode_enter else None
        if emotion is None and before is not None:
            other = shown[-2] if len(shown) > 1 and shown[-2][2] == before[1] - 1 else None
            if shares[row, before[0]] >= options.episode_leave:
                emotion = before[0]
            elif other and begin[row] - end[other[2]] <= gap and begin[before[1]] - end[other[2]] <= gap:
                emotion = other[0] if shares[row, other[0]] >= options.episode_leave else None
        if emotion is not None and before is not None and before[0] == emotion:
            before[2] = row
        elif emotion is not None:
            shown.append([emotion, row, row])
    return shown


def episodes(rows: pd.DataFrame, options: Options) -> list[dict[str, Any]]:
    """Of one face: hysteresis, then bridges over interruptions, then what is long enough."""
    shares = rows[SIX].to_numpy()
    begin, end = rows["timestamp"].to_numpy(), (rows["timestamp"] + rows["duration"]).to_numpy()
    lasts = rows["duration"].to_numpy()
    shown = stretches(rows, shares, options)
    spans = [(one[0], one[1], one[2], lasts[one[1] : one[2] + 1].sum()) for one in shown]
    while True:
        bridges = []
        for left, span in enumerate(spans):
            right = next((at for at in range(left + 1, len(spans)) if spans[at][0] == span[0]), None)
            if right is not None:
                away = begin[spans[right][1]] - end[span[2]]
                if away <= min(options.episode_gap, span[3], spans[right][3]) + MILLISECOND:
                    bridges.append((away, left, right))
        if not bridges:
            break
        _, left, right = min(bridges)
        whole = (spans[left][0], spans[left][1], spans[right][2], spans[left][3] + spans[right][3])
        spans = [*spans[:left], whole, *spans[right + 1 :]]
    found = []
    for emotion, first, last, seconds in spans:
        if seconds >= options.episode_shortest - MILLISECOND:
            own, weight = shares[first : last + 1, emotion], lasts[first : last + 1]
            line = {"emotion": SIX[emotion], "start": begin[first], "stop": end[last]}
            line |= {"duration": end[last] - begin[first], "mean": np.average(own, weights=weight), "peak": own.max()}
            found.append(line)
    return found


def check_events(found: pd.DataFrame, expected: list[dict[str, Any]]) -> None:
    """Lines without a face have times alone."""
    for (_, row), line in zip(found.iterrows(), expected, strict=True):
        one = pd.DataFrame([row])
        if "face_id" in line:
            assert_equal(one, [line], EPISODES)
        else:
            assert_equal(one[list(line)], [line])
            assert pd.isna(row["mean_anger"])


def by_person(named: list[dict[str, Any]], places: Sequence[str] = (*PLACE, "kind")) -> list[dict[str, Any]]:
    """Means over files, weighted by seconds, or by faces in photos."""
    parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in named:
        parts.setdefault(tuple(line[name] for name in places), []).append(line)
    people = []
    for key in sorted(parts):
        lines = pd.DataFrame(parts[key])
        video = lines["kind"].iloc[0] == "video"
        weights = lines["seconds_visible"].astype(float) if video else lines["faces"]
        person: dict[str, Any] = dict(zip(places, key, strict=True))
        person |= {"files": lines["file"].nunique(), "faces": lines["faces"].sum()}
        person["faces_left_out"] = lines["faces_left_out"].sum()
        person["seconds_visible"] = lines["seconds_visible"].sum() if video else None
        person["seconds_left_out"] = lines["seconds_left_out"].sum() if video else None
        for name in lines.columns:
            if name.startswith(("mean_", "change_")) or name in ("derived_valence", "derived_valence_change"):
                known = lines[name].notna()
                person[name] = np.average(lines[name][known], weights=weights[known]) if known.any() else np.nan
            if name.startswith("strongest_") and "without" not in name:
                person[name] = np.average(lines[name], weights=weights)
        rest = sum(person[f"strongest_{name}"] for name in SIX)
        for name in SIX:
            part = person[f"strongest_{name}"]
            person[f"strongest_{name}_without_neutral"] = part / rest if rest > 0 else np.nan
        bad = max(person[f"mean_{name}"] for name in ("anger", "disgust", "fear", "sadness"))
        person["derived_valence_of_means"] = person["mean_happiness"] - bad
        person["emotion"] = max(SEVEN, key=lambda name, person=person: person[f"mean_{name}"])
        person["episodes_per_minute"] = None
        if video:
            counts = (lines["episodes_per_minute"] * weights / 60).round()
            person["episodes_per_minute"] = counts.sum() / weights.sum() * 60
        people.append(person)
    return people


def check_long(found: pd.DataFrame, named: list[dict[str, Any]], in_events: list[dict[str, Any]]) -> None:
    """Each mean in a line of its own: whole files, then events."""
    lines = [line | {"event": "", "start": None} for line in named]
    lines += [line | {"event": line["label"], "kind": "video"} for line in in_events if line.get("person")]
    keys = [*PLACE, "kind", "file", "event", "start", "faces", "seconds_visible"]
    expected = [
        {key: line[key] for key in keys} | {"emotion": name, "value": line[f"mean_{name}"]}
        for line in lines
        for name in SEVEN
    ]
    assert_equal(found, expected)


def check_groups(folder: Path, named: list[dict[str, Any]]) -> None:
    """Means of groups, and differences between them, over persons who are one case each."""
    people = pd.DataFrame(by_person([line for line in named if line["group"]], ["person", "group", "kind"]))
    means, differences = table(folder / "summary_by_group.csv"), table(folder / "group_differences.csv")
    compared = 0
    for _, row in means.iterrows():
        own = people[(people["kind"] == row["kind"]) & (people["group"] == row["group"])]
        values = own[row["measure"]].dropna().astype(float)
        assert row["persons"] == len(values)
        assert abs(row["mean"] - values.mean()) <= 0.51e-4
        if len(values) < 5:
            written = [float(one) for one in row["values"].split(";")]
            assert np.abs(np.array(written) - values).max() <= 0.51e-4
            assert pd.isna(row["low"])
        elif np.ptp(values) > 1e-4:
            low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
            assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.51e-4)
    kinds = people["kind"].unique() if len(people) else []
    for kind in kinds:
        groups = sorted(people[people["kind"] == kind]["group"].unique())
        for first, second in combinations(groups, 2):
            here, there = (
                people[(people["kind"] == kind) & (people["group"] == one)].set_index("person")
                for one in (first, second)
            )
            rows = differences[(differences["kind"] == kind) & differences["measure"].eq("mean_anger")]
            rows = rows[rows["group"].isin([first, second]) & rows["other_group"].isin([first, second])]
            for _, row in rows.iterrows():
                one, other = (here, there) if row["group"] == first else (there, here)
                both = one.index.intersection(other.index)
                a, b = (one.loc[both], other.loc[both])
                if row["design"] == "unpaired":
                    a, b = one.drop(both), other.drop(both)
                assert (row["persons"], row["other_persons"]) == (len(a), len(b))
                assert abs(row["difference"] - (a["mean_anger"].mean() - b["mean_anger"].mean())) <= 0.51e-4
                compared += 1
    assert compared or not len(differences)
