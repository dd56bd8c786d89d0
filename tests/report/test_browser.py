"""The report in a real browser, opened as a file: alive, quick, silent, and open to everybody.

Needs Chromium (Debian: ``apt-get install chromium``) and the packages of the ``dev`` extra; skipped without.
"""

import io
import json
import re
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer_batch
from fer_batch import Options, detection
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.emotions import EMOTIONS
from fer_batch.output import media_links
from fer_batch.output.csv import read_table, read_timeline
from fer_batch.output.schema import SUMMARY
from fer_batch.report import render
from fer_batch.report.texts import label
from fer_batch.report.to_fill_in import write_people
from fer_batch.types import Box, Detection, Face, FrameTime, Skipped, TrackedFrame
from tests.helpers.media import write_photo, write_video
from tests.helpers.quick import ByGrey, quick  # noqa: F401
from tests.report.test_report import a_folder, a_study, a_video, write_output
from tests.report.test_serve import served

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
VIDEO = "sub/interview.mp4"
EVENTS = [("a question that is longer than its time", 0.4, 0.9), ("laughter", 0.6, 2.0), ("an answer", 1.0, 2.5)]
PEOPLE = {VIDEO: [(None, 0, "Anna", "x"), (None, 1, "Ben", "y")], "gone.avi": [(None, 0, "Anna", "x")]}


@dataclass
class Visit:
    """A page that is open, and everything that it complained of or asked for."""

    page: object
    complaints: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.page, name)

    def until(self, expression, seconds=30):
        """Wait until the expression holds; the page's own policy forbids Playwright's way of waiting."""
        last = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < last, expression
            self.page.wait_for_timeout(20)

    def text(self, selector):
        return self.page.inner_text(selector)


@pytest.fixture
def visit(browser):
    """Opens a file in a fresh context; what is not its folder's, and every error, fails the test at its end."""
    opened = []

    def visit(path, fragment="", **context):
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
        one = Visit(page)
        page.on("console", lambda message: one.complaints.append(message.text))
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.on("request", lambda request: one.requests.append(request.url))
        page.goto(path.as_uri() + fragment)
        opened.append((one, path))
        return one

    yield visit
    for one, path in opened:
        one.page.context.close()
        root = root_of(path)
        allowed = (
            *(path.as_uri() for path in (root, root.parent / "videos", root.parent / "photos")),
            "data:",
            "blob:",
        )
        assert [url for url in one.requests if not url.startswith(allowed)] == []
        assert one.complaints == []


def root_of(path):
    """The output folder that a page belongs to."""
    return next(folder for folder in path.parents if (folder / "run.json").is_file())


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """A video that lies beside the output and can be played, one that is gone, and photos."""
    folder = tmp_path_factory.mktemp("study")
    out = folder / "out"
    video = a_video(VIDEO, {0: range(10, 70), 1: [*range(20, 30), *range(50, 60)]}, 75)
    (folder / "videos" / VIDEO).parent.mkdir(parents=True)
    write_video(folder / "videos" / VIDEO, range(0, 3000, 40))
    write_output(
        out,
        [
            video,
            a_video("gone.avi", {0: range(2000)}, 2000, seed=3),
            a_video("raw.h264", {0: range(5)}, 20, fps=None, seed=5),
            a_folder("holiday", {"a.jpg": 2, "b & c.jpg": 1, "empty.jpg": 0}),
            a_folder("many", {f"{number:03}.jpg": 1 for number in range(450)}),
        ],
        study=a_study({VIDEO: EVENTS}, PEOPLE),
    )
    (out / media_links.MEDIA).write_text(f'{{"{VIDEO}": "../videos/{VIDEO}"}}')
    render.render(out)
    return out


@pytest.fixture
def video(visit, output):
    return visit(output / f"pages/{VIDEO}.html")


def pick(page, face):
    """Choose whose lanes the chart shows; None: all."""
    page.select_option("#who", "" if face is None else str(face))


def box_of(part):
    """Where a part of the chart is; the chart may just have been drawn anew, and the part with it."""
    for _ in range(100):
        if (box := part.bounding_box()) is not None:
            return box
        part.page.wait_for_timeout(20)
    raise AssertionError(f"{part} is not visible")


def over(page, part):
    """Pixels of the page at a part, 0 to 1, of the lanes of the chart of one face."""
    page.locator("#chart").scroll_into_view_if_needed()
    box = page.locator("#chart svg").bounding_box()
    left, right = (92, box["width"] - 64) if page.input_value("#who") else (114, box["width"] - 98)
    return box["x"] + left + part * (right - left), box["y"] + box["height"] / 2


def values(page):
    """The shares at the cursor, without their sign of percent."""
    return [text.removesuffix(" %") for text in page.locator("#chart .value").all_text_contents()]


def shown(page):
    """Seconds of the video at which the charts begin and end."""
    clocks = [text.split(":") for text in page.text("#range").split(" to ")]
    return tuple(3600 * float(hours) + 60 * float(minutes) + float(seconds) for hours, minutes, seconds in clocks)


def timeline(output, name=VIDEO, face=0):

    table = read_timeline(output / f"timelines/{name}.csv")
    return table[table["face_id"] == face].set_index("frame")


def shares_at(output, frame, name=VIDEO, face=0):
    return [f"{100 * share:.1f}" for share in timeline(output, name, face).loc[frame, list(EMOTIONS)]]


def test_a_pointer_shows_the_values_of_the_frame_below_it(video, output):
    pick(video, 0)
    video.mouse.move(*over(video, 25.5 / 75))
    video.until("document.getElementById('moment').textContent.startsWith('0:00:01.0')")
    assert values(video) == shares_at(output, 25)
    pick(video, 1)
    assert values(video) == shares_at(output, 25, face=1)
    video.mouse.move(*over(video, 40.5 / 75))
    video.until("document.getElementById('moment').textContent.startsWith('0:00:01.6')")
    assert values(video) == ["\N{EN DASH}"] * 7
    pick(video, None)
    best = max(shares_at(output, 40), key=float)
    assert values(video)[1:] == [best, "\N{EN DASH}"]


def test_keys_move_the_cursor_and_say_where_it_is(video, output):
    pick(video, 0)
    slider = video.locator("#chart")
    slider.focus()
    video.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "0:00:00.000: not found"
    for _ in range(2):
        video.keyboard.press("Shift+ArrowRight")
    video.keyboard.press("ArrowRight")
    video.until("document.getElementById('moment').textContent === '0:00:00.630'")
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(3 * 0.21)
    assert values(video) == shares_at(output, 15)
    best = max(shares_at(output, 15), key=float)
    assert re.match(rf"0:00:00\.630: \w+ {best} %, ", slider.get_attribute("aria-valuetext"))


