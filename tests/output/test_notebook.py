"""A timeline that is summed up in a notebook gives what summary.csv says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fer_batch
from fer_batch.analysis.summary import summarize
from fer_batch.annotations.load import Annotations
from fer_batch.emotions import EMOTIONS
from fer_batch.options import Options
from fer_batch.output.csv import read_table, write_summary, write_timeline
from fer_batch.output.schema import SUMMARY
from fer_batch.types import Kind, Source
from tests.helpers.timelines import make_timeline

VIDEO = Source(Kind.VIDEO, "film.mp4", (), "film.mp4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from(Kind), st.booleans())
def test_it_is_equal_to_summary_csv(folder: Path, seed: int, kind: Kind, smoothed: bool) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 80))
    duration = rng.choice([0.04, 0.033367, 0.2], count)
    shares = rng.dirichlet(np.full(7, 0.3), count)
    shares[rng.random(count) < 0.2] = 1 / 7  # a tie
    gone = rng.random(count) < 0.2
    source = VIDEO if kind is Kind.VIDEO else replace(VIDEO, kind=kind, name="")
    timed = kind is Kind.VIDEO
    timeline = make_timeline(
        np.where(gone[:, np.newaxis], np.nan, shares),
        person=rng.choice(["", "Anna"]) if timed else "",
        min_quality=0.3,
        frame=np.arange(count),
        timestamp=(np.cumsum(duration) - duration).round(6) if timed else np.nan,
        duration=duration if timed else np.nan,
        face_id=np.where(gone, -1, rng.integers(0, 1 if timed else 3, count)),
        quality=rng.random(count).round(4),
        spurious=rng.random(count) < 0.1,
    )
    options = Options(smooth=0.5 if smoothed else None)
    found, added = summarize(timeline, source, options, Annotations())
    write_summary(folder / "summary.csv", found.summaries)
    write_timeline(folder / "timeline.csv", timeline, added.smoothed, source="video")
    table = fer_batch.read_timeline(folder / "timeline.csv")
    pd.testing.assert_frame_equal(fer_batch.summarize(table, options), read_table(folder / "summary.csv", SUMMARY))


def test_rows_are_weighted_by_their_durations_and_spurious_ones_do_not_count(folder: Path) -> None:
    shares = np.eye(7)[[3, 6, 5]]
    durations = np.array([0.3, 0.1, 0.6])
    timeline = make_timeline(
        shares, timestamp=np.cumsum(durations) - durations, duration=durations, spurious=[False, False, True]
    )
    write_timeline(folder / "timeline.csv", timeline, source="video")
    table = fer_batch.read_timeline(folder / "timeline.csv")
    (row,) = fer_batch.summarize(table).to_dict("records")
    assert [row[f"mean_{name}"] for name in EMOTIONS] == pytest.approx([0, 0, 0, 0.75, 0, 0, 0.25])
    assert (row["faces"], row["faces_left_out"]) == (2, 1)


def test_a_person_and_an_emotion_that_are_missing_are_na(folder: Path) -> None:
    timeline = make_timeline(np.array([[1, 0, 0, 0, 0, 0, 0], [np.nan] * 7]), face_id=[0, -1])
    write_timeline(folder / "timeline.csv", timeline, source="video")
    table = fer_batch.read_timeline(folder / "timeline.csv")
    assert table["person"].isna().all()
    assert table["emotion"].isna().tolist() == [False, True]
    assert table["left_out"].tolist() == ["", ""]
