"""What is missing in a video, and what only looks as if it were; videos that are encrypted."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fer_batch.errors import MediaError
from fer_batch.media.video import layout
from fer_batch.media.video.encryption import ENCRYPTED
from fer_batch.media.video.index import read_index
from tests.helpers import media

CLUSTER = bytes.fromhex("1f43b675")
"""What begins a stretch of packets in a Matroska file."""

KEY = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}


def with_subtitles(video: Path, path: Path) -> Path:
    """The video of a second with subtitles that last until 5 s."""
    srt = path.with_suffix(".srt")
    srt.write_text("1\n00:00:00,000 --> 00:00:00,500\nHello\n\n2\n00:00:00,600 --> 00:00:05,000\nThe end\n")
    with av.open(str(video)) as film, av.open(str(srt)) as text, av.open(str(path), "w") as container:
        streams = [container.add_stream_from_template(one.streams[0]) for one in (film, text)]
        for origin, stream in zip((film, text), streams, strict=True):
            for packet in origin.demux():
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
    return path


@pytest.mark.parametrize("tag", [True, False], ids=["its own length is known", "only that of the whole file"])
def test_subtitles_may_end_after_the_picture(tmp_path: Path, tag: bool) -> None:
    path = with_subtitles(media.write_video(tmp_path / "a.mp4"), tmp_path / "b.mkv")
    if not tag:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"SOMETIME"))
    index = read_index(path)
    assert (len(index.pts), index.damage) == (25, None)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4", "mov", "flv", "wmv", "ts", "avi"])
@pytest.mark.parametrize("tag", [True, False], ids=["its own length is known", "only that of the whole file"])
def test_sound_may_go_on_after_a_single_frame(tmp_path: Path, suffix: str, tag: bool) -> None:
    path = tmp_path / f"a.{suffix}"
    codecs = {"webm": ("libvpx", "libopus"), "avi": ("mpeg4", "libmp3lame"), "wmv": ("wmv2", "libmp3lame")}
    with av.open(str(path), "w") as container:
        codec, sound_codec = codecs.get(suffix, ("libx264", "aac"))
        stream, sound = container.add_stream(codec, rate=25), container.add_stream(sound_codec, rate=48000)
        stream.width, stream.height, stream.pix_fmt = *media.SIZE, "yuv420p"
        frame = av.VideoFrame.from_ndarray(media.pixels(3), format="rgb24")
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for pts in range(0, 48000 * 3, 960):
            silence = av.AudioFrame.from_ndarray(np.zeros((2, 960), np.float32), format="fltp", layout="stereo")
            silence.sample_rate, silence.pts = 48000, pts
            container.mux(sound.encode(silence))
        container.mux(sound.encode())
    if not tag:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"SOMETIME"))
    index = read_index(path)
    assert (len(index.pts), index.damage) == (1, None)
    assert index.clock.seconds(int(index.pts[0])) >= 0


def test_a_video_with_subtitles_that_is_cut_off_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), np.uint8)
    film = media.write_video(tmp_path / "a.mp4", range(0, 4000, 40), list(noise))
    path = media.truncate(with_subtitles(film, tmp_path / "b.mkv"), 0.6)
    damage = read_index(path).damage
    assert damage is not None
    assert damage.startswith("Cut off: its header announces 4.000 s, but it ends after ")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_last_frame_may_last_long(tmp_path: Path, suffix: str) -> None:
    def lengthened(at: int, packet: av.Packet) -> av.Packet:
        packet.duration = 5 * int(1 / packet.time_base) if at == 24 else packet.duration
        return packet

    path = media.write_video(tmp_path / "a.mp4", options={"bf": "0"})
    assert read_index(media.remux(path, tmp_path / f"b.{suffix}", lengthened)).damage is None


def transparent(path: Path) -> Path:
    """A WebM whose transparency takes more bytes than its picture."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=25, options={"auto-alt-ref": "0", "b": "20M"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuva420p"
        for number in range(25):
            image = np.dstack([media.pixels(number, (320, 240)), rng.integers(0, 255, (240, 320), np.uint8)])
            frame = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format="yuva420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_transparency_beside_the_picture_is_no_hole(tmp_path: Path) -> None:
    path = transparent(tmp_path / "a.webm")
    assert path.stat().st_size > 25 * 2**14
    index = read_index(path)
    assert (len(index.pts), index.damage) == (25, None)


def with_hole(data: bytes) -> bytes:
    """A Matroska file with 50,000 bytes of nothing, as its format allows, before its third cluster."""
    parts = data.split(CLUSTER)
    void = b"\xec\x01" + (50_000).to_bytes(7) + bytes(50_000)
    return CLUSTER.join(parts[:3]) + void + CLUSTER + CLUSTER.join(parts[3:])


def without_cluster(data: bytes) -> bytes:
    """A Matroska file with random bytes in the place of its third cluster."""
    parts = data.split(CLUSTER)
    noise = np.random.default_rng(0).integers(0, 256, len(parts[3]) + 4, np.uint8).tobytes()
    return CLUSTER.join(parts[:3]) + noise + CLUSTER + CLUSTER.join(parts[4:])