def test_a_click_and_enter_seek_the_video(video):
    video.mouse.click(*over(video, 0.5))
    video.until("document.getElementById('video').currentTime > 0")
    assert video.evaluate("document.getElementById('video').currentTime") == pytest.approx(1.5, abs=0.02)
    assert video.text("#video-message") == ""
    video.locator("#chart").focus()
    video.keyboard.press("End")
    video.keyboard.press("Shift+ArrowLeft")
    video.keyboard.press("Enter")
    video.until("Math.abs(document.getElementById('video').currentTime - 2.7) < 0.02")


def test_while_the_video_plays_its_values_run_along(video):
    video.evaluate("document.getElementById('video').muted = true")
    video.locator("#chart").focus()
    video.keyboard.press("Home")
    video.keyboard.press("Enter")
    video.keyboard.press(" ")
    video.until("document.getElementById('video').currentTime > 0.6")
    video.keyboard.press(" ")
    video.until("document.getElementById('video').paused")
    assert float(values(video)[1]) > 0


def test_the_video_and_its_chart_are_seen_together_and_are_not_printed(video):
    for width, beside in ((1920, True), (1280, True), (390, False)):
        video.set_viewport_size({"width": width, "height": 900})
        player, lanes = (video.locator(name).bounding_box() for name in ("#video", "#chart svg"))
        assert (lanes["x"] >= player["x"] + player["width"]) == beside
        assert (lanes["y"] >= player["y"] + player["height"]) != beside
        assert lanes["x"] + lanes["width"] > 0.9 * width
        assert lanes["y"] + lanes["height"] < 900
    assert not video.is_visible(".curve")
    video.emulate_media(media="print")
    assert not video.is_visible("#player")
    assert video.locator(".curve svg:visible").count() == 2


def test_the_first_face_is_seen_before_the_video_is_played_and_nothing_moves(visit, squares):
    for name in ("late.mp4", "plain.mp4"):
        page = visit(squares / f"pages/{name}.html", viewport={"width": 390, "height": 900})
        place = page.locator("#chart").bounding_box()
        page.until("document.getElementById('boxes').drawn?.length === 1")
        begin = read_timeline(squares / f"timelines/{name}.csv")["timestamp"].min()
        assert page.evaluate("document.getElementById('boxes').moment") == pytest.approx(begin, abs=0.05)
        assert page.text("#moment") == "Point at the chart"
        picture = Image.open(io.BytesIO(page.locator("#video").screenshot())).convert("L")
        assert np.asarray(picture).max() > 200
        assert page.locator("#chart").bounding_box() == place


def test_a_video_that_is_not_there_can_be_chosen(visit, output):
    page = visit(output / "pages/gone.avi.html")
    assert not page.is_visible("#video")
    page.mouse.click(*over(page, 0.5))
    page.until("document.getElementById('video-message').textContent.includes('Choose the video')")
    page.set_input_files("#video-file", output.parent / "videos" / VIDEO)
    page.until("document.getElementById('video').readyState > 0")
    assert page.is_visible("#video")


def test_a_video_that_the_browser_cannot_play_is_said_to_be_so(visit, output, tmp_path):
    page = visit(output / "pages/gone.avi.html")
    bad = tmp_path / "bad.avi"
    bad.write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST")
    page.set_input_files("#video-file", bad)
    page.until("document.getElementById('video-message').textContent.includes('cannot play this file')")
    assert "H.264" in page.text("#video-message")


def test_zoom_shows_every_frame_of_a_long_video(visit, output):
    page = visit(output / "pages/gone.avi.html")
    page.until("!document.querySelector('[data-save-chart=csv]').disabled")  # the frames beside the page are there
    line = "#chart [data-lane=anger] .line"
    coarse = page.get_attribute(line, "d")
    page.mouse.move(*over(page, 1000.5 / 2000))
    for _ in range(5):
        page.click('[data-zoom="in"]')
    first, last = shown(page)
    assert (first + last) / 2 == pytest.approx(1000.5 * 0.04, abs=0.1)
    assert last - first == pytest.approx(2.5, abs=0.002)
    assert page.get_attribute(line, "d") != coarse
    # One corner a frame, and the ends of the line.
    assert page.get_attribute(line, "d").count("L") - 4 in range(62, 66)
    page.mouse.move(*over(page, (975.5 * 0.04 - first) / (last - first)))
    page.until("document.getElementById('moment').textContent.startsWith('0:00:39.0')")
    assert values(page) == shares_at(output, 975, "gone.avi")
    page.click('[data-zoom="on"]')
    assert shown(page)[0] == pytest.approx(first + 1.25, abs=0.002)
    page.click('[data-zoom="all"]')
    assert page.text("#range") == "the whole video"
    assert page.is_disabled('[data-zoom="out"]')


def test_dragging_zooms_and_a_wheel_does_with_ctrl_only(video):
    video.mouse.move(*over(video, 0.5))
    video.mouse.wheel(0, -100)
    assert video.text("#range") == "the whole video"
    video.keyboard.down("Control")
    for _ in range(4):
        video.mouse.wheel(0, -100)
    video.keyboard.up("Control")
    video.until("document.getElementById('range').textContent !== 'the whole video'")
    video.click('[data-zoom="all"]')
    video.mouse.move(*over(video, 0.6))
    video.mouse.down()
    video.mouse.move(*over(video, 0.2), steps=4)
    video.mouse.up()
    assert shown(video) == pytest.approx((0.2 * 3, 0.6 * 3), abs=0.02)
    assert video.evaluate("document.getElementById('video').currentTime") < 1  # a drag is no click


NAMES = """() => [...document.querySelectorAll("#chart .event-name")].map((name) => {
  const words = name.getBBox();
  const room = document.querySelector(name.getAttribute("clip-path").slice(4, -1)).firstChild.getBBox();
  return { left: words.x, top: room.y, right: Math.min(words.x + words.width, room.x + room.width) };
})"""
"""Where the names of events can be seen, in SVG units."""


def test_names_of_events_stand_on_the_chart_and_follow_its_zoom(video):
    width = video.locator("#chart svg").bounding_box()["width"] - 114 - 98
    one, other, third = video.evaluate(NAMES)
    lefts = [one["left"], other["left"], third["left"]]
    assert lefts == pytest.approx([114 + at / 3 * width + 4 for at in (0.4, 0.6, 1.0)], abs=1)
    assert one["top"] == third["top"] < other["top"]
    assert one["right"] < third["left"]
    video.mouse.move(*over(video, 2.8 / 3))
    for _ in range(3):
        video.click('[data-zoom="in"]')
    assert shown(video)[0] > 2.0
    assert [name["left"] for name in video.evaluate(NAMES)] == pytest.approx([114 + 4], abs=1)  # began before


