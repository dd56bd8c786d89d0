"""What the first page says in words: true of the tables, and not said where an interval holds zero."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_batch.analysis.groups import interval_of_mean
from fer_batch.emotions import EMOTIONS
from fer_batch.options import ReportOptions
from fer_batch.output.results import Results
from fer_batch.output.schema import BY_EVENT, DIFFERENCES, ERRORS, MEANS, SUMMARY
from fer_batch.report.findings import _stretches, findings
from fer_batch.report.model_card import Accuracy
from fer_batch.report.pages.overview import Moment, OverviewRow, Segment, _stripe
from fer_batch.types import Kind

HAPPINESS = EMOTIONS.index("happiness")
ACCURACY = Accuracy(100, 0.7, (0.5, 0.6, 0.5, 0.9, 0.6, 0.8, 0.7), ())


def table(columns, rows):
    """These rows, with the types that a table read from disk has; missing strings are empty."""
    found = pd.DataFrame(list(rows), columns=[column.name for column in columns])
    kinds = {column.name: column.type for column in columns}
    return pd.DataFrame(
        {
            name: found[name].astype(object).where(found[name].notna(), "")
            if kinds[name] == "string"
            else found[name].astype(float)
            for name in found
        }
    )


def tables(summary=(), differences=(), by_event=(), errors=(), counts=None):
    """The tables of an output folder, of rows with the values that matter."""
    optional = {
        "group_differences.csv": table(DIFFERENCES, differences),
        "summary_by_event.csv": table(BY_EVENT, by_event),
    }
    run = {"counts": counts or {}, "sources": []}
    return Results(Path("out"), run, table(SUMMARY, summary), table(ERRORS, errors), optional, {}, ReportOptions())


def said(results, rows=(), moments=(), accuracy=None):
    return [f"{one.text} {one.detail}".strip() for one in findings(results, rows, moments, accuracy)]


def of_face(person, happiness, surprise=0.1, seconds=10.0, file=None, **more):
    shares = np.full(7, (1 - happiness - surprise) / 5)
    shares[HAPPINESS], shares[EMOTIONS.index("surprise")] = happiness, surprise
    named = dict(zip(MEANS, shares, strict=True))
    return (
        {"file": file or f"{person}.mp4", "kind": "video", "person": person, "seconds_visible": seconds} | named | more
    )


def difference(emotion, mean, low, high, design="unpaired"):
    row = {"kind": "video", "group": "a", "other_group": "b", "measure": f"mean_{emotion}", "design": design}
    return row | {"persons": 8, "other_persons": 9, "difference": mean, "low": low, "high": high}


def test_groups_that_differ_are_named_the_higher_first():
    rows = [difference("fear", 0.01, -0.02, 0.04), difference("happiness", -0.1, -0.15, -0.05)]
    assert said(tables(differences=rows)) == [
        "b shows more happiness than a: by 10.0 points. 95 % interval over 9 and 8 persons: 5.0 to 15.0 points. The "
        "only one of 2 such comparisons whose interval leaves zero out; by chance about 0.1 would."
    ]


@pytest.mark.parametrize(("low", "high"), [(-0.01, 0.2), (-0.2, 0.0), (0.0, 0.2), (np.nan, np.nan)])
def test_groups_whose_interval_holds_zero_are_not_named(low, high):
    assert said(tables(differences=[difference("happiness", 0.1, low, high)])) == []


def test_neutral_and_other_measures_are_no_finding():
    rows = [difference("neutral", 0.1, 0.05, 0.15), difference("x", 1, 0.5, 1.5) | {"measure": "derived_valence"}]
    assert said(tables(differences=rows)) == []


def test_persons_in_both_groups_are_counted_once():
    (text,) = said(tables(differences=[difference("fear", 0.1, 0.05, 0.15, "paired")]))
    assert "95 % interval over 8 persons who are in both: 5.0 to 15.0 points." in text


INSIDE = [0.42, 0.5, 0.44, 0.46, 0.52, 0.4]
OUTSIDE = [0.2, 0.25, 0.22, 0.24, 0.3, 0.21]


def an_event(inside, outside):
    """Faces that are visible for 4 s of an event and for 6 s of the rest."""
    people = [f"P{number}" for number in range(len(inside))]
    whole = [
        of_face(person, 0.4 * there + 0.6 * elsewhere)
        for person, there, elsewhere in zip(people, inside, outside, strict=True)
    ]
    event = [
        of_face(person, there, seconds=4.0, label="joke", faces=100)
        for person, there in zip(people, inside, strict=True)
    ]
    return whole, event


def test_an_event_is_compared_with_the_rest_of_the_same_videos():
    whole, event = an_event(INSIDE, OUTSIDE)
    text = next(one for one in said(tables(whole, by_event=event)) if one.startswith("During"))
    changes = np.array(INSIDE) - OUTSIDE
    low, high = stats.ttest_1samp(changes, 0).confidence_interval()
    assert text.startswith(
        "During “joke” there is more happiness than in the rest of the same videos: "
        f"by {100 * changes.mean():.1f} points. 95 % interval over 6 persons: "
        f"{100 * low:.1f} to {100 * high:.1f} points."
    )


@pytest.mark.parametrize("inside", [OUTSIDE[::-1], INSIDE[:4]])
def test_an_event_that_changes_nothing_or_has_few_persons_is_not_named(inside):
    whole, event = an_event(inside, OUTSIDE[: len(inside)])
    assert [one for one in said(tables(whole, by_event=event)) if one.startswith("During")] == []


def test_an_event_that_fills_its_video_is_compared_with_nothing():
    whole, event = an_event(INSIDE, OUTSIDE)
    event = [row | {"seconds_visible": 10.0} for row in event]
    assert [one for one in said(tables(whole, by_event=event)) if one.startswith("During")] == []


def test_what_is_shown_most_is_named_with_its_interval():
    values = [0.3, 0.35, 0.32, 0.28, 0.4]
    rows = [of_face(f"P{at}", value, surprise=0.1 + at / 100) for at, value in enumerate(values)]
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    (text,) = said(tables(rows))
    assert text.startswith("Of the six expressions happiness is shown most")
    assert text.endswith("points more than surprise.")
    assert f"33.0 % on average. 95 % interval over 5 persons: {100 * low:.1f} to {100 * high:.1f} %" in text


def test_without_names_a_video_is_one_case():
    rows = [
        of_face("", value, file=f"{at}.mp4") for at, value in enumerate([0.3, 0.35, 0.32, 0.28, 0.4]) for _ in range(3)
    ]
    assert "over 5 videos" in said(tables(rows))[0]


@pytest.mark.parametrize("values", [[0.3, 0.05, 0.3, 0.02, 0.25], [0.5] * 4])
def test_nothing_is_shown_most_where_persons_disagree_or_are_few(values):
    rows = [of_face(f"P{at}", value, surprise=0.35 - value if value < 0.4 else 0.1) for at, value in enumerate(values)]
    assert said(tables(rows)) == []


def a_row(label, happiness):
    """Ten stretches of ten columns with these shares of happiness."""
    bins = np.zeros((100, 7))
    bins[:, HAPPINESS] = np.repeat(happiness, 10)
    bins[:, 6] = 1 - bins[:, HAPPINESS]
    segment = Segment("a.mp4", "p", 0, (0, 100), "seconds", 100.0, tuple(bins.mean(0)), bins, _stripe(bins, ()), None)
    return OverviewRow(Kind.VIDEO, label, False, "", "", (segment,))


def test_who_shows_most_is_named_where_stretches_tell_them_apart():
    rng = np.random.default_rng(0)
    rows = [a_row(f"Face {at}", mean + rng.normal(0, 0.05, 10)) for at, mean in enumerate((0.2, 0.5, 0.3))]
    first, second = (row.segments[0].bins[::10, HAPPINESS] for row in (rows[1], rows[2]))
    low, high = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert [one for one in said(tables(), rows) if one.startswith("Of all")] == [
        f"Of all 3 Face 1 shows most happiness, {100 * first.mean():.1f} %; Face 2 comes next with "
        f"{100 * second.mean():.1f} %. 95 % interval over stretches of 10 s or longer: "
        f"{100 * low:.1f} to {100 * high:.1f} points."
    ]
    assert not any(one.startswith("Of all") for one in said(tables(), rows[:1]))
    alike = [a_row(f"Face {at}", 0.3 + rng.normal(0, 0.1, 10)) for at in range(2)]
    assert not any(one.startswith("Of all") for one in said(tables(), alike))


def test_of_few_videos_each_is_told_what_it_shows_most():
    values = np.array([0.3, 0.35, 0.32, 0.28, 0.4, 0.3, 0.36, 0.32, 0.27, 0.4])
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    first = (
        "Face 0 shows happiness most of the six expressions: 33.0 %. 95 % interval over stretches of 10 s or longer: "
    )
    assert said(tables(), [a_row("Face 0", values)])[0].startswith(f"{first}{100 * low:.1f} to {100 * high:.1f} %;")
    many = [of_face("", 0.1, file=f"{at}.mp4", seconds=0.0) for at in range(5)]
    assert said(tables(many), [a_row("Face 0", values)]) == []
    assert said(tables(), [a_row("Face 0", [0.3, 0.0] + [0.0] * 8)]) == []


def test_intervals_over_stretches_hold_the_truth():
    """Of videos of 100 s whose shares are alike for a second; the constant's text has other lengths."""
    rng = np.random.default_rng(0)
    shares = np.zeros((100, 300))
    for at in range(1, 100):
        shares[at] = np.exp(-1) * shares[at - 1] + rng.normal(size=300)
    bins = np.zeros((100, 7))
    held = 0
    for one in shares.T:
        bins[:, HAPPINESS] = one
        segment = replace(a_row("x", np.zeros(10)).segments[0], bins=bins)
        low, high = interval_of_mean(_stretches(OverviewRow(Kind.VIDEO, "x", False, "", "", (segment,)), HAPPINESS))
        held += low < 0 < high
    assert 0.9 < held / 300 < 0.98