@pytest.mark.parametrize(("change", "missing"), [(with_hole, False), (without_cluster, True)])
def test_bytes_between_frames_matter_where_frames_are_missing(
    tmp_path: Path, change: Callable[[bytes], bytes], missing: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (100, 96, 128, 3), np.uint8)
    options = {"live": "1", "cluster_time_limit": "500"}
    path = media.write_video(tmp_path / "a.mkv", range(0, 4000, 40), list(noise), container_options=options)
    path.write_bytes(change(path.read_bytes()))
    index = read_index(path)
    assert (len(index.pts) < 100) is missing
    assert (index.damage or "").startswith("Damaged: ") is missing


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("cut", [100, 250, 500, 2000])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_an_edit_list_may_begin_in_a_gap(tmp_path: Path, suffix: str, cut: int, bframes: int) -> None:
    """Whatever duration is left in the header then."""
    times = [*range(0, 240, 40), *range(2400, 3400, 40)]
    video = media.write_video(tmp_path / "a.mkv", times, options={"bf": str(bframes)})
    index = read_index(media.remux(video, tmp_path / f"b.{suffix}", media.later(-cut)))
    assert len(index.pts) < len(times)
    assert index.damage is None


@pytest.mark.parametrize("at", [10, 24])
def test_a_frame_without_data_is_none_that_is_lost(tmp_path: Path, at: int) -> None:
    """As programs write frames that they dropped: the one before is shown for longer."""
    path = media.write_video(tmp_path / "a.mp4", codec="mpeg4")
    data = bytearray(path.read_bytes())
    sizes = data.index(b"stsz") + 16
    before, this = (int.from_bytes(data[sizes + 4 * one : sizes + 4 * one + 4]) for one in (at - 1, at))
    data[sizes + 4 * (at - 1) : sizes + 4 * (at + 1)] = (before + this).to_bytes(4) + bytes(4)
    path.write_bytes(data)
    index = read_index(path)
    assert (len(index.pts), index.damage) == (24, None)


def of_noise(path: Path, **options: object) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), np.uint8)
    return media.write_video(path, range(100), list(noise), time_base=Fraction(1, 25), keyframe_every=10, **options)


IN_FRAGMENTS = {"container_options": {"movflags": "frag_keyframe+empty_moov"}}


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mkv", {}),
        ("webm", {"codec": "libvpx"}),
        ("mp4", IN_FRAGMENTS),
        ("mp4", {"container_options": {"movflags": "faststart"}}),
        ("avi", {"codec": "mpeg4"}),
        ("wmv", {"codec": "wmv2"}),
        ("flv", {}),
        ("ts", {}),
        ("m2ts", {}),
        ("mpg", {"codec": "mpeg1video"}),
        ("vob", {"codec": "mpeg2video"}),
        ("ogv", {"codec": "libvpx"}),
    ],
)
@pytest.mark.parametrize("share", [0.251, 0.503, 0.707])
def test_what_is_missing_at_the_end_is_missed(tmp_path: Path, suffix: str, options: dict, share: float) -> None:
    path = of_noise(tmp_path / f"a.{suffix}", **options)
    index = read_index(path)
    assert (len(index.pts), index.damage) == (100, None)
    index = read_index(media.truncate(path, share))
    assert len(index.pts) < 100
    assert index.damage is not None
    assert index.damage.startswith("Cut off: ")


@pytest.mark.parametrize("left", ["half of the pictures", "all pictures", "a part of the index", "nothing"])
def test_an_mp4_without_its_index_says_what_to_do(tmp_path: Path, left: str) -> None:
    path = of_noise(tmp_path / "a.mp4")
    data = path.read_bytes()
    begin, end = data.index(b"mdat") - 4, data.index(b"moov") - 4
    upto = {"half of the pictures": (begin + end) // 2, "all pictures": end, "a part of the index": end + 60}
    path.write_bytes(data[: upto.get(left, begin)])
    with pytest.raises(MediaError) as error:
        read_index(path)
    assert str(error.value) == layout.NO_INDEX


@pytest.mark.parametrize("kind", ["encv", "drmi"])
def test_encrypted_videos_of_an_unknown_codec_are_called_so(tmp_path: Path, kind: str) -> None:
    path = media.write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", kind.encode()))
    with pytest.raises(MediaError) as error:
        read_index(path)
    assert str(error.value) == ENCRYPTED


def test_common_encryption_is_called_so(tmp_path: Path) -> None:
    options = {"encryption_scheme": "cenc-aes-ctr", **KEY}
    path = media.write_video(tmp_path / "a.mp4", container_options=options)
    with pytest.raises(MediaError) as error:
        read_index(path)
    assert str(error.value) == ENCRYPTED


def test_protected_windows_media_is_called_so(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.wmv", codec="wmv2", time_base=Fraction(1, 25), timestamps=range(25))
    data = path.read_bytes()
    assert read_index(path).damage is None
    size, objects = int.from_bytes(data[16:24], "little"), int.from_bytes(data[24:28], "little")
    object_size = 24 + 16
    added = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + object_size.to_bytes(8, "little") + bytes(16)
    head = data[:16] + (size + object_size).to_bytes(8, "little") + (objects + 1).to_bytes(4, "little") + data[28:30]
    path.write_bytes(head + added + data[30:])
    with pytest.raises(MediaError) as error:
        read_index(path)
    assert str(error.value) == ENCRYPTED


def test_a_scrambled_broadcast_is_called_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (25, 48, 64, 3), np.uint8)
    path = media.write_video(tmp_path / "a.ts", images=list(noise))
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 188):
        if int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF == 256:  # the video
            data[at + 3] |= 0x80
    path.write_bytes(data)
    with pytest.raises(MediaError) as error:
        read_index(path)
    assert str(error.value) == ENCRYPTED


def test_a_codec_that_nobody_knows_is_not_called_encrypted(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(MediaError, match="in a codec that FFmpeg does not know"):
        read_index(path)