def test_emotions_are_turned_off_and_on_and_the_others_take_their_room(video):
    pick(video, 0)
    lanes = video.locator("#chart .lane")
    before = box_of(video.locator("#chart .floor").last)["y"]
    for emotion in ("anger", "fear", "neutral"):
        video.uncheck(f'[data-emotion="{emotion}"]')
    assert (
        lanes.evaluate_all("lanes => lanes.map(lane => lane.dataset.lane)")
        == "disgust happiness sadness surprise".split()
    )
    scale = box_of(video.locator("#chart .scale").nth(1))
    floor = box_of(video.locator("#chart .floor").first)["y"]
    assert scale["y"] < floor < scale["y"] + scale["height"] + 6
    assert box_of(video.locator("#chart .floor").last)["y"] == pytest.approx(before, abs=1)


def test_averaged_values_and_changes_are_shown_instead_on_boxes_too_and_episodes_with_theirs_alone(visit, tmp_path):
    options = {"smooth": 0.4, "baseline": (0.0, 1.0), "episode_enter": 0.2, "episode_leave": 0.15}
    out = write_output(tmp_path / "out", [a_video("film.mp4", {0: range(75)}, 75)], **options)
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos/film.mp4", range(0, 3000, 40))
    (out / media_links.MEDIA).write_text('{"film.mp4": "../videos/film.mp4"}')
    render.render(out)
    page = visit(out / "pages/film.mp4.html", fragment="#t=1.5")
    page.until("document.getElementById('boxes').drawn?.length === 1")
    row = timeline(out, "film.mp4").loc[37]
    for kind, form in (("smooth", "{:.1f} %"), ("raw", "{:.1f} %"), ("change", "{:+.1f} pts")):
        page.select_option("#values", kind)
        head = {"raw": ""}.get(kind, f"{kind}_")
        wanted = [form.format(100 * row[head + name]).replace("-", "\N{MINUS SIGN}") for name in EMOTIONS]
        assert page.locator("#chart .value").all_text_contents() == wanted
        lead = max(range(7), key=lambda lane: row[head + EMOTIONS[lane]])
        on_box = page.evaluate("document.getElementById('boxes').drawn[0].label")
        assert on_box == f"{label(EMOTIONS[lead])} {wanted[lead]}"
        assert (page.locator("#chart .episodes").count() > 0) == (kind == "smooth")
        _, content = saved(page, '[data-save-chart="csv"]')
        columns = [head + name for name in EMOTIONS]
        table = timeline(out, "film.mp4")[columns]
        assert pd.read_csv(io.BytesIO(content))[columns].to_numpy().tolist() == table.to_numpy().tolist()


def test_a_link_leads_to_a_moment_and_back(visit, output):
    page = visit(output / f"pages/{VIDEO}.html", fragment="#t=1.06&face=1")
    page.until("Math.abs(document.getElementById('video').currentTime - 1.06) < 0.001")
    assert page.text("#moment") == "0:00:01.060"
    assert page.input_value("#who") == "1"
    assert values(page) == shares_at(output, 26, face=1)
    page.click('[data-zoom="in"]')
    page.uncheck('[data-emotion="fear"]')
    page.locator("#chart").focus()
    page.keyboard.press("b")
    page.click("#copy-link")
    state = page.evaluate("location.hash")
    assert state.startswith("#t=1.06&face=1&from=")
    other = visit(output / f"pages/{VIDEO}.html", fragment=state)
    assert shown(other) == shown(page)
    assert not other.is_checked('[data-emotion="fear"]')
    assert not other.is_checked("#show-boxes")
    other.evaluate("location.hash = '#t=2&face=0'")
    other.until("document.getElementById('moment').textContent === '0:00:02.000'")
    assert other.text("#range") == "the whole video"
    broken = visit(output / f"pages/{VIDEO}.html", fragment="#t=x&face=99&from=7&to=-1&values=y&off=z")
    assert broken.input_value("#who") == ""
    assert shown(broken) == (pytest.approx(2.8), pytest.approx(3.0))


def saved(page, selector):
    """What a click on a button saves: the file's name and its bytes."""
    with page.expect_download() as download:
        page.click(selector)
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_chart_is_saved_and_its_csv_is_the_timeline(visit, output):
    page = visit(output / f"pages/{VIDEO}.html", fragment="#t=1&face=0&from=0.5&to=2")
    name, content = saved(page, '[data-save-chart="csv"]')
    assert name == "interview.mp4 Anna (face 0).csv"
    table = pd.read_csv(io.BytesIO(content))
    whole = timeline(output).reset_index()
    part = whole[(whole["timestamp"] + whole["duration"] > 0.5) & (whole["timestamp"] < 2)]
    columns = ["frame", "timestamp", "face_id", *EMOTIONS]
    assert table[columns].to_numpy(float).tolist() == part[columns].to_numpy(float).tolist()
    _, content = saved(page, '[data-save-chart="svg"]')
    drawing = ET.fromstring(content)
    assert "a question" in "".join(drawing.itertext())
    assert b"currentcolor" not in content.lower()
    _, content = saved(page, '[data-save-chart="png"]')
    assert Image.open(io.BytesIO(content)).width == 2400


class WhiteSquare:
    """A detector that finds the one bright square of a picture."""

    facts = {"name": "white square"}  # noqa: RUF012

    def detect(self, image, min_confidence):
        rows, columns = np.nonzero(image.reshape(*image.shape[:2], -1)[:, :, 0] > 150)
        if not len(rows):
            return []
        x, y = columns.min(), rows.min()
        return [Detection(Box(x, y, columns.max() + 1 - x, rows.max() + 1 - y), 0.9)]


SHAPES = {
    "plain": {},
    "turned": {"display": (90, False, False)},
    "wide": {"prepare": lambda stream: setattr(stream.codec_context, "sample_aspect_ratio", Fraction(2))},
    "narrow": {"prepare": lambda stream: setattr(stream.codec_context, "sample_aspect_ratio", Fraction(1, 2))},
    "late": {"start": 500},
    "late, with sound": {"start": 500, "audio": True},
}


