"""charts: what is drawn is what the table says; several charts can share a page."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.report import texts
from fer_batch.report.charts import curve, draw, svg
from fer_batch.report.formatting import clock

SHARES = (0.1, 0.02, 0.05, 0.4, 0.13, 0.1, 0.2)


def a_timeline(frames, seen, *, fps=25.0, face_id=0, seed=1, durations=None):
    """A video of so many frames with one face in those ``seen``; ``fps`` None: no timestamps."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(frames)
    table = pd.DataFrame(rng.dirichlet(np.ones(7), frames), columns=list(EMOTIONS))
    table.loc[~np.isin(numbers, list(seen)), list(EMOTIONS)] = np.nan
    durations = np.full(frames, 1 / fps if fps else np.nan) if durations is None else np.asarray(durations)
    table["frame"] = pd.array(numbers, dtype="Int64")
    table["timestamp"] = np.concatenate(([0.0], np.cumsum(durations)[:-1])) if fps else np.nan
    table["duration"] = durations
    table["success"] = np.isin(numbers, list(seen))
    table["left_out"] = ""
    table["quality"] = np.where(table["success"], 0.9, np.nan)
    table["face_id"] = pd.array([face_id if one else pd.NA for one in table["success"]], dtype="Int64")
    return table


def a_curve(frames, seen, **more):
    return curve.curves(a_timeline(frames, seen, **more), [0])[0]


def drawn(plain_curve, prefix="one"):
    return ET.fromstring(draw.timeline(plain_curve, prefix=prefix, title="T", description="D").svg)


def named(root, name):
    """The path of an emotion's line, or of another part."""
    group = next(element for element in root.iter() if element.get("class") == name)
    return [element.get("d") for element in group.iter() if element.get("d")]


def runs(path):
    """The corners of a path's open lines, as arrays (n, 2): the inverse of how charts writes them."""
    found = []
    for verb, right, down in re.findall(r"([Ml])(-?[\d.]+) (-?[\d.]+)", path):
        place = np.array([float(right), float(down)])
        if verb == "M":
            found.append([place])
        else:
            found[-1].append(found[-1][-1] + place)
    return [np.array(one) for one in found]


def across(path):
    """Leftmost and rightmost place of a path."""
    places = np.concatenate(runs(path))[:, 0]
    return places.min(), places.max()


def local(element):
    return element.tag.rpartition("}")[2]


def test_a_distribution_names_every_emotion_and_its_share():
    root = ET.fromstring(draw.distribution(SHARES, prefix="one", title="T", description="D").svg)
    drawn = [element.text for element in root.iter() if local(element) == "text"]
    for emotion, share in zip(TABLE, SHARES, strict=True):
        assert texts.label(emotion.name) in drawn
        assert f"{100 * share:.1f} %" in drawn


def test_bars_are_as_long_as_the_shares():
    root = ET.fromstring(draw.distribution(SHARES, prefix="one", title="T", description="D").svg)
    widths = np.array([np.ptp(across(named(root, name)[0])) for name in EMOTIONS])
    assert widths / widths.sum() == pytest.approx(SHARES, abs=0.002)


def test_every_line_has_its_colour_and_a_lane_beside_its_name():
    root = drawn(a_curve(100, range(100)))
    floors = []
    for emotion in TABLE:
        group = next(element for element in root.iter() if element.get("class") == emotion.name)
        style = next(element.get("style") for element in group.iter() if element.get("style"))
        assert f"stroke: {emotion.colour.lower()}" in style
        (line,) = runs(named(root, emotion.name)[0])
        name = next(
            element for element in root.iter() if local(element) == "text" and element.text == texts.label(emotion.name)
        )
        assert line[:, 1].min() - 10 < float(name.get("y")) < line[:, 1].max()
        assert float(name.get("x")) < line[:, 0].min()
        floors.append(line[:, 1].max())
    lanes = np.diff(floors)
    assert lanes == pytest.approx(np.full(6, lanes[0]), abs=0.2)


def test_lines_are_as_high_as_the_shares():
    plain_curve = a_curve(60, range(60))
    root = drawn(plain_curve)
    lanes = [runs(named(root, name)[0])[0] for name in EMOTIONS]
    whole = draw.LANE * np.diff([lane[:, 1].max() for lane in lanes]).mean()
    for index, lane in enumerate(lanes):
        heights = (lane[0, 1] - lane[2:-2, 1]) / whole
        assert heights == pytest.approx(plain_curve.means[:, index], abs=0.006)


def test_the_emotion_with_the_greatest_average_is_bold():
    table = a_timeline(50, range(50))
    table[list(EMOTIONS)] = np.eye(7)[EMOTIONS.index("fear")]
    bold = [one.text for one in drawn(curve.curves(table, [0])[0]).iter() if "font-weight" in one.get("style", "")]
    assert bold == ["Fear"]


