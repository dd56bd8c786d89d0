"""Every table, computed again from the timelines by what docs say, in pandas alone; and every page, from the tables.

Nothing of fer_batch.analysis is used for that. Values must be equal to the last digit of the tables, and of the pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from fer_batch.annotations.events import Event
from fer_batch.options import Options
from fer_batch.report.render import render
from tests.helpers.drawn_study import write_study
from tests.helpers.page_numbers import check_pages

SEVEN = "anger disgust fear happiness sadness surprise neutral".split()
SIX = SEVEN[:6]
PLACE = ["person", "role", "group"]
MILLISECOND = 0.001
FEWEST = 5
EDGES = np.arange(-5, 15.5, 0.5)


def table(path: Path) -> pd.DataFrame:
    """A table as pandas reads it; texts that are empty stay so."""
    texts = ["file", *PLACE, "emotion", "left_out", "label", "event", "kind", "measure", "design", "values"]
    texts += ["other_values", "other_group", "over", "severity", "reason"]
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
    return np.array(parts).round(9)  # a share that stands alone is what it was


def within(rows: pd.DataFrame, start: float, stop: float) -> pd.DataFrame:
    """The parts of rows that lie in an interval."""
    begin, end = rows["timestamp"].clip(start, stop), (rows["timestamp"] + rows["duration"]).clip(start, stop)
    return rows.assign(timestamp=begin, duration=end - begin, weight=end - begin)[end > begin]


def assert_equal(found: pd.DataFrame, expected: Sequence[dict[str, Any]]) -> None:
    """Each value of a table is the expected one, rounded as the table is."""
    assert len(found) == len(expected)
    for (_, row), values in zip(found.iterrows(), expected, strict=True):
        assert set(values) == set(found.columns)
        for name, value in values.items():
            if isinstance(value, str):
                assert row[name] == value, name
            elif value is None or np.isnan(value):
                assert pd.isna(row[name]), name
            else:
                digits = 6 if name in SECONDS else 4
                assert abs(row[name] - value) <= 0.5000001 * 10**-digits + 1e-9, (name, row[name], value)


SECONDS = (
    "duration first_seen last_seen seconds_visible seconds_left_out seconds_missing seconds_outside start stop "
    "peak_time".split()
)
options = st.builds(
    Options,
    smooth=st.sampled_from([None, 0.3, 2.0]),
    baseline=st.sampled_from([None, (0.0, 0.5), (1.0, 3.0)]),
    min_quality=st.sampled_from([0.0, 0.3]),
    people=st.just(Path("people.csv")),
    events=st.just(Path("events.csv")),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(seed=st.integers(0, 2**32 - 1), sources=st.sampled_from([3, 12]), options=options)
def test_every_table_is_what_docs_say_of_the_timelines_and_pages_are_what_tables_say(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sources: int, options: Options
) -> None:
    folder = tmp_path_factory.mktemp("study") / "out"
    events = write_study(folder, np.random.default_rng(seed), options, sources)
    in_summary: list[dict[str, Any]] = []
    named: list[dict[str, Any]] = []
    in_events: list[dict[str, Any]] = []
    in_episodes: list[dict[str, Any]] = []
    around: list[tuple[pd.DataFrame, Event]] = []
    timelines = {path.stem: table(path) for path in sorted((folder / "timelines").glob("*.csv"))}
    for file, timeline in timelines.items():
        if timeline["timestamp"].isna().any():
            lines, people = of_photos(timeline, options)
        else:
            made = {
                face: episodes(rows, shown(timeline, rows, options), options)
                for face, rows in split(timeline)[0].groupby("face_id")
            }
            in_episodes += [episode for face in made for episode in made[face]]
            lines, bases = of_video(timeline, options, events.offset(file), made)
            people = [line for line in lines if line["person"]]
            in_events += of_events(timeline, options, events.of(file), bases, made)
            around += [(split(timeline)[0], event) for event in events.of(file)]
        in_summary += lines
        named += people
    assert_equal(table(folder / "summary.csv"), in_summary)
    assert_equal(table(folder / "episodes.csv"), in_episodes)
    check_events(table(folder / "summary_by_event.csv"), in_events)
    check_event_time(table(folder / "summary_by_event_time.csv"), around)
    found = table(folder / "summary_by_person.csv")
    assert_equal(found, [{key: line[key] for key in found.columns} for line in by_person(named)])
    check_long(table(folder / "summary_long.csv"), named, in_events)
    check_groups(folder, named)
    render(folder)
    check_pages(folder, {path.name: table(path) for path in folder.glob("*.csv")}, timelines)


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
    timeline: pd.DataFrame, options: Options, offset: float, made: Mapping[int, Sequence[dict[str, Any]]]
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
        line |= measures(rows) | {"episodes_per_minute": len(made[face]) / rows["duration"].sum() * 60}
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
    timeline: pd.DataFrame,
    options: Options,
    events: Sequence[Event],
    bases: dict[int, pd.DataFrame],
    made: Mapping[int, Sequence[dict[str, Any]]],
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
            begun = [episode for episode in made[face] if event.start <= episode["start"] < event.stop]
            line |= measures(part) | {"episodes_per_minute": len(begun) / line["seconds_visible"] * 60}
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


def shown(timeline: pd.DataFrame, rows: pd.DataFrame, options: Options) -> np.ndarray:
    """The shares of the six that decide episodes: smoothed ones, if there are any, before they are rounded."""
    if options.smooth is None:
        return rows[SIX].to_numpy()
    shares = smoothed(rows, options.smooth)
    written = timeline.loc[rows.index, [f"smooth_{name}" for name in SEVEN]].to_numpy()
    assert np.abs(written - shares).max() <= 0.5000001e-4
    return shares[:, :6]


def episodes(rows: pd.DataFrame, shares: np.ndarray, options: Options) -> list[dict[str, Any]]:
    """Of one face: hysteresis, then bridges over interruptions, then what is long enough."""
    base = {name: rows[name].iloc[0] for name in ("file", "face_id", "person")}
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
            found.append(base | line | {"peak_time": begin[first + own.argmax()]})
    return found


def check_events(found: pd.DataFrame, expected: list[dict[str, Any]]) -> None:
    """Lines without a face have times alone."""
    for (_, row), line in zip(found.iterrows(), expected, strict=True):
        one = pd.DataFrame([row])
        if "face_id" in line:
            assert_equal(one, [line])
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


def check_event_time(found: pd.DataFrame, around: Sequence[tuple[pd.DataFrame, Event]]) -> None:
    """Means in bins of half a second around the starts of events: of a person, then over persons, or over videos."""
    parts = [part for kept, event in around for part in near(kept, event)]
    named = any(part["person"] for part in parts)
    expected: dict[tuple[Any, ...], tuple[np.ndarray, np.ndarray]] = {}
    for label in {part["label"] for part in parts}:
        of_label = [part for part in parts if part["label"] == label and (part["person"] or not named)]
        for group in {"", *(part["group"] for part in of_label)}:
            chosen = [part for part in of_label if group in ("", part["group"])]
            names = [part["person"] or part["file"] for part in chosen]
            cases = [
                person([part for part, one in zip(chosen, names, strict=True) if one == name]) for name in set(names)
            ]
            for second, name in np.ndindex(len(EDGES) - 1, 7):
                here, change = (np.array([case[at][second, name] for case in cases]) for at in (0, 1))
                if not np.isnan(here).all():
                    key = (label, group, EDGES[second], SEVEN[name])
                    expected[key] = here[~np.isnan(here)], change[~np.isnan(change)]
    assert len(found) == len(expected)
    for row in found.to_dict("records"):
        here, change = expected[row["label"], row["group"], row["seconds"], row["emotion"]]
        assert (row["cases"], row["over"]) == (len(here), "persons" if named else "videos")
        assert_near(row["mean"], here.mean())
        assert_near((row["low"], row["high"]), interval(here))
        assert_near(row["change"], change.mean() if len(change) else np.nan)
        assert_near((row["change_low"], row["change_high"]), interval(change))


def near(kept: pd.DataFrame, event: Event) -> Iterator[dict[str, Any]]:
    """Of each face that is visible around an event: seconds in each bin, and seconds times shares."""
    for _, rows in kept.groupby("face_id"):
        begin = rows["timestamp"].to_numpy()[:, np.newaxis]
        end, at = begin + rows["duration"].to_numpy()[:, np.newaxis], event.start + EDGES
        seconds = np.minimum(end, at[1:]) - np.maximum(begin, at[:-1])
        seconds = np.where(seconds > MILLISECOND**2 / 2, seconds, 0)
        if seconds.any():
            names = {name: rows[name].iloc[0] for name in ("person", "group", "file")}
            amounts = seconds.T @ rows[SEVEN].to_numpy()
            yield names | {"label": event.label, "seconds": seconds.sum(axis=0), "amounts": amounts}


def person(parts: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean shares in each bin over all occurrences, and what they are more than in the 5 s before the start."""
    seconds, amounts = (sum(part[name] for part in parts) for name in ("seconds", "amounts"))
    before = EDGES[:-1] < 0
    with np.errstate(invalid="ignore"):
        means = amounts / seconds[:, np.newaxis]
        return means, means - amounts[before].sum(axis=0) / seconds[before].sum()


