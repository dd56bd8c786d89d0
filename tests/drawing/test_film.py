"""Films written anew: every frame's time, turn and shape as it was, and the sound to the byte. ffprobe is the judge."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fer_batch.drawing.canvas import Canvas
from fer_batch.drawing.carried import SUFFIXES, container_for
from fer_batch.drawing.encoders import Encoder
from fer_batch.drawing.film import HDR_NOTE, NO_TIMES_NOTE, Film, write
from fer_batch.errors import UsageError
from fer_batch.media import sources
from fer_batch.media.video.index import read_index
from fer_batch.types import Box, FrameTime
from tests.helpers.media import damage, write_video

needs_ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")


def rewrite(
    path: Path,
    encoder: str = "libx264",
    paint: Callable[[FrameTime, Canvas], None] = lambda time, canvas: None,
    anonymous: bool = False,
) -> tuple[Path, list[str]]:
    """The film written anew, and the notes."""
    chosen = Encoder.parse(encoder)
    container = container_for(path, chosen.name)
    made = path.with_name(f"new-{path.name}{SUFFIXES[container]}")
    film = Film.of(sources.walk([path]).sources[0], read_index(path))
    writing = write(film, made, container, chosen, paint, anonymous=anonymous, threads=1)
    while True:
        try:
            next(writing)
        except StopIteration as end:
            return made, end.value


def probe(path: Path, *arguments: str) -> dict[str, Any]:
    run = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)], capture_output=True, check=True
    )
    return json.loads(run.stdout)


def frames(path: Path) -> list[tuple[Any, ...]]:
    """Time, fields and turn of each frame."""
    entries = "frame=pts_time,interlaced_frame,top_field_first,sample_aspect_ratio:frame_side_data=rotation"
    found = probe(path, "-select_streams", "v:0", "-show_entries", entries)["frames"]
    return [
        (
            one.get("pts_time"),
            one["interlaced_frame"],
            one["top_field_first"],
            one.get("sample_aspect_ratio"),
            [data["rotation"] for data in one.get("side_data_list", ()) if "rotation" in data],
        )
        for one in found
    ]


def sound(path: Path) -> list[tuple[Any, ...]]:
    entries = "packet=pts_time,dts_time,duration_time,size,data_hash"
    found = probe(path, "-select_streams", "a", "-show_entries", entries, "-show_data_hash", "sha256")["packets"]
    return [(one["pts_time"], one["size"], one["data_hash"]) for one in found]


def interlaced(stream: av.VideoStream) -> None:
    stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
    stream.options = {"x264-params": "tff=1"}


def wide(stream: av.VideoStream) -> None:
    stream.codec_context.sample_aspect_ratio = Fraction(16, 11)


VARIABLE = (0, 40, 100, 101, 180, 500, 520, 560, 1000, 1033)

FILMS: dict[str, dict[str, Any]] = {
    "constant.mp4": {"audio": True},
    "variable.mp4": {"timestamps": VARIABLE, "audio": True},
    "variable.mkv": {"timestamps": VARIABLE, "audio": True},
    "late.mp4": {"timestamps": tuple(range(700, 1700, 40)), "audio": True},
    "late.mkv": {"timestamps": tuple(range(700, 1700, 40)), "audio": True},
    "fine.mov": {"time_base": Fraction(1, 90000), "timestamps": tuple(3003 * at + at % 3 for at in range(30))},
    "broadcast.ts": {"audio": True},
    "turned.mp4": {"display": (90, False, False)},
    "mirrored.mp4": {"display": (180, True, False)},
    "turned.mkv": {"display": (-90, False, False)},
    "interlaced.mp4": {"prepare": interlaced},
    "interlaced.ts": {"prepare": interlaced},
    "wide.mp4": {"prepare": wide},
    "ten-bit.mp4": {"pixel_format": "yuv420p10le"},
    "four.mkv": {"pixel_format": "yuv444p"},
    "old.avi": {"codec": "mpeg4", "time_base": Fraction(1, 25), "timestamps": tuple(range(25))},
    "web.webm": {"codec": "libvpx-vp9"},
}


@needs_ffprobe
@pytest.mark.parametrize("name", FILMS)
def test_frames_keep_time_turn_and_shape_and_sound_is_the_same(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, **FILMS[name])
    made, notes = rewrite(path)
    assert notes == []
    assert frames(made) == frames(path)
    if FILMS[name].get("audio") and not name.endswith(".ts"):  # transport streams frame each packet of AAC
        assert sound(made) == sound(path)
    entries = "stream=pix_fmt,width,height,color_range"
    before, after = (probe(one, "-select_streams", "v:0", "-show_entries", entries)["streams"] for one in (path, made))
    assert after == before


def hdr(stream: av.VideoStream) -> None:
    codec = stream.codec_context
    codec.color_trc, codec.color_primaries, codec.colorspace, codec.color_range = 16, 9, 9, 1


@needs_ffprobe
def test_hdr_keeps_its_levels_and_colours_and_a_note_says_what_is_left_out(tmp_path: Path) -> None:
    path = write_video(tmp_path / "hdr.mp4", pixel_format="yuv420p10le", prepare=hdr)
    made, notes = rewrite(path)
    assert notes == [HDR_NOTE]
    entries = "stream=pix_fmt,color_transfer,color_primaries,color_space,color_range"
    before, after = (probe(one, "-select_streams", "v:0", "-show_entries", entries)["streams"] for one in (path, made))
    assert after == before
    assert before[0]["color_transfer"] == "smpte2084"


@needs_ffprobe
@settings(max_examples=12)
@given(steps=st.lists(st.integers(1, 3000), min_size=1, max_size=30), start=st.integers(0, 5000))
@example(steps=[1, 2320, 118, 41, 1], start=0)  # a keyframe just before the last frame
def test_any_times_are_kept(steps: list[int], start: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    times = tuple(int(time) for time in start + np.cumsum([0, *steps]))
    path = write_video(tmp_path_factory.mktemp("film") / "drawn.mp4", times, audio=True)
    made, _ = rewrite(path)
    assert frames(made) == frames(path)
    assert sound(made) == sound(path)


@needs_ffprobe
@pytest.mark.parametrize("encoder", ["libx265", "libsvtav1", "libvpx-vp9", "mpeg4"])
def test_other_encoders_keep_the_times_too(encoder: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", VARIABLE, [np.full((96, 128, 3), 90, np.uint8)] * len(VARIABLE))
    made, _ = rewrite(path, f"{encoder},b=200000" if encoder == "mpeg4" else encoder)
    assert [one[0] for one in frames(made)] == [one[0] for one in frames(path)]


@pytest.mark.parametrize("given", ["libx264,cfr=18", "libx264,crf=18,foo=1", "libvpx-vp9,preset=slow"])
def test_an_option_that_an_encoder_has_not_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"has no option (cfr|foo|preset)\."):
        Encoder.parse(given)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("libx264,preset=slow,crf=999", "libx264 would take crf=51 for crf=999"),
        ("libx264,qp=80", "libx264 would take qp=69 for qp=80"),
        ("libx264,crf=-1", "libx264 would take crf=23 for crf=-1"),
        ("libx264,preset=none", "libx264 does not take preset=none"),
        ("libx264,crf=18,b=much", "libx264 does not take b=much"),
        ("libx265,crf=52", "libx265 does not take crf=52"),
        ("libvpx-vp9,crf=64,row-mt=1", "libvpx-vp9 does not take crf=64"),
        ("libx264,x264-params=foo=1", "libx264 says: Error parsing option 'foo = 1'"),
        ("libx265,x265-params=foo=1", "libx265 says: Unknown option: foo"),
    ],
)
def test_a_value_that_an_encoder_does_not_take_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=f"^--encoder: {re.escape(sentence)}.$"):
        Encoder.parse(text)


@given(st.floats(0, 51).map(lambda crf: f"{crf:g}"))
def test_x264_takes_every_crf_of_its_range(crf: str) -> None:
    """Its own record of its options, in the film, says so."""
    assert Encoder.parse(f"libx264,crf={crf}").options["crf"] == crf


@pytest.mark.parametrize(
    ("option", "told"), [("qp=20", rb"rc=cqp.* qp=20"), ("b=500k", rb"rc=abr.* bitrate=500"), ("crf=18", rb"crf=18\.0")]
)
def test_a_rate_that_a_user_gives_is_not_overruled_by_a_default(option: str, told: bytes, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", VARIABLE, [np.full((96, 128, 3), 90, np.uint8)] * len(VARIABLE))
    made, _ = rewrite(path, f"libx264,{option}")
    assert re.search(told, made.read_bytes())


def test_the_options_of_an_encoder_are_read() -> None:
    assert Encoder.parse("libx264,crf=30") == Encoder("libx264", {"preset": "veryfast", "crf": "30"})
    with pytest.raises(UsageError, match="no encoder libx2640"):
        Encoder.parse("libx2640")
    with pytest.raises(UsageError, match="no encoder aac for videos"):
        Encoder.parse("aac")
    with pytest.raises(UsageError, match="must be a name and options"):
        Encoder.parse("libx264,crf")


def test_a_film_without_times_is_written_with_a_rate_and_a_note(tmp_path: Path) -> None:
    path = write_video(tmp_path / "raw.h264", tuple(range(25)), time_base=Fraction(1, 25))
    made, notes = rewrite(path)
    assert NO_TIMES_NOTE in notes
    assert len(read_index(made).pts) == 25


def test_a_film_of_odd_size_keeps_its_size(tmp_path: Path) -> None:
    images = [np.full((75, 99, 3), 90, np.uint8)] * 3
    path = write_video(tmp_path / "odd.mkv", (0, 40, 80), images, codec="ffv1")
    made, notes = rewrite(path)
    index = read_index(made)
    assert (index.facts["width"], index.facts["height"]) == (99, 75)
    assert notes == ["Its pixels were yuv420p; now they are yuv444p."]


def test_a_damaged_film_is_written_as_far_as_it_can_be_read_with_its_times(tmp_path: Path) -> None:
    images = [np.full((96, 128, 3), 40 + 2 * number, np.uint8) for number in range(60)]
    path = damage(write_video(tmp_path / "damaged.mp4", tuple(range(0, 2400, 40)), images), 0.4, 300)
    made, notes = rewrite(path)
    assert any("could not be decoded" in note or "damaged" in note for note in notes)
    assert set(read_index(made).pts.tolist()) <= set(read_index(path).pts.tolist())


def test_joined_films_go_on_after_the_jump_of_the_clock(tmp_path: Path) -> None:
    parts = [write_video(tmp_path / f"{name}.ts", audio=True).read_bytes() for name in "ab"]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    made, notes = rewrite(path)
    assert np.array_equal(read_index(made).pts, read_index(path).pts)
    assert notes == ["Its clock jumps back: the sound after that is left out."]


def test_what_is_drawn_is_upright_in_a_turned_film(tmp_path: Path) -> None:
    images = [np.full((96, 128, 3), 90, np.uint8)] * 5
    path = write_video(tmp_path / "turned.mp4", (0, 40, 80, 120, 160), images, display=(90, False, False))
    made, _ = rewrite(path, paint=lambda time, canvas: canvas.fill(Box(0, 0, 96, 32), (0.9, 0.6, 0.0)))
    film = Film.of(sources.walk([made]).sources[0], read_index(made))
    image = next(item[1].rgb(128) for item in film.frames() if isinstance(item, tuple))
    assert image.shape == (128, 96, 3)
    assert (image[4:28, 4:-4, 2] < 60).all()
    assert (image[40:, 4:-4, 2] > 70).all()


SECRETS = ("Anna", "Heidelberg", "+49.4094+008.6947/", "Chapter of Anna")


def named(path: Path) -> Path:
    """The film with names and places in its metadata, a chapter and subtitles."""
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:00,000 --> 00:00:00,500\nAnna says\n\n")
    meta = path.with_suffix(".txt")
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Chapter of Anna\n"
    meta.write_text(f";FFMETADATA1\ntitle=Anna\nartist=Anna\nlocation=+49.4094+008.6947/\n{chapter}")
    made = path.with_name(f"named-{path.name}")
    subtitles = "mov_text" if path.suffix == ".mp4" else "srt"
    tags = ["-metadata:s:a", "title=Heidelberg", "-metadata:s:a", "language=deu"]
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        path,
        "-i",
        text,
        "-i",
        meta,
        "-map",
        "0",
        "-map",
        "1",
        "-map_metadata",
        "2",
    ]
    copied = ["-c", "copy", "-c:s", subtitles, *tags, made]
    subprocess.run([*command, "-map_chapters", "2", *copied], check=True)
    return made


@needs_ffprobe
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_names_and_places_are_carried_over_but_not_into_an_anonymous_film(suffix: str, tmp_path: Path) -> None:
    path = named(write_video(tmp_path / f"a{suffix}", audio=True))
    everything = ["-show_format", "-show_streams", "-show_chapters"]
    made, _ = rewrite(path)
    kept = json.dumps(probe(made, *everything))
    assert "Anna" in kept
    assert "Chapter of Anna" in kept
    made, _ = rewrite(path, anonymous=True)
    left = probe(made, *everything)
    assert [stream["codec_type"] for stream in left["streams"]] == ["video", "audio"]
    assert left["chapters"] == []
    assert not [secret for secret in SECRETS if secret.encode() in made.read_bytes()]
    assert left["streams"][1]["tags"]["language"] in {"deu", "ger"}
    assert sound(made) == sound(path)
