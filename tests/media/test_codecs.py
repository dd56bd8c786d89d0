"""Every encoder and container at hand: the same grey whatever the codec, the same frames whether cut or not."""

from fractions import Fraction
from itertools import combinations
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from fer_batch.detection import crop
from fer_batch.media.frame import Luma
from fer_batch.media.video import reader
from fer_batch.media.video.frame import FrameConverter
from fer_batch.media.video.index import read_index
from fer_batch.media.video.reader import ReadMode
from fer_batch.types import Box
from tests.helpers import media, reading
from tests.media.test_reader import plan, plan_as_a_run_would

LIMITED, FULL = 1, 2

FACE = Box(40, 30, 80, 100)

VIDEOS = [
    ("libx264", "yuv420p", LIMITED),
    ("libx264", "yuv420p", FULL),
    ("libx264", "yuvj420p", FULL),
    ("libx264", "yuv422p", LIMITED),
    ("libx264", "yuv444p", LIMITED),
    ("libx264", "yuv420p10le", LIMITED),
    ("libx264", "yuv420p10le", FULL),
    ("libx265", "yuv420p", LIMITED),
    ("libx265", "yuv420p", FULL),
    ("libx265", "yuv420p10le", LIMITED),
    ("libx265", "yuv420p10le", FULL),
    ("libx265", "yuv420p12le", LIMITED),
    ("libx265", "yuv422p10le", LIMITED),
    ("libx265", "yuv444p12le", FULL),
    ("libvpx-vp9", "yuv420p", LIMITED),
    ("libvpx-vp9", "yuv420p", FULL),
    ("libvpx-vp9", "yuv422p", LIMITED),
    ("libvpx-vp9", "yuv444p", FULL),
    ("libsvtav1", "yuv420p", LIMITED),
    ("libsvtav1", "yuv420p", FULL),
    ("libsvtav1", "yuv420p10le", LIMITED),
    ("libsvtav1", "yuv420p10le", FULL),
    ("mjpeg", "yuvj420p", FULL),
    ("mjpeg", "yuvj444p", FULL),
    ("prores_ks", "yuv422p10le", LIMITED),
    ("ffv1", "gray", FULL),
    ("ffv1", "gray10le", FULL),
    ("ffv1", "bgr0", FULL),
    ("rawvideo", "uyvy422", LIMITED),
    ("rawvideo", "yuv420p10be", LIMITED),
    ("rawvideo", "nv12", LIMITED),
]
QUIETLY = {"libx265": {"x265-params": "log-level=none"}, "libsvtav1": {"preset": "10"}}


def write_face(path: Path, face: np.ndarray, codec: str, pixel_format: str, levels: int) -> Path:
    """Three frames of one face."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = face.shape[1], face.shape[0], pixel_format
        stream.codec_context.color_range = levels
        stream.codec_context.bit_rate = 8_000_000
        stream.options = QUIETLY.get(codec, {})
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(face, format="rgb24")
            frame = frame.reformat(format=pixel_format, dst_color_range=levels)
            frame.color_range, frame.pts = levels, number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def face(astronaut: Path) -> np.ndarray:
    """(192, 160, 3) uint8: the astronaut's head."""
    return cv2.resize(np.asarray(Image.open(astronaut).convert("RGB"))[0:240, 120:320], (160, 192))


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory, face: np.ndarray) -> dict[str, np.ndarray]:
    """The same face's crop from every kind of video; under "photo", from a photo."""
    folder = tmp_path_factory.mktemp("faces")
    found = {"photo": crop.cut(Luma(np.asarray(Image.fromarray(face).convert("L"))), FACE)}
    for codec, pixel_format, levels in VIDEOS:
        suffix = "nut" if codec == "rawvideo" else "mov" if codec == "prores_ks" else "mkv"
        path = write_face(folder / f"{len(found)}.{suffix}", face, codec, pixel_format, levels)
        (frame, *_) = [frame for chunk in plan_as_a_run_would(path) for frame in reading.frames(chunk)]
        found[f"{codec} {pixel_format} {levels}"] = crop.cut(frame.image.luma(), FACE)
    return found