def test_a_gap_breaks_every_line_and_is_hatched():
    plain_curve = a_curve(100, [*range(10, 30), *range(50, 100)])
    assert np.array(plain_curve.gaps) == pytest.approx(np.array([(0.0, 0.4), (1.2, 2.0)]))
    root = drawn(plain_curve)
    for name in EMOTIONS:
        (line,) = named(root, name)
        assert line.count("M") == 2
    assert len(named(root, "gaps")) == 2
    assert any(local(element) == "pattern" for element in root.iter())


def test_a_line_spans_the_time_in_which_the_face_is_there_and_no_more():
    root = drawn(a_curve(100, range(25, 50)))
    first, last = across(named(root, "anger")[0])
    before, after = (across(path) for path in named(root, "gaps"))
    assert first == pytest.approx(before[1], abs=0.11)
    assert last == pytest.approx(after[0], abs=0.11)
    assert (last - first) / (after[1] - before[0]) == pytest.approx(0.25, abs=0.001)


def test_a_face_seen_in_a_single_frame_is_drawn():
    (line,) = runs(named(drawn(a_curve(100, [40])), "anger")[0])
    assert len(line) > 2
    assert "linecap: round" in draw.timeline(a_curve(100, [40]), prefix="one", title="T", description="D").svg


def test_names_of_events_stand_above_the_lanes_and_never_run_into_each_other():
    label = "a name far too long for so short an event, and for the next one as well"
    marks = curve.Marks(events=[(label, 0.5, 1.0), ("other", 0.75, 2.5), ("<next> & last", 1.5, 2.0)])
    assert draw.event_rows(marks) == [0, 1, 0]
    left, top, right, bottom = draw.plot(marks)
    assert (top, bottom) == (draw.PLOT[1] + 32, draw.PLOT[3] + 32)
    text = draw.timeline(a_curve(100, range(100)), marks, prefix="one", title="T", description="D").svg
    root = ET.fromstring(text)
    rooms = {
        clip.get("id"): [float(clip[0].get(name)) for name in ("x", "y", "width", "height")]
        for clip in root.iter("{http://www.w3.org/2000/svg}clipPath")
    }
    found = []
    for at, (name, start, _) in enumerate(marks.events):
        group = next(one for one in root.iter() if one.get("class") == f"event-{at}")
        (word,) = [one for one in group.iter() if one.tag.endswith("text")]
        (clip,) = [one.get("clip-path") for one in group.iter() if one.get("clip-path")]
        place = left + start / 4 * (right - left)
        assert word.text == name
        assert float(word.get("x")) == pytest.approx(place + draw.NAME_MARGIN, abs=0.1)
        x, y, width, height = rooms[clip[5:-1]]
        assert y >= draw.PLOT[1] - 0.1
        assert y + height <= top + 0.1
        found.append((y, x, x + width))
    assert found[0][0] == found[2][0] < found[1][0]
    assert found[0][2] < left + 1.5 / 4 * (right - left) <= found[2][1]
    assert found[1][2] < draw.PAGE_WIDTH


def test_events_at_the_same_time_beyond_the_rows_have_a_band_only():
    marks = curve.Marks(events=[(str(number), 0.0, 1.0) for number in range(5)])
    assert draw.event_rows(marks) == [0, 1, 2, -1, -1]
    assert draw.plot(curve.NO_MARKS) == draw.PLOT


def test_episodes_low_quality_and_events_are_drawn_where_they_are():
    plain_curve = a_curve(100, range(100))
    marks = curve.Marks({"fear": [(1.0, 2.0)]}, poor=[(0.0, 0.4)], events=[("cut", 2.0, 3.0)])
    root = ET.fromstring(draw.timeline(plain_curve, marks, prefix="one", title="T", description="D").svg)
    left, _, right, _ = draw.PLOT
    for name, start, end in (("fear-episodes", 1, 2), ("poor", 0, 0.4), ("events", 2, 3)):
        (path,) = named(root, name)
        assert not [element for element in root.iter() if local(element) == "use"]
        assert across(path) == pytest.approx([left + (right - left) * at / 4 for at in (start, end)], abs=0.2)
    assert named(root, "anger-episodes") == []


def test_poor_stretches_too_near_to_tell_apart_are_one():
    table = a_timeline(6000, range(6000))
    table.loc[[10, 11, 13, 500, 501], "quality"] = 0.2
    plain_curve = curve.curves(table, [0])[0]
    assert np.array(plain_curve.poor(0.5)) == pytest.approx(np.array([(0.4, 0.56), (20.0, 20.08)]))
    assert plain_curve.poor(0.1) == []


