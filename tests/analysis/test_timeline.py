"""A timeline's arrays hold the numbers that its table holds."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from fer_batch.analysis.timeline import ROW, Timeline
from fer_batch.types import Box, Detection, Face, FrameTime, TrackedFrame

times = st.none() | st.floats(0, 1e6)


def one_face(shares: np.ndarray, seconds: float | None = None, quality: float = 1.0) -> Timeline:
    face = Face(3, Detection(Box(1.5, -2.4, 30.6, 40.2), 0.5), shares, quality)
    return Timeline.of([TrackedFrame(FrameTime("a.mp4", 7, seconds, seconds), (face,))])


@given(st.lists(st.floats(0, 1, width=32), min_size=7, max_size=7), times, st.floats(0, 1))
@example([0.00005, 0.5 / 4096, 1.5 / 4096, 0.25, 0.12345, 0.99995, 1.0], 1 / 128, 0.99995)
@example([n / 20_000 for n in (1, 3, 5, 7, 9, 11, 13)], 2.5e-6, 0.00005)
def test_numbers_are_rounded_as_texts_are(values: list[float], seconds: float | None, quality: float) -> None:
    shares = np.array(values, np.float32)
    timeline = one_face(shares, seconds, quality)
    assert timeline.shares[0].tolist() == [float(f"{value:.4f}") for value in shares.tolist()]
    (row,) = timeline.rows
    assert row["quality"] == float(f"{quality:.4f}")
    if seconds is None:
        assert np.isnan([row["timestamp"], row["duration"]]).all()
    else:
        assert row["timestamp"] == row["duration"] == float(f"{seconds:.6f}")
    assert timeline.strongest[0] == shares.argmax()


def test_a_row_holds_what_is_known_of_a_face() -> None:
    (row,) = one_face(np.eye(7, dtype=np.float32)[2]).rows
    assert row[["frame", "face_id", "x", "y", "width", "height"]].item() == (7, 3, 2, -2, 31, 40)


def test_a_frame_without_a_face_is_a_row_without_success() -> None:
    frames = [TrackedFrame(FrameTime("a.png", 0), ()), *[TrackedFrame(FrameTime("b.png", 1), ())] * 2]
    timeline = Timeline.of(frames)
    assert len(timeline) == 3
    assert not timeline.success.any()
    assert np.isnan(timeline.shares).all()
    assert timeline.text("file") == ["a.png", "b.png", "b.png"]
    assert timeline.text("person") == ["", "", ""]


def test_an_empty_timeline_has_no_rows() -> None:
    assert (len(Timeline.of([])), Timeline.of([]).rows.dtype) == (0, ROW)
