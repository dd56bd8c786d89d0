"""Photos, videos and other files are told apart by their content, and what Pillow or FFmpeg can read is read."""

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

from fer_batch import Options, analyze, read_timeline
from fer_batch.errors import MediaError
from fer_batch.media import jpeg, kinds, photo_file
from fer_batch.media.sources import walk
from fer_batch.media.video.index import read_index
from fer_batch.media.video.probe import kind_by_ffmpeg
from fer_batch.pipeline.unknown_files import kinds_of
from fer_batch.types import Kind
from tests.helpers import media

PHOTO = skimage.data.astronaut()[:256, 128:384]


def noisy_video(path: Path, **options: object) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (25, 48, 64, 3), np.uint8)
    return media.write_video(path, images=list(noise), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["jp2", "jpf", "j2k", "ppm", "pnm", "pgm", "pbm", "pfm", "tif", "bmp"])
@pytest.mark.parametrize("renamed", [False, True])
def test_photos_are_read_under_any_name(tmp_path: Path, suffix: str, renamed: bool) -> None:
    image = Image.fromarray(PHOTO)
    if suffix in ("pgm", "pfm"):
        image = image.convert("L")
    if suffix == "pbm":
        image = image.convert("1")
    expected = np.asarray(image.convert("L")).astype(int)
    if suffix == "pfm":
        image = Image.fromarray(np.asarray(image, np.float32) / 255)
    formats = {"jp2": "JPEG2000", "jpf": "JPEG2000", "j2k": "JPEG2000", "tif": "TIFF", "bmp": "BMP"}
    path = tmp_path / f"a.{suffix}"
    image.save(path, formats.get(suffix, "PPM"), **({"no_jp2": True} if suffix == "j2k" else {}))
    path = path.rename(tmp_path / "a.dat") if renamed else path
    assert kinds.kind_of(path) is Kind.PHOTOS
    assert np.abs(photo_file.decode(path).grey.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("codec", ["pcx", "sgi", "qoi", "dpx", "exr", "xwd"])
def test_photos_that_only_ffmpeg_knows_are_read(tmp_path: Path, codec: str) -> None:
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.time_base = 256, 256, 1
    context.pix_fmt = "gbrpf32le" if codec == "exr" else "rgb24"
    frame = av.VideoFrame.from_ndarray(PHOTO, format="rgb24").reformat(format=context.pix_fmt)
    path = tmp_path / "a.photo"
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    assert kinds.kind_of(path) is None
    assert kinds.worth_probing(path)
    assert kind_by_ffmpeg(path) is Kind.PHOTOS
    decoded = photo_file.decode(path)
    assert np.abs(decoded.rgb.astype(int) - PHOTO).mean() < 3
    assert decoded.notes == (photo_file.BY_FFMPEG_NOTE,)


@pytest.mark.parametrize("suffix", ["ts", "mkv", "nut", "mxf", "mpg", "flv", "ogv"])
def test_videos_are_found_under_any_name(tmp_path: Path, suffix: str) -> None:
    codec = {"ogv": "libvpx", "mxf": "mpeg2video", "mpg": "mpeg2video"}.get(suffix, "libx264")
    path = noisy_video(tmp_path / f"a.{suffix}", codec=codec, timestamps=range(25), time_base=Fraction(1, 25))
    path = path.rename(tmp_path / "a.dav")
    (source,) = walk([tmp_path], probe=lambda paths: kinds_of(paths, 0)).sources
    assert (source.kind, source.files) == (Kind.VIDEO, (path,))


def test_a_recorders_video_is_analysed_and_other_data_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    noisy_video(folder / "a.ts").rename(folder / "camera.tod")
    noise = np.random.default_rng(0)
    (folder / "data.bin").write_bytes(noise.bytes(100_000))
    np.save(folder / "numbers.npy", noise.random(10_000))
    (folder / "table.csv").write_text("a,b\n" * 20_000)
    run = analyze([folder], Options(workers=1), out=tmp_path / "out")
    assert list(run.timelines) == ["camera.tod"]
    assert run.ignored == ("data.bin", "numbers.npy", "table.csv")
    assert run.skipped == ()


@pytest.mark.parametrize(
    "text",
    ["export const a = 1;\n" * 2000, "<?xml version='1.0'?>\n<TS language='de'></TS>\n", "größer\n" * 4000],
    ids=["TypeScript", "Qt translation", "not ASCII"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_programs_and_translations_are_no_transport_streams(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.ts").write_text(text, encoding=encoding)
    found = walk([tmp_path], probe=lambda paths: kinds_of(paths, 0))
    assert (found.sources, found.skipped, found.ignored) == ((), (), ("a.ts",))


@pytest.mark.parametrize("suffix", ["mp3", "wav", "flac", "m4a", "m4b", "mka", "wma", "ogg", "ac3", "weba"])
def test_sound_is_passed_over(tmp_path: Path, suffix: str) -> None:
    codecs = {"mp3": "libmp3lame", "wav": "pcm_s16le", "wma": "wmav2", "ogg": "libopus", "weba": "libopus"}
    name = codecs.get(suffix, suffix if suffix in ("flac", "ac3") else "aac")
    with av.open(str(tmp_path / f"a.{suffix}"), "w", format={"weba": "webm", "m4b": "mp4"}.get(suffix)) as container:
        stream = container.add_stream(name, rate=48000, layout="stereo")
        stream.bit_rate = 128_000
        noise = np.random.default_rng(0)
        for _ in range(100):
            context = stream.codec_context
            samples = noise.uniform(-1, 1, (1, context.frame_size or 1024)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 48000
            for resampled in av.AudioResampler(context.format, context.layout, 48000).resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode())
    found = walk([tmp_path], probe=lambda paths: kinds_of(paths, 0))
    assert (found.sources, found.skipped, found.ignored) == ((), (), (f"a.{suffix}",))


def jpegs(count: int, size: tuple[int, int] = (64, 48)) -> list[bytes]:
    """JPEGs with EXIF that holds a thumbnail, as cameras write them."""
    found = []
    for number in range(count):
        thumbnail, buffer = BytesIO(), BytesIO()
        Image.fromarray(media.pixels(number, (16, 12))).save(thumbnail, "JPEG")
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + thumbnail.getvalue()
        Image.fromarray(media.pixels(number, size)).save(buffer, "JPEG", exif=exif)
        found.append(buffer.getvalue())
    return found


@pytest.mark.parametrize("name", ["a.mjpeg", "a.jpg", "a"])
@pytest.mark.parametrize("padding", [0, 13])
def test_jpegs_one_after_the_other_are_a_video(tmp_path: Path, name: str, padding: int) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    path.write_bytes(bytes(padding).join(jpegs(30)))
    assert kinds.kind_of(path) is Kind.VIDEO
    assert read_index(path).packets == 30
    run = analyze([path.parent], Options(workers=0), out=tmp_path / "out")
    timeline = read_timeline(run.timelines[name])
    assert timeline["frame"].tolist() == list(range(30))
    assert timeline["timestamp"].isna().all(), "there is no rate in it"
    assert ["no timestamps" in line.reason for line in run.skipped] == [True]


def test_photos_with_other_jpegs_in_them_are_photos(tmp_path: Path) -> None:
    (tmp_path / "alone.jpg").write_bytes(jpegs(1)[0])
    (tmp_path / "preview.jpg").write_bytes(jpegs(1)[0] + jpegs(1, (32, 24))[0])
    images = [Image.fromarray(media.pixels(number)) for number in range(2)]
    images[0].save(tmp_path / "two.jpg", "MPO", save_all=True, append_images=images[1:])
    assert jpeg.is_sequence(b"".join(jpegs(2)))
    assert {path.name: kinds.kind_of(path) for path in tmp_path.iterdir()} == dict.fromkeys(
        ["alone.jpg", "preview.jpg", "two.jpg"], Kind.PHOTOS
    )


def tiff(photo: np.ndarray) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, photo, photometric="rgb")
    return buffer.getvalue()


RAW_HEADS: dict[str, Callable[[], bytes]] = {
    "a.raf": lambda: b"FUJIFILMCCD-RAW 0201FF383501",
    "a.orf": lambda: b"IIRO\x08\0\0\0",
    "a.rw2": lambda: b"IIU\0\x18\0\0\0",
    "a.cr3": lambda: b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    "a.x3f": lambda: b"FOVb\x01\0\x02\0",
    "a.mrw": lambda: b"\0MRM\0\x01",
    "a.crw": lambda: b"II\x1a\0\0\0HEAPCCDR",
    "a.iiq": lambda: b"II*\0\x10\0\0\0IIIItwaR" + tiff(PHOTO)[16:],
    "other.tif": lambda: b"II*\0\x10\0\0\0IIIItwaR" + tiff(PHOTO)[16:],
    "a.nef": lambda: tiff(PHOTO),
    "a.arw": lambda: tiff(PHOTO),
}


@pytest.mark.parametrize("name", RAW_HEADS)
def test_raw_photos_of_every_maker_get_the_same_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(RAW_HEADS[name]() + bytes(1000))
    assert kinds.kind_of(path) is Kind.PHOTOS
    with pytest.raises(MediaError) as error:
        photo_file.decode(path)
    assert str(error.value) == photo_file.RAW


def test_a_name_alone_makes_no_raw_photo(tmp_path: Path) -> None:
    (tmp_path / "a.mos").write_text("begin")
    (tmp_path / "b.raf").write_bytes(os.urandom(100))
    assert [kinds.kind_of(path) for path in sorted(tmp_path.iterdir())] == [None, None]


def bitmap(image: np.ndarray) -> bytes:
    """A BMP of four channels, with a header of version 4, in which the fourth may be transparency."""
    height, width = image.shape[:2]
    masks = 0xFF0000, 0xFF00, 0xFF, 0xFF000000
    numbers = 108, width, -height, 1, 32, 3, image.nbytes, 2835, 2835, 0, 0, *masks
    head = struct.pack("<IiiHHIIiiII4I", *numbers) + bytes(52)
    begin = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", begin + image.nbytes, 0, 0, begin) + head + image.tobytes()


@pytest.mark.parametrize(("alpha", "levels"), [((0, 0), (60, 60)), ((255, 255), (60, 60)), ((0, 255), (255, 60))])
def test_a_bitmap_whose_alpha_is_zero_everywhere_has_none(
    tmp_path: Path, alpha: tuple[int, int], levels: tuple[int, int]
) -> None:
    image = np.full((40, 60, 4), 60, np.uint8)
    image[:, :30, 3], image[:, 30:, 3] = alpha
    (tmp_path / "a.bmp").write_bytes(bitmap(image))
    with Image.open(tmp_path / "a.bmp") as opened:
        assert opened.mode == "RGBA"
    grey = photo_file.decode(tmp_path / "a.bmp").grey
    assert (grey[:, :30] == levels[0]).all()
    assert (grey[:, 30:] == levels[1]).all()


@pytest.mark.parametrize("turned", [False, True])
def test_an_avif_whose_transparency_pillow_refuses_is_read_by_ffmpeg(tmp_path: Path, turned: bool) -> None:
    alpha = np.random.default_rng(0).integers(0, 255, PHOTO.shape[:2], np.uint8)
    path = tmp_path / "a.avif"
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    Image.fromarray(np.dstack([PHOTO, alpha])).save(path, quality=95, exif=exif)
    whole = photo_file.decode(path)
    assert whole.notes == ()
    data = path.read_bytes()
    begin = data.index(b"mdat") + 4
    path.write_bytes(data[:begin] + b"\xff" * 1000 + data[begin + 1000 :])  # the transparency comes first
    with pytest.raises(Exception, match=r"\w"), Image.open(path) as image:
        image.load()
    decoded = photo_file.decode(path)
    assert decoded.notes == (photo_file.BY_FFMPEG_NOTE,)
    expected = np.rot90(PHOTO, -1) if turned else PHOTO
    assert np.abs(decoded.rgb.astype(int) - expected).mean() < 4
