"""The same person in several files is one person, weighed by time."""

from dataclasses import replace

import numpy as np
import pytest

from fer_batch.analysis.persons import summarize_persons
from fer_batch.emotions import EMOTIONS
from fer_batch.types import Kind, Summary

HAPPY, SAD = (np.eye(7)[EMOTIONS.index(name)] for name in ("happiness", "sadness"))


def seen(person: str, file: str, shares: np.ndarray, seconds: float | None, **values: object) -> Summary:
    valence = float(shares[3] - shares[4])
    fixed = Summary(file, Kind.VIDEO, 0, person, 10, 0.0, seconds, seconds, 0, 0.0, shares, shares, valence, 3)
    return replace(fixed, **values)


def test_a_person_of_two_videos_is_one_whose_seconds_weigh() -> None:
    summaries = [
        seen("Bo", "a", HAPPY, 30.0),
        seen("", "a", SAD, 99.0),
        seen("Bo", "b", SAD, 90.0),
        seen("Al", "b", SAD, 1),
    ]
    al, bo = summarize_persons(summaries)
    assert (al.summary.person, al.files) == ("Al", 1)
    assert (bo.summary.person, bo.files, bo.summary.faces, bo.summary.seconds_visible) == ("Bo", 2, 20, 120)
    assert bo.summary.means == pytest.approx(0.25 * HAPPY + 0.75 * SAD)
    assert bo.summary.strongest == pytest.approx(0.25 * HAPPY + 0.75 * SAD)
    assert bo.summary.valence == pytest.approx(-0.5)
    assert bo.summary.episodes_per_minute == 3


def test_groups_roles_and_kinds_are_not_mixed() -> None:
    parts = [{"group": "before"}, {"group": "after"}, {"role": "host"}, {"kind": Kind.PHOTOS, "seconds_visible": None}]
    found = summarize_persons(seen("Bo", "a", HAPPY, 1.0, **part) for part in parts)
    assert len(found) == 4


def test_photos_weigh_their_faces() -> None:
    photos = {"kind": Kind.PHOTOS, "seconds_visible": None, "episodes": None}
    parts = [seen("Bo", "a", HAPPY, None, faces=1, **photos), seen("Bo", "b", SAD, None, faces=3, **photos)]
    (bo,) = summarize_persons(parts)
    assert bo.summary.means == pytest.approx(0.25 * HAPPY + 0.75 * SAD)
    assert (bo.summary.seconds_visible, bo.summary.episodes_per_minute) == (None, None)


def test_a_video_without_times_weighs_nothing_beside_others() -> None:
    (bo,) = summarize_persons([seen("Bo", "a", HAPPY, 1.0), seen("Bo", "raw.h264", SAD, None, episodes=None)])
    assert bo.summary.means == pytest.approx(HAPPY)
    assert (bo.summary.faces, bo.summary.seconds_visible, bo.summary.episodes) == (20, 1.0, 3)