BESIDES = {"narrow", "late, with sound"}
"""Looked at less often than the others."""


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """The report of videos in which a bright square moves, which a detector finds."""
    folder = tmp_path_factory.mktemp("squares")
    (folder / "videos").mkdir()
    images = []
    for number in range(50):
        image = np.full((240, 320, 3), 40, np.uint8)
        x, y = 20 + 3 * number, 60 + round(30 * np.sin(number / 8))
        image[y : y + 90, x : x + 70] = 235
        images.append(image)
    for name, shape in SHAPES.items():
        shape = dict(shape)
        start = shape.pop("start", 0)
        write_video(folder / "videos" / f"{name}.mp4", range(start, start + 2000, 40), images, **shape)
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: to be turned clockwise
    write_photo(folder / "photos/a plain one.png", images[3])
    write_photo(folder / "photos/turned.jpg", images[20], exif=turned)
    write_photo(folder / "photos/x.tif", images[9])
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(detection.REGISTRY, detection.DEFAULT, WhiteSquare)
        patch.setattr(ModelFile, "load", lambda *_: ByGrey())
        fer_batch.analyze([folder / "videos", folder / "photos"], Options(workers=0), out=folder / "out")
    return folder / "out"


BARE = """() => {
  const video = document.getElementById("video");
  video.controls = false;
  video.style.borderRadius = 0;
  document.getElementById("boxes").style.visibility = "hidden";
  document.body.style.background = "#000";
  document.body.style.color = "#000";
}"""
"""Leaves nothing bright but the video's picture."""