def test_groups_are_marked_at_their_means_within_their_intervals():
    values = np.tile([0.5, 0.25, 0.75], (7, 1))
    alone = np.tile([0.25, np.nan, np.nan], (7, 1))
    drawn = draw.groups({"A": values, "a name of more than twenty": alone}, prefix="g", title="T", description="D")
    root = ET.fromstring(drawn.svg)
    first, second = [element for element in root.iter() if element.get("class") == "fear"]
    middles = [np.mean(across(next(one.get("d") for one in mark.iter() if one.get("d")))) for mark in (first, second)]
    left, wide, _ = draw.GROUPS_PLOT
    assert middles == pytest.approx([left + 0.5 * wide, left + 0.25 * wide], abs=1)
    assert not [element for element in root.iter() if local(element) == "use"]  # a reference to an id that is not kept
    texts = [element.text for element in root.iter() if local(element) == "text"]
    assert texts.count("A") == texts.count("a name of more th\N{HORIZONTAL ELLIPSIS}") == 7


def test_charts_are_saved_for_papers_where_asked():
    plain = draw.distribution(SHARES, prefix="one", title="T", description="D")
    assert plain.files == {}
    saved = draw.distribution(SHARES, prefix="one", title="T", description="D", paper="charts/one")
    assert saved.svg == plain.svg
    assert ET.fromstring(saved.files["charts/one.svg"]).tag.endswith("svg")
    assert saved.files["charts/one.png"].startswith(b"\x89PNG")
    again = draw.distribution(SHARES, prefix="one", title="T", description="D", paper="charts/one")
    assert again.files == saved.files


def test_a_hole_in_the_times_is_a_gap_though_no_row_tells_of_it():
    table = a_timeline(20, range(20), fps=10)
    table.loc[10:, "timestamp"] += 5.0
    plain_curve = curve.curves(table, [0])[0]
    assert np.array(plain_curve.gaps) == pytest.approx(np.array([(1.0, 6.0)]))


def test_two_faces_share_one_axis():
    table = pd.concat([a_timeline(100, range(50)), a_timeline(100, range(60, 70), face_id=1)])
    both = curve.curves(table, [0, 1])
    assert both[0].extent == both[1].extent == pytest.approx((0.0, 4.0))
    assert np.array(both[1].gaps) == pytest.approx(np.array([(0.0, 2.4), (2.8, 4.0)]))


def test_only_the_faces_asked_for():
    table = pd.concat([a_timeline(10, range(10)), a_timeline(10, range(10), face_id=1)])
    assert list(curve.curves(table, [1])) == [1]


def test_without_time_stamps_the_axis_counts_frames_and_says_so():
    plain_curve = a_curve(90, [*range(30), *range(60, 90)], fps=None)
    assert plain_curve.unit == "frames"
    assert plain_curve.gaps == [(30.0, 60.0)]
    texts = " ".join(element.text or "" for element in drawn(plain_curve).iter())
    assert "Frame number" in texts
    assert "seconds" not in texts


def test_sampled_frames_without_stamps_are_no_gaps():
    table = a_timeline(300, range(300), fps=None)
    assert curve.curves(table[table["frame"] % 10 == 0], [0])[0].gaps == []


def test_one_frame_of_unknown_length_can_be_drawn():
    plain_curve = a_curve(1, [0], durations=[np.nan])
    assert plain_curve.gaps == []
    drawn(plain_curve)


def test_unknown_durations_weigh_nothing_but_are_drawn():
    durations = np.full(50, 0.1)
    durations[-1] = np.nan
    table = a_timeline(50, range(50))
    table["duration"] = durations
    table["timestamp"] = np.arange(50) / 10
    plain_curve = curve.curves(table, [0])[0]
    assert plain_curve.weights[-1] == 0
    assert len(plain_curve.starts) == 50
    assert plain_curve.gaps == []


@given(
    frames=st.integers(1, 400),
    most=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    missing=st.floats(0, 0.9),
)
def test_binning_keeps_the_mean_over_time_and_the_bounds(frames, most, seed, missing):
    rng = np.random.default_rng(seed)
    seen = np.flatnonzero(rng.random(frames) >= missing)
    if not len(seen):
        seen = np.array([0])
    plain_curve = a_curve(frames, seen, durations=rng.uniform(0.001, 3.0, frames).round(6), seed=seed % 1000)
    bins = curve.binned(plain_curve, most)
    assert len(bins.starts) <= max(most, 1) or len(plain_curve.starts) <= most
    assert bins.average == pytest.approx(plain_curve.average)
    assert bins.weights.sum() == pytest.approx(plain_curve.weights.sum())
    assert bins.lows.min(axis=0) == pytest.approx(plain_curve.lows.min(axis=0))
    assert bins.highs.max(axis=0) == pytest.approx(plain_curve.highs.max(axis=0))
    assert (bins.lows - 1e-9 <= bins.means).all()
    assert (bins.means <= bins.highs + 1e-9).all()
    assert bins.starts[0] == plain_curve.starts[0]
    assert bins.ends[-1] == plain_curve.ends[-1]


