"""script_data: what a page's script reads is what the timeline says."""

import base64
import json

import numpy as np
import pytest

from fer_batch.report.charts import script_data
from fer_batch.report.charts.curve import NO_MARKS, Marks, binned
from tests.report.test_charts import a_curve


def face(curve, name="Face 0", marks=NO_MARKS):
    return script_data.ChartedFace(0, name, curve, marks)


def array(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_a_short_video_is_packed_frame_by_frame():
    curve = a_curve(40, [*range(10), *range(20, 40)])
    data = json.loads(script_data.video_data([face(curve)], container_start=1.5))
    packed = data["faces"][0]["curve"]
    assert array(packed["starts"], "<f8") == pytest.approx(curve.starts)
    assert array(packed["ends"], "<f8") == pytest.approx(curve.ends)
    assert array(packed["means"], "<u2").reshape(-1, 7) / 10_000 == pytest.approx(curve.means, abs=0.00005001)
    assert array(packed["joined"], np.uint8).astype(bool).tolist() == curve.joined.tolist()
    assert data["start"] == 1.5
    assert data["faces"][0]["gaps"] == [list(gap) for gap in curve.gaps]


def test_a_long_video_is_packed_as_it_is_drawn_and_whole_in_the_file_beside():
    curve = a_curve(5000, range(5000))
    assert script_data.is_coarse(curve)
    assert not script_data.is_coarse(a_curve(600, range(600)))
    data = json.loads(script_data.video_data([face(curve)], container_start=0))
    shown = binned(curve)
    packed = data["faces"][0]["curve"]
    for name, values in (("means", shown.means), ("lows", shown.lows), ("highs", shown.highs)):
        assert array(packed[name], "<u2").reshape(-1, 7) / 10_000 == pytest.approx(values, abs=0.00005001)
    script = script_data.frames_script([face(curve)])
    every_frame = json.loads(script.removeprefix("ferBatchFrames(").removesuffix(");\n"))["0"]
    assert array(every_frame["means"], "<u2").reshape(-1, 7) / 10_000 == pytest.approx(curve.means, abs=0.00005001)
    assert array(every_frame["weights"], "<f4") == pytest.approx(curve.weights)


def test_no_tag_ends_in_the_data():
    marks = Marks(events=[("</script><script>", 0.1, 0.2)])
    text = script_data.video_data([face(a_curve(5, range(5)), "</script>\u2028", marks)], container_start=0)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text)["faces"][0]["name"] == "</script>\u2028"