def test_a_face_has_the_same_grey_in_every_codec_depth_and_range(crops: dict[str, np.ndarray]) -> None:
    assert len(crops) == len(VIDEOS) + 1
    off = {
        (one, other): np.abs(crops[one].astype(float) - crops[other]).mean() for one, other in combinations(crops, 2)
    }
    assert {pair: value for pair, value in off.items() if value >= 3} == {}


def test_a_wrong_range_would_be_noticed(crops: dict[str, np.ndarray]) -> None:
    """Limited range taken for full is off by more than the codecs are."""
    face = crops["photo"].astype(float)
    assert np.abs(face - (16 + face * 219 / 255)).mean() > 6


LAYOUTS = """
yuv420p yuvj420p yuv422p yuv444p yuv410p yuv411p yuv440p yuyv422 yvyu422 uyvy422 nv12 nv21 nv16 nv24 nv20le
gray gray9le gray10le gray12le gray14le gray16le gray16be yuv420p9le yuv420p10le yuv420p10be yuv420p12le yuv420p14le
yuv422p10le yuv422p12le yuv444p10le yuv444p12le yuv444p16le p010le p010be p012le p016le p210le p216le p410le p416le
yuva420p yuva422p yuva444p yuva444p10le yuva444p12le ya8 ya16le rgb24 bgr24 rgba argb bgra bgr0 gbrp gbrp10le gbrp12le
gbrap rgb48le rgba64le rgb565le y210le y212le xv30le xv36le vuyx vuya ayuv64le uyva x2rgb10le yuv444p10msble gbrp10msble
""".split()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_face_has_the_same_grey_in_every_layout_of_pixels(
    layout: str, face: np.ndarray, crops: dict[str, np.ndarray]
) -> None:
    frame = av.VideoFrame.from_ndarray(face, format="rgb24").reformat(format=layout)
    image = FrameConverter().image(frame)
    assert np.abs(crop.cut(image.luma(), FACE).astype(float) - crops["photo"]).mean() < 3
    colour = np.abs(image.rgb(1000).astype(float) - face).mean()
    assert colour < 12 or layout.startswith(("gray", "ya"))


H264 = {"preset": "ultrafast"}
ENCODINGS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "h264": ("libx264", "yuv420p", {"bf": "0"}, "mp4 mkv mov ts flv avi nut"),
    "h264-b": ("libx264", "yuv420p", {"bf": "3"}, "mp4 mkv mov ts flv avi"),
    "h264-open": ("libx264", "yuv420p", {"x264-params": "open-gop=1:bframes=3"}, "mp4 mkv mov ts flv"),
    "h264-refresh": ("libx264", "yuv420p", {"intra-refresh": "1", "bf": "0"}, "mp4 mkv ts flv"),
    "h264-interlaced": ("libx264", "yuv420p", {"x264-params": "interlaced=1:bframes=2"}, "mp4 mkv ts"),
    "h264-444": ("libx264", "yuv444p", {"bf": "2"}, "mp4 mkv"),
    "h264-10": ("libx264", "yuv420p10le", {"bf": "2"}, "mp4 mkv"),
    "hevc": ("libx265", "yuv420p", {"x265-params": "log-level=none:bframes=3:open-gop=0"}, "mp4 mkv mov ts"),
    "hevc-open": ("libx265", "yuv420p10le", {"x265-params": "log-level=none:bframes=4:open-gop=1"}, "mp4 mkv ts"),
    "vp8": ("libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "10", "cpu-used": "8"}, "webm mkv"),
    "vp9": ("libvpx-vp9", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "10", "cpu-used": "8"}, "webm mp4 mkv"),
    "av1": ("libsvtav1", "yuv420p", {"preset": "12"}, "mp4 webm mkv"),
    "mpeg1": ("mpeg1video", "yuv420p", {"bf": "2"}, "mpg mkv"),
    "mpeg2": ("mpeg2video", "yuv420p", {"bf": "2"}, "ts mpg vob mkv mxf"),
    "mpeg4": ("mpeg4", "yuv420p", {"bf": "0"}, "avi mp4 mkv mov"),
    "mpeg4-b": ("mpeg4", "yuv420p", {"bf": "2"}, "avi mp4 mkv"),
    "msmpeg4": ("msmpeg4", "yuv420p", {}, "avi asf"),
    "wmv": ("wmv2", "yuv420p", {}, "asf wmv"),
    "sorenson": ("flv", "yuv420p", {}, "flv"),
    "mjpeg": ("mjpeg", "yuvj420p", {}, "avi mov mkv"),
    "prores": ("prores_ks", "yuv422p10le", {}, "mov mkv"),
    "ffv1": ("ffv1", "yuv420p", {}, "mkv avi"),
    "huffyuv": ("huffyuv", "yuv422p", {}, "avi nut"),
    "png": ("png", "rgb24", {}, "mov nut"),
    "raw": ("rawvideo", "yuv420p", {}, "avi nut"),
}
CASES = [(name, suffix) for name, encoding in ENCODINGS.items() for suffix in encoding[3].split()]
QUICK = {suffix: (name, suffix) for name, suffix in reversed(CASES)}
"""The first codec of each container: the others are slow only because they are so many."""