def test_a_gap_longer_than_a_bin_survives_binning():
    bins = curve.binned(a_curve(10_000, [*range(4000), *range(6000, 10_000)]), 100)
    assert np.array(bins.gaps) == pytest.approx(np.array([(160.0, 240.0)]))


def test_a_bin_without_a_known_duration_is_the_plain_mean_of_its_frames():
    durations = np.full(100, np.nan)
    durations[:50] = 1.0
    table = a_timeline(100, range(100), durations=np.ones(100))
    table["duration"] = durations
    plain_curve = curve.curves(table, [0])[0]
    bins = curve.binned(plain_curve, 10)
    assert bins.weights[-1] == 0
    assert bins.means[-1] == pytest.approx(plain_curve.means[90:].mean(axis=0))
    assert bins.average == pytest.approx(plain_curve.average)


def test_a_long_video_gets_a_band_and_a_bounded_size():
    plain_curve = a_curve(50_000, range(50_000))
    text = draw.timeline(plain_curve, prefix="one", title="T", description="D").svg
    assert len(text) < 120_000
    bands = [named(ET.fromstring(text), f"{name}-band") for name in EMOTIONS]
    assert all(bands)


def test_a_short_video_has_no_band():
    with pytest.raises(StopIteration):
        named(drawn(a_curve(100, range(100))), "anger-band")


def test_drawing_twice_gives_the_same_bytes():
    plain_curve = a_curve(2000, range(100, 1500))
    texts = {draw.timeline(plain_curve, prefix="one", title="T", description="D").svg for _ in range(2)}
    texts |= {draw.distribution(SHARES, prefix="one", title="T", description="D").svg for _ in range(2)}
    assert len(texts) == 2


def test_the_users_own_matplotlib_settings_change_nothing():
    import matplotlib

    plain = draw.distribution(SHARES, prefix="one", title="T", description="D").svg
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert draw.distribution(SHARES, prefix="one", title="T", description="D").svg == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_charts_on_one_page_share_no_id_and_every_reference_leads_somewhere():
    plain_curve = a_curve(2000, range(100, 1500))
    page = "".join(
        [
            draw.timeline(plain_curve, prefix="one", title="T", description="D").svg,
            draw.timeline(plain_curve, prefix="two", title="T", description="D").svg,
            draw.distribution(SHARES, prefix="three", title="T", description="D").svg,
        ]
    )
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(("one-", "two-", "three-")) for name in ids)
    references = re.findall(r"url\(#([^)]*)\)", page)
    assert "href" not in page
    assert references
    assert set(references) <= set(ids)


def test_a_chart_is_an_image_with_words_and_carries_nothing_for_the_rest_of_the_page():
    text = draw.distribution(SHARES, prefix="one", title="A $x^2$ <b>&", description='Say "this"').svg
    root = ET.fromstring(text)
    assert text.startswith("<svg")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "one-title one-text"
    assert [(local(one), one.text) for one in list(root)[:2]] == [("title", "A $x^2$ <b>&"), ("desc", 'Say "this"')]
    assert root.get("viewBox")
    assert root.get("width") is root.get("height") is None
    assert "<style" not in text
    assert "<metadata" not in text
    assert "font-family" not in text
    assert svg.INK not in text


def test_numbers_are_rounded():
    root = drawn(a_curve(500, range(500)))
    for element in root.iter():
        for attribute in ("d", "x", "y"):
            assert not re.search(r"\.\d\d", element.get(attribute, ""))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00.000"), (59.9996, "0:01:00.000"), (3661.5, "1:01:01.500"), (-0.25, "-0:00:00.250")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(("frames", "fps"), [(20, 25.0), (2000, 25.0), (900, 0.05)])
def test_the_time_axis_says_its_unit_and_is_not_crowded(frames, fps):
    root = drawn(a_curve(frames, range(frames), fps=fps))
    texts = [element.text or "" for element in root.iter() if local(element) == "text"]
    assert any(text.startswith("Time in the video") for text in texts)
    marks = [text for text in texts if re.fullmatch(r"[\d:.]+", text)]
    assert 2 <= len(marks) <= 11
    assert len(marks) == len(set(marks))


def test_importing_charts_and_report_does_not_load_matplotlib():
    code = "import sys, fer_batch.report.render, fer_batch.report.charts.draw; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
