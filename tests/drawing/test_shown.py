"""Which faces are drawn in which frame."""

import numpy as np

from fer_batch.drawing.shown import Shown
from fer_batch.emotions import EMOTIONS
from fer_batch.exports.tiers import name_of
from fer_batch.output.csv import read_table
from fer_batch.output.schema import TIMELINE
from fer_batch.types import FrameTime
from tests.helpers.studies import frames, make_study


def shown_of(folder, rows) -> Shown:
    make_study(folder, {"a.mp4": rows})
    return Shown(read_table(folder / "timelines" / "a.mp4.csv", TIMELINE), name_of)


def test_a_face_has_its_name_and_its_shares(tmp_path) -> None:
    rows = [*frames([0, 0.04], ["anger", "fear"], 0, "Anna"), *frames([0, 0.04], ["fear"] * 2, 1)]
    here = shown_of(tmp_path / "out", rows).at(FrameTime("a.mp4", 1, 0.04))
    assert [(face.name, EMOTIONS[int(np.argmax(face.shares))]) for face in here] == [
        ("Anna", "fear"),
        ("face 1", "fear"),
    ]


def test_between_sampled_frames_a_face_stays_as_long_as_its_row_lasts(tmp_path) -> None:
    shown = shown_of(tmp_path / "out", [(0.0, 0.2, 0, "", "anger"), (0.5, 0.2, 0, "", "fear")])
    number_of = {0.0: 0, 0.1: 0, 0.3: 0, 0.5: 1, 0.65: 2, 0.8: 3}
    seen = {
        at: bool(shown.at(FrameTime("a.mp4", number, at))) for at, number in number_of.items() if number != 0 or at == 0
    }
    assert seen == {0.0: True, 0.5: True, 0.65: True, 0.8: False}


def test_before_the_first_sampled_frame_there_is_nothing(tmp_path) -> None:
    shown = shown_of(tmp_path / "out", [(0.0, 0.2, 0, "", "anger")])
    assert shown.at(FrameTime("a.mp4", -1, 0.0)) == []
    assert shown.boxes(5) == []