def test_a_short_video_has_too_few_stretches():
    row = a_row("Face 0", np.full(10, 0.3) + np.arange(10) / 100)
    segment = replace(row.segments[0], extent=(0.0, 49.0))
    assert said(tables(), [row]) != []
    assert said(tables(), [replace(row, segments=(segment,))]) == []


def test_the_strongest_moment_is_named_with_the_models_recall():
    moment = Moment("a.mp4", "Anna", 0, "pages/a.mp4.html", "happiness", 1.0, 3.0, 0.9321, 2.04)
    assert said(tables(), moments=[moment], accuracy=ACCURACY) == [
        "The strongest moment is of Anna: 93.2 % happiness. The model recognises 90 % of the faces labelled Happiness."
    ]
    assert said(tables(), moments=[moment]) == []


def test_what_was_left_out_is_said_where_it_matters():
    lost = {"file": "b.mp4", "severity": "lost", "reason": "gone"}
    partial = lost | {"severity": "partial"}
    start = "Not everything is in these numbers: "
    assert said(tables(errors=[lost])) == [f"{start}1 file could not be read."]
    assert said(tables(errors=[partial])) == [f"{start}of 1 file something is missing."]
    both = [lost, partial | {"file": "c.mp4"}]
    assert said(tables(errors=both)) == [f"{start}1 file could not be read, and of 1 file something is missing."]
    counts = {"faces": 95, "faces_left_out": {"quality": 4, "spurious": 1}}
    assert said(tables(counts=counts)) == ["5.0 % of the faces found (5 of 100) are in none of these numbers."]
    assert said(tables(counts=counts | {"faces": 96})) == []
    assert said(tables()) == []