def interval(values: np.ndarray, others: np.ndarray | None = None) -> tuple[float, float]:
    """Student's t interval of a mean, or Welch's of a difference; NaN below five persons, or if nobody differs."""
    every = [values] if others is None else [values, others]
    if min(map(len, every)) < FEWEST or max(map(np.ptp, every)) < 1e-9:
        return np.nan, np.nan
    if others is None:
        low, high = DescrStatsW(values).tconfint_mean(0.05)
    else:
        low, high = CompareMeans(DescrStatsW(values), DescrStatsW(others)).tconfint_diff(0.05, usevar="unequal")
    return float(low), float(high)


def assert_near(found: Any, expected: Any) -> None:
    """Equal to four decimals, or missing in both."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.5000001e-4 + 1e-9)


def check_groups(folder: Path, named: list[dict[str, Any]]) -> None:
    """Means of groups, and differences between them, over persons who are one case each."""
    people = pd.DataFrame(by_person([line for line in named if line["group"]], ["person", "group", "kind"]))
    means, differences = table(folder / "summary_by_group.csv"), table(folder / "group_differences.csv")
    if not len(people):
        assert len(means) + len(differences) == 0
        return
    measured = [
        name
        for name in people.columns
        if name == "episodes_per_minute" or name.startswith(("mean_", "strongest_", "change_", "derived_"))
    ]
    measured = [name for name in measured if "without" not in name]
    expected: dict[tuple[str, ...], pd.Series[float]] = {}
    for (kind, group), rows in people.groupby(["kind", "group"]):
        for measure in measured:
            values = rows.set_index("person")[measure].astype(float).dropna().sort_index()
            if len(values):
                expected[kind, group, measure] = values
    assert len(means) == len(expected)
    for row in means.to_dict("records"):
        values = expected[row["kind"], row["group"], row["measure"]]
        assert row["persons"] == len(values)
        assert_near(row["mean"], values.mean())
        assert_near((row["low"], row["high"]), interval(values.to_numpy()))
        check_values(row["values"], values, few=len(values) < FEWEST)
    compared: dict[tuple[str, ...], tuple[pd.Series[float], pd.Series[float]]] = {}
    for first, second in combinations(sorted(expected), 2):
        if (first[0], first[2]) == (second[0], second[2]):
            here, there = expected[first], expected[second]
            both = here.index.intersection(there.index)
            compared[*first, second[1], "paired"] = (here[both], there[both])
            compared[*first, second[1], "unpaired"] = (here.drop(both), there.drop(both))
    compared = {key: values for key, values in compared.items() if min(map(len, values))}
    assert len(differences) == len(compared)
    for row in differences.to_dict("records"):
        here, there = compared[row["kind"], row["group"], row["measure"], row["other_group"], row["design"]]
        one, other = here.to_numpy(), there.to_numpy()
        paired, few = row["design"] == "paired", min(len(one), len(other)) < FEWEST
        assert (row["persons"], row["other_persons"]) == (len(one), len(other))
        assert_near(row["difference"], one.mean() - other.mean())
        assert_near((row["low"], row["high"]), interval(one - other) if paired else interval(one, other))
        varied = not few and max(np.ptp(one), np.ptp(other)) > 1e-9
        sizes = (one.mean(), one.std(ddof=1), len(one), other.mean(), other.std(ddof=1), len(other)) if varied else None
        assert_near(row["hedges_g"], effectsize_smd(*sizes)[0] if sizes else np.nan)
        check_values(row["values"], here, few)
        check_values(row["other_values"], there, few)


def check_values(found: str, values: "pd.Series[float]", few: bool) -> None:
    """The value of each person, in the order of their names, where there is no interval."""
    written = [float(one) for one in found.split(";")] if found else []
    assert_near(written, values.to_numpy() if few else [])