@pytest.mark.parametrize("name", SHAPES)
def test_boxes_lie_on_the_faces(visit, squares, name):
    page = visit(squares / f"pages/{name}.mp4.html", viewport={"width": 600, "height": 600})
    page.evaluate(BARE)
    start = read_timeline(squares / f"timelines/{name}.mp4.csv")["timestamp"].min()
    container = facts_of(squares, f"{name}.mp4")["container_start"]
    for moment in start + np.random.default_rng(len(name)).uniform(0, 1.98, 6 if name in BESIDES else 20):
        page.evaluate(f"location.hash = '#t={moment:.3f}'")
        at = container + round(moment, 3)
        page.until(f"Math.abs(document.getElementById('video').currentTime - {at}) < 0.002")
        page.until(f"Math.abs(document.getElementById('boxes').moment - {moment:.3f}) < 0.05")
        for _ in range(10):  # a busy machine paints the frame later than it tells of it
            picture = Image.open(io.BytesIO(page.locator("#video").screenshot())).convert("L")
            rows, columns = np.nonzero(np.asarray(picture) > 150)
            truth = Box(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
            (drawn,) = page.evaluate("document.getElementById('boxes').drawn")
            box = Box(drawn["x"], drawn["y"], drawn["width"], drawn["height"])
            if box.overlap(truth) >= 0.9:
                break
            page.wait_for_timeout(100)
        assert box.overlap(truth) >= 0.9, (moment, box, truth)


def test_a_served_report_plays_from_any_moment_with_its_boxes(browser, squares):
    with served(squares) as address:
        page = Visit(browser.new_context().new_page())
        refused = []
        page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        page.goto(urljoin(address.geturl(), "pages/plain.mp4.html#t=1.5"))
        page.until("Math.abs(document.getElementById('boxes').moment - 1.5) < 0.05")
        page.until("document.getElementById('boxes').drawn.length === 1")
        page.context.close()
        assert refused == []


def test_boxes_are_shown_and_hidden_by_a_key(visit, squares):
    page = visit(squares / "pages/plain.mp4.html", fragment="#t=1")
    page.until("document.getElementById('boxes').drawn?.length === 1")
    page.keyboard.press("b")
    assert page.evaluate("document.getElementById('boxes').drawn.length") == 0
    assert not page.is_checked("#show-boxes")
    page.check("#show-boxes")
    assert page.evaluate("document.getElementById('boxes').drawn.length") == 1


def test_a_face_in_a_photo_is_shown_large_with_its_box_and_values_and_is_named(visit, squares):
    page = visit(squares / "pages/photos.html")
    assert page.locator("img").count() == 1
    assert not page.get_attribute("#large-stage img", "src")  # nothing is loaded before it is asked for
    table = read_timeline(squares / "timelines/photos.csv")
    page.evaluate("document.getElementById('large').style.background = '#000'")
    page.focus("#faces-list .open")
    press(page, "Enter")
    page.until("document.getElementById('large').open")  # once the list beside the page has come
    for row in table.to_dict("records"):
        assert page.text("#large-title") == f"Face 0 in {row['file']}"
        shares = page.locator("#large td").all_inner_texts()
        assert shares == [f"{100 * row[name]:.1f}" for name in EMOTIONS]
        if row["file"] == "x.tif":
            page.until("document.getElementById('large-message').textContent.includes('cannot show it')")
            break
        page.until("document.querySelectorAll('#large .box').length === 1")
        drawn = page.locator("#large .box").bounding_box()
        page.evaluate("document.querySelector('#large .box').style.visibility = 'hidden'")
        place = page.locator("#large-stage img").bounding_box()
        picture = Image.open(io.BytesIO(page.locator("#large-stage img").screenshot())).convert("L")
        rows, columns = np.nonzero(np.asarray(picture) > 150)
        truth = Box(place["x"] + columns.min(), place["y"] + rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert Box(drawn["x"], drawn["y"], drawn["width"], drawn["height"]).overlap(truth) >= 0.9
        press(page, "ArrowRight")
    press(page, "ArrowLeft")
    page.click("[data-large=name]")
    page.keyboard.type("Square")
    press(page, "Enter")
    assert page.text("#large-title") == "Square"
    press(page, "Escape")
    _, content = saved(page, "[data-work=people]")
    (row,) = pd.read_csv(io.BytesIO(content)).to_dict("records")
    face = table[table["file"] == "turned.jpg"].iloc[0]
    assert (row["file"], row["face_id"], row["person"]) == ("photos/turned.jpg", 0, "Square")
    assert [row[name] for name in ("x", "y", "width", "height")] == face[["x", "y", "width", "height"]].tolist()


def test_bars_are_saved_and_their_csv_is_the_table_beside_them(visit, output):
    page = visit(output / "pages/holiday.html")
    name, content = saved(page, "figure [data-save=csv]")
    assert name == "Mean shares of holiday.csv"
    table = pd.read_csv(io.BytesIO(content))
    summary = read_table(output / "summary.csv", SUMMARY).set_index("file").loc["holiday"]
    assert table["Mean share, %"].tolist() == [float(f"{100 * summary[f'mean_{name}']:.1f}") for name in EMOTIONS]
    _, content = saved(page, "figure [data-save=svg]")
    assert "Happiness" in "".join(ET.fromstring(content).itertext())
    _, content = saved(page, "figure [data-save=png]")
    assert Image.open(io.BytesIO(content)).size == (2400, 1248)


@pytest.fixture
def tracks(tmp_path, request):
    """Two videos and their report; in one a face comes three times, and so has three numbers."""
    request.getfixturevalue("quick")
    request.getfixturevalue("monkeypatch").setitem(detection.REGISTRY, detection.DEFAULT, WhiteSquare)
    (tmp_path / "videos").mkdir()
    scenes, images = [np.full((120, 160, 3), grey, np.uint8) for grey in (10, 130, 40)], []
    for scene in scenes:
        square = scene.copy()
        square[30:80, 60:100] = 235
        images += [square] * 15 + [scene] * 60
    write_video(tmp_path / "videos/film.mp4", range(0, 9000, 40), images)
    write_video(tmp_path / "videos/other.mp4", range(0, 600, 40), images[:15])
    fer_batch.analyze([tmp_path / "videos"], Options(workers=0), out=tmp_path / "out")
    return tmp_path


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def call(page, face, name, role="", group=""):
    """Name a face by keys alone."""
    page.focus(f'[data-name="{face}"]')
    press(page, "Enter")
    page.keyboard.type(name)
    press(page, "Tab")
    page.keyboard.type(role)
    press(page, "Tab")
    page.keyboard.type(group)
    press(page, "Enter")
    assert page.is_hidden("#naming")


def test_who_is_named_and_what_is_marked_in_the_report_is_in_the_next_one(visit, tracks):
    page = visit(tracks / "out/pages/film.mp4.html")
    assert page.is_hidden("#work")
    call(page, 0, 'Änne, "A"', "child", "x")
    call(page, 1, "Ben", group="y")
    assert page.locator("#who option").all_text_contents()[1:] == [
        'Änne, "A" (face 0)',
        "Ben (face 1)",
        "Face 2",
    ]
    # The third face is the first one again: by the choice in the dialog.
    page.focus('[data-name="2"]')
    press(page, "Enter")
    press(page, "Tab", "Tab", "Tab", "ArrowDown", "Tab", "Enter")
    page.focus("#chart")
    press(page, "Home", "[", *["ArrowRight"] * 20, "]")
    assert page.evaluate("document.activeElement.name") == "label"
    page.keyboard.type("hello")
    press(page, "Enter")
    assert page.locator("#chart .event.own .event-name").count() == 1
    # It outlives the page, and the other video's page adds to it.
    page.reload()
    page.until("document.querySelectorAll('#marks li').length === 1")
    page.goto((tracks / "out/pages/other.mp4.html").as_uri())
    call(page, 0, "Carla")
    name, people = saved(page, '[data-work="people"]')
    assert name == "people.csv"
    name, events = saved(page, '[data-work="events"]')
    assert name == "events.csv"
    assert page.text("#work code") == "fer-batch analyze … --people people.csv --events events.csv"
    (tracks / "people.csv").write_bytes(people)
    (tracks / "events.csv").write_bytes(events)
    template = pd.read_csv(write_people(tracks / "out", tracks / "template.csv"))
    anchors = ["file", "face_id", "time", "x", "y", "width", "height", "made_with"]
    own = pd.read_csv(tracks / "people.csv")
    assert own[anchors].sort_values(anchors[:2]).to_numpy().tolist() == template[anchors].to_numpy().tolist()
    options = Options(workers=0, people=tracks / "people.csv", events=tracks / "events.csv")
    run = fer_batch.analyze([tracks / "videos"], options, out=tracks / "out")
    assert set(run.unchanged) == {"film.mp4", "other.mp4"}  # no media are opened
    assert run.skipped == ()
    seen = read_timeline(run.timelines["film.mp4"])
    seen = seen[seen["success"]]
    assert seen.groupby("person")["frame"].agg(["min", "max"]).to_dict("index") == {
        'Änne, "A"': {"min": 0, "max": 164},
        "Ben": {"min": 75, "max": 89},
    }
    assert set(seen["face_id"]) == {0, 1}
    page.goto((tracks / "out/pages/film.mp4.html").as_uri())
    assert page.is_hidden("#work")
    assert page.locator("#who option").all_text_contents()[1:] == ['Änne, "A" (face 0)', "Ben (face 1)"]
    assert page.locator("#chart .event-name").first.text_content().startswith("hello")
    # The clock of events.csv may begin before the video, and editors write decimal commas.
    first = pd.read_csv(tracks / "events.csv")
    first[["start", "stop"]] += 100
    first.assign(offset=100).to_csv(tracks / "events.csv", sep=";", decimal=",", index=False)
    again = fer_batch.analyze([tracks / "videos"], options, out=tracks / "out")
    assert again.skipped == ()
    # Names that are given are changed and taken away, and the files that are saved hold all lines.
    page.reload()
    call(page, 1, "Bernd", group="z")
    page.click('[data-name="0"]')
    assert page.input_value("#naming [name=role]") == "child"
    page.click("#naming [name=clear]")
    assert page.text('[data-name-of="0"]') == "Face 0"
    page.focus("#chart")
    press(page, "End", "]", *["ArrowLeft"] * 20, "[")
    page.keyboard.type("bye")
    press(page, "Enter")
    assert "people.csv has all its lines, old and new" in page.text("[data-work=whole]")
    assert page.text("#work code") == "fer-batch analyze … --people people.csv --events events.csv"
    (tracks / "people.csv").write_bytes(saved(page, '[data-work="people"]')[1])
    (tracks / "events.csv").write_bytes(saved(page, '[data-work="events"]')[1])
    assert pd.read_csv(tracks / "people.csv")["person"].fillna("").tolist() == ["", "Bernd", "", "Carla"]
    third = fer_batch.analyze([tracks / "videos"], options, out=tracks / "out")
    assert set(third.unchanged) == {"film.mp4", "other.mp4"}
    seen = read_timeline(third.timelines["film.mp4"]).fillna({"person": ""})
    assert seen[seen["success"]].groupby("face_id")["person"].unique().str[0].to_dict() == {0: "", 1: "Bernd", 2: ""}
    happened = pd.read_csv(tracks / "out/events.csv").set_index("label")
    assert happened.loc["hello", ["start", "stop"]].tolist() == pytest.approx(first[["start", "stop"]].iloc[0] - 100)
    assert happened.loc["bye", "stop"] == pytest.approx(9, abs=0.01)


def tab_to(page, selector, key="Tab"):
    """Press Tab until the element has the focus."""
    for _ in range(100):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        press(page, key)
    raise AssertionError(f"{key} does not lead to {selector}")


def test_faces_are_named_and_joined_and_events_marked_and_saved_by_keyboard_alone(visit, tmp_path):
    seen = {0: range(10), 1: range(5, 15), 2: range(12, 20)}
    render.render(write_output(tmp_path / "out", [a_video("crowd.mp4", seen, 20)]))
    page = visit(tmp_path / "out/pages/crowd.mp4.html")
    tab_to(page, "#chart")
    press(page, "Home", *["ArrowRight"] * 10, "[", *["ArrowRight"] * 30, "]")
    page.keyboard.type("laughter")
    press(page, "Enter")
    for face, name in ((0, "Anna"), (1, "Ben")):
        tab_to(page, f'[data-name="{face}"]')
        press(page, "Enter")
        page.keyboard.type(name)
        press(page, "Enter")
    tab_to(page, '[data-name="2"]')
    press(page, "Enter")
    tab_to(page, "#naming [name=same]")
    page.keyboard.type("Anna")
    press(page, "Tab", "Enter")
    names = [page.text(f'[data-name-of="{face}"]') for face in range(3)]
    assert names == ["Anna (face 0)", "Ben (face 1)", "Anna (face 2)"]
    tables = {}
    for kind in ("events", "people"):
        tab_to(page, f"[data-work={kind}]", "Shift+Tab")
        with page.expect_download() as download:
            press(page, "Enter")
        tables[kind] = pd.read_csv(download.value.path())
    assert tables["people"][["face_id", "person"]].to_numpy().tolist() == [[0, "Anna"], [1, "Ben"], [2, "Anna"]]
    (event,) = tables["events"].to_dict("records")
    assert event == {"file": "crowd.mp4", "label": "laughter", "start": 0.08, "stop": 0.32}


def test_rows_are_joined_by_dragging_and_faces_that_are_seen_together_are_told_of(visit, output, tmp_path):
    assert visit(output / "pages/raw.h264.html").is_hidden("#marking")  # it has no times
    seen = {0: range(10), 1: range(5, 15), 2: range(12, 20)}
    render.render(write_output(tmp_path / "out", [a_video("crowd.mp4", seen, 20)]))
    page = visit(tmp_path / "out/pages/crowd.mp4.html")
    page.drag_and_drop('[data-row="2"] th', '[data-row="0"] th')
    assert page.text('[data-name-of="2"]') == "Face 0 (face 2)"
    assert page.text("[data-work=problems]") == ""
    page.drag_and_drop('[data-row="1"] th', '[data-row="0"] th')
    assert "are seen together at 0:00:00.200" in page.text("[data-work=problems]")
    page.click('[data-name="1"]')
    page.click("#naming [name=clear]")
    assert page.text("[data-work=problems]") == ""
    page.click("[data-work=discard]")
    assert page.is_hidden("#work")
    assert page.text('[data-name-of="0"]') == "Face 0"


def test_a_box_on_the_video_is_named_by_a_click(visit, squares):
    page = visit(squares / "pages/plain.mp4.html", fragment="#t=1")
    page.until("Math.abs(document.getElementById('boxes').moment - 1) < 0.05")
    page.until("document.getElementById('boxes').drawn.length === 1")
    (box,) = page.evaluate("document.getElementById('boxes').drawn")
    page.click("#video", position={"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2})
    page.fill("#naming [name=person]", "Square")
    page.keyboard.press("Enter")
    assert page.is_hidden("#naming")
    assert page.evaluate("document.getElementById('video').paused")
    assert page.text('[data-name-of="0"]') == "Square (face 0)"


def facts_of(output, name):
    run = json.loads((output / "run.json").read_text())
    return next(source["facts"] for source in run["sources"] if source["name"] == name)


def test_a_table_is_sorted_and_filtered(visit, output):
    page = visit(output / "index.html")
    page.click("#sources")
    names = "#videos-table tbody tr:visible th bdi"
    assert len(page.locator(names).all_inner_texts()) == 3
    page.click("#videos-table thead button:has-text('Frames')")
    assert page.locator(names).all_inner_texts()[0] == "gone.avi"
    assert page.get_attribute("#videos-table thead th:has-text('Frames')", "aria-sort") == "descending"
    page.focus("#videos-table thead button:has-text('Video')")
    page.keyboard.press("Enter")
    assert page.locator(names).all_inner_texts() == ["gone.avi", "raw.h264", VIDEO]
    page.fill('[data-filters="videos-table"] input', "INTER")
    assert page.locator(names).all_inner_texts() == [VIDEO]
    assert page.text('[data-filters="videos-table"] output') == "1 of 3"
    assert page.evaluate("location.hash") == "#videos-q=INTER&videos-sort=1"
    page.fill("[data-overview] input[type=search]", "ben")
    page.fill('[data-filters="videos-table"] input', "")
    page.click("#videos-table thead button:has-text('Fear')")
    other = visit(output / "index.html", fragment=page.evaluate("location.hash"))
    assert other.locator(names).all_inner_texts() == page.locator(names).all_inner_texts()
    assert other.get_attribute("#videos-table thead th:has-text('Fear')", "aria-sort") == "descending"
    assert other.locator(".overview tbody tr:visible").count() == 1
    assert 0 <= other.locator("#videos-table").bounding_box()["y"] < 900
    other.evaluate("location.hash = '#folders-sort=x&folders-emotion=y&videos-emotion=sadness'")
    other.until("document.querySelector('[data-filters=videos-table] select').value === 'sadness'")
    assert other.text('[data-filters="folders-table"] output') == "2 of 2"
    assert other.locator("#videos-table [aria-sort]").count() == 0
    assert other.locator(".overview tbody tr:visible").count() == 5


def stripe(page, name):
    """Left, top and width of the stripes of a row of the overview."""
    svg = page.locator(".overview tr", has_text=name).locator("svg").first
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    return box["x"], box["y"] + box["height"] / 2, box["width"]


def test_the_overview_is_filtered_and_ordered(visit, output):
    page = visit(output / "index.html")
    names = ".overview tbody tr:visible th a bdi"
    assert page.locator(names).all_inner_texts() == ["Anna", "Ben", "raw.h264", "holiday", "many"]
    page.select_option("[data-overview] [name=order]", "visible")
    assert page.locator(names).all_inner_texts()[0] == "many"
    page.select_option("[data-overview] [name=order]", "happiness")
    happy = page.eval_on_selector_all(
        ".overview tbody tr", "rows => rows.map((row) => +row.dataset.shares.split(' ')[3])"
    )
    assert happy == sorted(happy, reverse=True)
    page.fill("[data-overview] input[type=search]", "ann")
    assert page.locator(names).all_inner_texts() == ["Anna"]
    assert page.text("[data-overview] output") == "1 of 5"
    page.check("[aria-label^='Compare Anna']")
    page.select_option("#compare select >> nth=1", "laughter")
    other = visit(output / "index.html", fragment=page.evaluate("location.hash"))
    assert other.locator(names).all_inner_texts() == ["Anna"]
    assert other.input_value("[data-overview] [name=order]") == "happiness"
    assert other.is_checked("[aria-label^='Compare Anna']")
    assert other.input_value("#compare select >> nth=1") == "laughter"
    assert other.locator("#compare figure path[stroke]").count() == 1
    other.evaluate("location.hash = '#sort=x&emotion=y&row=z'")
    other.until("document.querySelector('[data-overview] output').textContent === '5 of 5'")
    assert not other.is_visible("#compare")


def test_rows_are_compared_from_their_start_or_from_an_event(visit, output):
    page = visit(output / "index.html")
    assert not page.is_visible("#compare")
    page.check("[aria-label^='Compare Anna']")
    page.check("[aria-label^='Compare Ben']")
    assert page.locator("#compare .legend li").all_inner_texts() == ["Anna x · 2 videos", f"Ben y · {VIDEO}"]
    lines = page.locator("#compare figure path[stroke]")
    assert lines.count() == 2
    before = lines.first.get_attribute("d")
    name, content = saved(page, "#compare [data-save=csv]")
    assert name.startswith(page.locator("#compare select >> nth=0").evaluate("one => one.selectedOptions[0].text"))
    table = pd.read_csv(io.BytesIO(content)).set_index("seconds")
    assert list(table) == ["Anna x \N{MIDDLE DOT} 2 videos", f"Ben y \N{MIDDLE DOT} {VIDEO}"]
    assert len(table) == 201
    assert table.iloc[:, 1].notna().any()
    assert b"<path" in saved(page, "#compare [data-save=svg]")[1]
    assert saved(page, "figure[data-figure='Groups in videos'] [data-save=csv]")[1].startswith(b"Emotion,x")
    page.select_option("#compare select >> nth=1", "laughter")
    assert lines.first.get_attribute("d") != before
    assert "-0:00:" not in page.text("#compare figure")  # 0.6 s before it is less than a step of the axis
    page.check("[data-overview] [name=groups]")
    assert page.locator("#compare .legend li").all_inner_texts()[2:] == ["x", "y"]
    page.uncheck("[data-overview] [name=groups]")
    page.uncheck("[aria-label^='Compare Anna']")
    page.uncheck("[aria-label^='Compare Ben']")
    assert not page.is_visible("#compare")


def test_the_first_page_is_short_on_the_screen_and_on_paper(visit, output):
    page = visit(output / "index.html")
    assert page.evaluate("document.documentElement.scrollHeight") <= 3 * 900
    assert printed(page) <= 4
    assert printed(visit(output / f"pages/{VIDEO}.html")) <= 2


def printed(page):
    """Number of pages on paper."""
    return len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format="A4")))


def test_pointing_at_a_stripe_shows_values_and_a_click_goes_there(visit, output):
    page = visit(output / "index.html")
    left, top, width = stripe(page, "Ben")
    page.mouse.move(left + width * 36.5 / 100, top)  # this column lies in one frame
    shown = page.text(".tip").splitlines()
    assert shown[0] == f"Ben in {VIDEO}, 0:00:01.1"
    row = timeline(output, face=1).loc[27]
    emotion, percent = re.fullmatch(r"(\w+) (\d+) %", shown[1]).groups()
    assert emotion.lower() == row["emotion"]
    assert abs(float(percent) - 100 * row[row["emotion"]]) < 1
    assert shown[-1] == "Event: laughter, an answer"
    page.mouse.move(left + width * 0.04, top)
    assert page.text(".tip") == f"Ben in {VIDEO}, 0:00:00.1: no face"
    page.mouse.click(left + width * 0.5, top)
    page.wait_for_url(re.compile("interview.mp4.html#t="))
    moment = re.search(r"#t=(\d+\.\d{3})&face=1$", page.url)
    assert float(moment[1]) == pytest.approx(1.5, abs=0.02)


def test_photos_are_filtered_over_all_their_pages(visit, output):

    table = read_timeline(output / "timelines/many.csv")
    seen = table[table["success"]]
    page = visit(output / "pages/many.html")
    assert page.locator("#faces-list tbody tr").count() == 200
    assert page.locator("#pager a").count() == 3
    page.click('[name="next"]')
    page.until("document.getElementById('found').textContent !== ''")
    assert page.locator("#faces-list tbody th bdi").first.inner_text() == seen["file"].tolist()[200]
    page.select_option('[name="emotion"]', "fear")
    fearful = seen[seen["emotion"] == "fear"]
    assert page.text("#found").startswith(f"{len(fearful)} of 450 faces")
    page.fill('[name="share"]', "40")
    surer = fearful[fearful["fear"] >= 0.4]
    assert page.locator("#faces-list tbody th bdi").all_inner_texts() == surer["file"].tolist()
    other = visit(output / "pages/many.html", fragment=page.evaluate("location.hash"))
    other.until("document.getElementById('found').textContent !== ''")
    assert other.text("#found") == page.text("#found")
    assert other.input_value('[name="share"]') == "40"
    page.select_option('[name="emotion"]', "")
    page.fill('[name="share"]', "0")
    page.click('[name="next"]')
    assert page.locator("#faces-list tbody th bdi").first.inner_text() == seen["file"].tolist()[200]
    assert page.is_hidden("#pager")


def test_a_folder_of_many_faces_takes_few_pages_on_paper(visit, output):
    page = visit(output / "pages/many.html")
    assert not page.is_visible(".on-paper")
    assert printed(page) <= 2
    page.emulate_media(media="print")
    assert page.locator("#faces-list tbody tr:visible").count() == 40
    assert page.text(".on-paper") == "Rows that are not printed: 410. All are in timelines/many.csv."
    page.emulate_media(media="screen")
    page.fill('#filter [name="text"]', "44")
    page.until("document.querySelectorAll('#faces-list tbody tr').length === 14")
    assert "not printed: 436." in page.locator(".on-paper").text_content()


def test_a_single_file_is_alive(visit, output):
    page = visit(render.render_single_file(output))
    page.click(f".contents a:has-text('{VIDEO}')")
    page.until("document.querySelector('.page').open")
    page.locator("[id$=-chart] svg").first.scroll_into_view_if_needed()
    page.locator("[id$=-chart] svg").first.hover()
    page.until("document.querySelector('[id$=-moment]').textContent.startsWith('0:')")
    page.evaluate("document.querySelector('.page').open = false")
    left, top, width = stripe(page, "Ben")
    page.mouse.click(left + width * 0.5, top)
    page.until("document.querySelector('.page').open")
    moment = page.evaluate("location.hash")
    assert re.fullmatch(r"#p1-t=1\.[45]\d+&face=1", moment)
    assert page.input_value("#p1-who") == "1"
    page.click("#p1-copy-link")
    assert page.evaluate("location.hash") == re.sub(r"\.?0+&", "&", moment)
    page.evaluate("for (const one of document.querySelectorAll('.section')) one.open = true")
    page.focus("#videos-table thead button:has-text('Video')")
    page.keyboard.press("Enter")
    names = page.locator("[id$=-faces-list]").nth(1).locator("tbody th bdi")
    assert names.count() == 450
    form = page.locator("form.filter").nth(1)
    form.locator('[name="text"]').fill("44")
    assert names.all_inner_texts() == ["044.jpg", "144.jpg", "244.jpg", "344.jpg", *(f"44{at}.jpg" for at in range(10))]
    form.locator('[name="text"]').fill("")
    form.locator('[name="next"]').click()
    assert names.first.inner_text() == "200.jpg"


def test_without_scripts_every_chart_and_table_is_there(visit, output):
    for page in ("index.html", f"pages/{VIDEO}.html", "pages/holiday.html"):
        live, still = visit(output / page), visit(output / page, java_script_enabled=False)
        for selector in ("svg", "table tr", "h2", "h3"):
            assert still.locator(selector).count() >= live.locator(f"{selector}:not(.player *)").count() - 2
        assert still.locator(".live:visible").count() == 0
    assert still.locator("svg").first.is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_pages_are_open_to_everybody(visit, output, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")

    for name in ("index.html", f"pages/{VIDEO}.html", "pages/gone.avi.html", "pages/holiday.html"):
        page = visit(output / name, color_scheme=scheme, viewport={"width": width, "height": 800})
        if name == "index.html":
            page.check("[aria-label^='Compare Anna']")
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = axe.Axe().run(page.page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_single_file_is_open_to_everybody(visit, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")

    sources = [a_video(f"{name}.mp4", {0: range(9), 1: range(4, 9)}, 12) for name in "ab"]
    sources += [a_folder(name, {"a.jpg": 2, "b.jpg": 0}) for name in "cd"]
    events = {"a.mp4": [("laughter", 0.1, 0.3)], "b.mp4": [("laughter", 0.2, 0.3)]}
    write_output(tmp_path / "out", sources, study=a_study(events))
    page = visit(render.render_single_file(tmp_path / "out"), viewport={"width": 360, "height": 800})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for face in page.locator("[data-name='0']").all():
        face.click()
        page.fill("dialog[open] [name=person]", "Anna")
        page.keyboard.press("Enter")
    found = axe.Axe().run(page.page, options={"runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


ODD_NAMES = [
    "<script>document.title = 'x'</script>",
    "\"'&quot;`",
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} 12 \N{RIGHT-TO-LEFT OVERRIDE}abc",
    "n" * 200,
    "many words " * 18,
]


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory):
    """A video and a folder of photos under each odd name, and a line in errors.csv about each."""
    sources = []
    for number, name in enumerate(ODD_NAMES):
        sources.append(a_video(f"{name}.mp4", {0: range(8)}, 10, output=f"video{number}"))
        sources.append(a_folder(name, {f"{name}.jpg": 1}, output=f"folder{number}"))
    skipped = [Skipped(name, "Not a photo.") for name in ODD_NAMES]
    out = write_output(tmp_path_factory.mktemp("odd") / "out", sources, skipped, ignored=ODD_NAMES)
    render.render(out)
    return out


def test_odd_names_are_text_and_break_no_layout(visit, oddly_named):
    for file in ("index.html", *(f"pages/{kind}{at}.html" for kind in ("video", "folder") for at in range(5))):
        page = visit(oddly_named / file)
        for width in (360, 1280, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, file
        if file != "index.html":
            name = ODD_NAMES[int(file[-6])] + (".mp4" if "video" in file else "")
            assert page.locator("h1 bdi").text_content().split() == name.split()


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """One hour at 25 frames a second with five people."""
    rng = np.random.default_rng(0)
    frames = 90_000
    shares = rng.dirichlet(np.ones(7), (1000, 5)).astype(np.float32)
    detection = Detection(Box(1, 2, 3, 4), 0.9)
    tracked_frames = [
        TrackedFrame(
            FrameTime("hour.mp4", number, number / 25, 0.04),
            tuple(Face(one, detection, shares[number % 1000, one]) for one in range(5)),
        )
        for number in range(frames)
    ]
    out = write_output(tmp_path_factory.mktemp("hour") / "out", [(a_video("hour.mp4", {}, 0)[0], tracked_frames)])
    began = time.process_time()
    render.render(out)
    assert time.process_time() - began < 10  # it takes about 3 s
    return out


MEASURE = """async () => {
  const box = document.querySelector('#chart svg');
  const frame = box.getBoundingClientRect();
  const took = [];
  for (let step = 0; step < 40; step++) {
    const began = performance.now();
    const x = frame.left + frame.width * (0.15 + 0.7 * step / 40);
    box.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: frame.top + 50, bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => { document.body.offsetHeight; done(); }));
    took.push(performance.now() - began);
  }
  return took.sort((a, b) => a - b)[20];
}"""


@pytest.mark.slow
def test_an_hour_is_small_and_quick(visit, hour):
    path = hour / "pages/hour.mp4.html"
    assert path.stat().st_size < 2_000_000
    page = visit(path)
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert ready < 2000  # milliseconds
    page.until("!document.querySelector('[data-save-chart=csv]').disabled")
    for face in (None, 0):
        pick(page, face)
        page.mouse.move(*over(page, 0.5))
        assert min(page.evaluate(MEASURE) for _ in range(3)) < 50  # milliseconds; usually one picture of the screen, 17
    began = page.evaluate("performance.now()")
    page.click('[data-zoom="in"]')
    assert page.evaluate("performance.now()") - began < 2000


def test_a_narrow_screen_shows_some_rows_at_first_search_and_paper_all(visit, tmp_path):
    videos = [a_video(f"{number:02}.mp4", {0: range(3)}, 3, seed=number) for number in range(34)]
    render.render(write_output(tmp_path / "out", videos))
    rows = "#overview-table tbody tr:visible"
    wide = visit(tmp_path / "out/index.html")
    assert (wide.locator(rows).count(), wide.is_visible("#overview-more")) == (34, False)
    page = visit(tmp_path / "out/index.html", viewport={"width": 390, "height": 844})
    names = page.locator(f"{rows} bdi")
    assert names.all_text_contents() == [f"{number:02}.mp4" for number in range(30)]
    page.fill("[data-overview] input[type=search]", "33")
    assert names.all_text_contents() == ["33.mp4"]
    assert not page.is_visible("#overview-more")
    page.fill("[data-overview] input[type=search]", "")
    page.emulate_media(media="print")
    assert page.locator(rows).count() == 34
    page.emulate_media(media="screen")
    assert page.text("#overview-more") == "Show all 34"
    page.click("#overview-more")
    assert page.locator(rows).count() == 34
    assert page.evaluate("document.activeElement.textContent") == "30.mp4"
    assert not page.is_visible("#overview-more")