STRAIGHT = {"h264-444": ReadMode.TIMESTAMPS}
"""Videos that are never cut into chunks, though their timestamps increase."""

WHOLE = {("h264-b", "avi"), ("mpeg4-b", "avi"), ("h264", "avi"), ("mpeg1", "mpg")}
"""Videos whose timestamps do not tell where a seek has led: they are read as one chunk."""


def moving(count: int) -> list[np.ndarray]:
    """Frames (64, 96, 3) of a texture that wanders, so that a wrong reference shows."""
    noise = np.random.default_rng(3).integers(0, 256, (8, 12, 3), np.uint8)
    texture = cv2.resize(noise, (96, 64), interpolation=cv2.INTER_LINEAR)
    return [np.roll(texture, (shift, 2 * shift), (0, 1)) for shift in range(count)]


def straight(path: Path) -> list[np.ndarray]:
    """The luma of every frame, decoded from the beginning to the end by PyAV alone."""
    with av.open(str(path)) as container:
        return [_luma(frame) for frame in container.decode(video=0)]


def _luma(frame: av.VideoFrame) -> np.ndarray:
    kind = np.dtype(np.uint8 if frame.format.components[0].bits == 8 else np.uint16)
    if frame.format.name == "rgb24":
        return frame.reformat(format="gray").to_ndarray()
    rows = np.frombuffer(memoryview(frame.planes[0]), kind).reshape(frame.height, -1)
    return rows[:, : frame.width].copy()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [case if case in QUICK.values() else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_cut_at_keyframes_or_not_every_video_gives_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    monkeypatch.setattr(reader, "CHUNK_SECONDS", Fraction(2))
    codec, pixel_format, options, _ = ENCODINGS[name]
    if codec == "libx264":
        options = H264 | options
    count = 150
    path = media.write_video(
        tmp_path / f"a.{suffix}",
        range(count),
        moving(count),
        codec=codec,
        pixel_format=pixel_format,
        options=options,
        time_base=Fraction(1, 25),
        keyframe_every=11,
    )
    expected = straight(path)
    assert len(expected) == count
    chunks = plan_as_a_run_would(path)
    found = [(frame.time, frame.image.luma().plane.copy()) for chunk in chunks for frame in reading.frames(chunk)]
    assert [time.number for time, _ in found] == list(range(count))
    assert all(np.array_equal(plane, other) for (_, plane), other in zip(found, expected, strict=True))
    seconds = [time.seconds for time, _ in found]
    assert seconds == pytest.approx([number / 25 for number in range(count)], abs=0.0011)
    if name in STRAIGHT or (name, suffix) in WHOLE:
        assert len(chunks) == 1
    else:
        assert len(chunks) >= 3
    if name in STRAIGHT:
        assert reader.read_mode(read_index(path)) is STRAIGHT[name]
        assert len(plan(path, mode=ReadMode.CHUNKS)) >= 3, "it is the profile that keeps it whole"
