"""script_data: what a page's script reads is what the timeline says."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from fer_batch.emotions import EMOTIONS
from fer_batch.report.charts import script_data
from fer_batch.report.charts.curve import NO_MARKS, Marks, binned, frame_times
from tests.helpers.timelines import make_timeline
from tests.report.test_charts import a_curve

NO_FRAMES = {"faces": [{"rows": script_data.MOST_INLINE + 1}]}


def face(curve, marks=NO_MARKS):
    return script_data.ChartedFace(0, {"raw": curve}, marks)


def array(text, kind="<i2"):
    return np.frombuffer(base64.b64decode(text), kind)


def test_a_long_video_is_packed_as_it_is_drawn():
    curve = a_curve(5000, range(5000))
    data = json.loads(script_data.video_data([face(curve)], NO_FRAMES, start=1.5))
    shown = binned(curve)
    packed = data["charted"][0]["curves"]["raw"]
    assert array(packed["starts"], "<f8") == pytest.approx(shown.starts)
    assert array(packed["ends"], "<f8") == pytest.approx(shown.ends)
    for name, values in (("means", shown.means), ("lows", shown.lows), ("highs", shown.highs)):
        assert array(packed[name]).reshape(-1, 7) / 10_000 == pytest.approx(values, abs=0.00005001)
    assert array(packed["joined"], np.uint8).astype(bool).tolist() == shown.joined.tolist()
    assert data["start"] == 1.5
    assert data["frames"] is None


def test_changes_and_missing_numbers_are_packed():
    curve = a_curve(2, range(2))
    change = np.array([[-1.0, 0.25, *[0.0] * 5], [np.nan] * 7])
    packed = script_data.packed(replace(curve, means=change))
    assert array(packed["means"]).reshape(-1, 7)[:, :2].tolist() == [[-10_000, 2500], [script_data.MISSING] * 2]


@pytest.fixture
def timeline(tmp_path):
    """Faces 0 and 7 in frames 0, 2, ... 18; face 7 is missing in two of them, and frame 10 shows none."""
    from fer_batch.output.csv import read_timeline, write_timeline

    rng = np.random.default_rng(0)
    places = [(frame, face_id) for frame in range(0, 20, 2) for face_id in (0, 7) if not (face_id and frame in (4, 6))]
    places = [(frame, face_id) if frame != 10 else (10, -1) for frame, face_id in places]
    places = list(dict.fromkeys(places))
    shares = np.array([rng.dirichlet(np.ones(7)) if face_id >= 0 else [np.nan] * 7 for _, face_id in places])
    frames = np.array([frame for frame, _ in places])
    made = make_timeline(
        shares,
        "film.mp4",
        [""] * len(places),
        frame=frames,
        timestamp=frames / 25,
        duration=np.full(len(frames), 0.08),
        face_id=[face_id for _, face_id in places],
    )
    write_timeline(tmp_path / "film.csv", made, source="film")
    return read_timeline(tmp_path / "film.csv")


def test_every_frame_and_every_face_is_packed(timeline):
    script = script_data.frames_script(script_data.frames_data(timeline))
    data = json.loads(script.removeprefix("ferBatchFrames(").removesuffix(");\n"))
    starts, numbers = array(data["starts"], "<f8"), array(data["numbers"], "<u4")
    assert starts.tolist() == frame_times(timeline).starts.tolist()
    assert numbers.tolist() == list(range(0, 20, 2))
    assert [one["id"] for one in data["faces"]] == [0, 7]
    for one in data["faces"]:
        own = timeline[timeline["face_id"] == one["id"]]
        runs = zip(one["runs"][::2], one["runs"][1::2], strict=True)
        shown = [rank for first, length in runs for rank in range(first, first + length)]
        assert numbers[shown].tolist() == own["frame"].tolist()
        assert array(one["boxes"]).reshape(-1, 4).tolist() == own[["x", "y", "width", "height"]].to_numpy(int).tolist()
        assert (array(one["raw"]).reshape(-1, 7) / 10_000).tolist() == own[list(EMOTIONS)].to_numpy().tolist()
        assert one["left"] == ""
        assert one["rows"] == len(own)


def test_no_tag_ends_in_the_data():
    marks = Marks(events=[("</script><script>\u2028", 0.1, 0.2)])
    text = script_data.video_data([face(a_curve(5, range(5)), marks)], NO_FRAMES)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text)["events"][0][0] == "</script><script>\u2028"
