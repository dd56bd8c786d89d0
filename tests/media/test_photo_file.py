"""All photo formats and their differences: several images in a file, orientation, bit depth, size."""

import struct
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from fer_batch.errors import MediaError
from fer_batch.media import photo_file, sources
from fer_batch.types import Kind
from tests.helpers import media

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def marked() -> np.ndarray:
    """A grey image of 40x60 with one bright and one dark corner, so that all eight orientations differ."""
    image = np.full((40, 60, 3), 120, np.uint8)
    image[:10, :10] = 250
    image[-10:, :10] = 10
    return image


def ramp() -> np.ndarray:
    """(40, 60) uint16: every level from 0 to 65535."""
    return np.linspace(0, 65535, 60 * 40).reshape(40, 60).astype(np.uint16)


def off(path: Path, upright: np.ndarray) -> float:
    """Mean absolute error of a photo's decoded levels: the greater of colour and grey."""
    decoded = photo_file.decode(path)
    assert (decoded.height, decoded.width) == decoded.grey.shape == decoded.rgb.shape[:2]
    assert decoded.rgb.dtype == decoded.grey.dtype == np.uint8
    assert sources.walk([path]).sources[0].kind is Kind.PHOTOS
    grey = upright if upright.ndim == 2 else cv2.cvtColor(upright, cv2.COLOR_RGB2GRAY)
    colour = upright if upright.ndim == 3 else np.repeat(upright[:, :, np.newaxis], 3, axis=2)
    return max(np.abs(decoded.grey.astype(float) - grey).mean(), np.abs(decoded.rgb.astype(float) - colour).mean())


LOSSLESS: dict[str, dict[str, object]] = {
    "a.png": {},
    "a.bmp": {},
    "a.dib": {},
    "a.ppm": {},
    "a.tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "big.tif": {"big_tiff": True},
    "lossless.webp": {"lossless": True},
    "a.jp2": {"irreversible": False},
}
LOSSY: dict[str, dict[str, object]] = {
    "baseline.jpg": {"quality": 95},
    "progressive.jpg": {"quality": 95, "progressive": True},
    "a.jpeg": {"quality": 95, "subsampling": 0},
    "a.webp": {"quality": 95},
    "a.avif": {"quality": 95},
    "a.heic": {"quality": 95},
    "jpeg.tif": {"compression": "jpeg", "quality": 95},
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_every_pixel(tmp_path: Path, name: str) -> None:
    path = media.write_photo(tmp_path / name, NOISE, **LOSSLESS[name])
    assert np.array_equal(photo_file.decode(path).rgb, NOISE)
    assert off(path, NOISE) < 0.1


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_are_read(tmp_path: Path, name: str) -> None:
    assert off(media.write_photo(tmp_path / name, marked(), **LOSSY[name]), marked()) < 3


@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv422p", "yuv420p", "yuv440p", "yuv411p", "yuv410p"])
@pytest.mark.parametrize("compression", ["raw", "lzw", "deflate"])
def test_a_tiff_of_ycbcr_is_read_whatever_its_compression(tmp_path: Path, pixel_format: str, compression: str) -> None:
    upright = np.full((32, 64, 3), (200, 90, 40), np.uint8)
    upright[8:24, 16:48] = (30, 160, 220)
    encoder = av.CodecContext.create("tiff", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 32, pixel_format, Fraction(1)
    encoder.options = {"compression_algo": compression}
    frame = av.VideoFrame.from_ndarray(upright, format="rgb24").reformat(format=pixel_format, interpolation="POINT")
    (tmp_path / "a.tif").write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode()]))
    assert off(tmp_path / "a.tif", upright) < 8  # a mistaken reading is off by 30


def test_levels_outside_of_black_and_white_are_told(tmp_path: Path) -> None:
    for name, highest in (("inside", 1.0), ("outside", 255.0)):
        tifffile.imwrite(tmp_path / f"{name}.tif", (ramp() / 65535 * highest).astype(np.float32))
    assert not photo_file.decode(tmp_path / "inside.tif").notes
    assert photo_file.decode(tmp_path / "outside.tif").notes == (photo_file.OUT_OF_RANGE_NOTE,)


@pytest.mark.parametrize(("bits", "told"), [(8, True), (10, True), (12, True), (13, False), (16, False)])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_few_bits_stored_in_sixteen_are_told(tmp_path: Path, name: str, bits: int, told: bool) -> None:
    """As cameras of laboratories store them. How dark a photo is changes nothing else."""
    levels = (ramp() >> (16 - bits)).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / name)
    decoded = photo_file.decode(tmp_path / name)
    assert decoded.notes == ((photo_file.DARK_NOTE,) if told else ())
    assert np.array_equal(decoded.grey, np.rint(levels * (255 / 65535)).astype(np.uint8))


def test_a_gif_is_a_photo(tmp_path: Path) -> None:
    assert off(media.write_photo(tmp_path / "a.gif", marked()), marked()) < 6


def test_an_interlaced_png_gives_every_pixel(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "plain.png"), NOISE[:, :, ::-1])
    (tmp_path / "a.png").write_bytes(media.interlaced_png(NOISE))
    assert (tmp_path / "a.png").read_bytes()[28] == 1  # the interlace method in IHDR
    assert np.array_equal(photo_file.decode(tmp_path / "a.png").rgb, NOISE)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA", "PA", "YCbCr"])
def test_every_colour_mode_gives_colour_and_grey(tmp_path: Path, mode: str) -> None:
    suffix = {"CMYK": "jpg", "PA": "tif", "YCbCr": "tif"}.get(mode, "png")
    image = Image.fromarray(marked()).convert("P" if mode == "PA" else mode)
    (image.convert("PA") if mode == "PA" else image).save(tmp_path / f"a.{suffix}")
    decoded = photo_file.decode(tmp_path / f"a.{suffix}")
    for corner, level in [((2, 2), 250), ((-3, 2), 10)]:
        assert abs(int(decoded.grey[corner]) - level) < 12
        assert np.abs(decoded.rgb[corner].astype(int) - level).max() < 12


def test_a_cmyk_jpeg_is_not_read_as_its_negative(tmp_path: Path) -> None:
    media.write_photo(tmp_path / "rgb.png", marked())
    Image.fromarray(marked()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()[:64]
    assert off(tmp_path / "a.jpg", marked()) < 3


def test_lightness_is_the_grey_of_a_lab_tiff(tmp_path: Path) -> None:
    lab = cv2.cvtColor(marked(), cv2.COLOR_RGB2LAB).astype(np.uint8)
    signed = np.dstack([lab[:, :, 0], lab[:, :, 1:] - 128])
    tifffile.imwrite(tmp_path / "a.tif", signed, photometric="cielab")
    assert np.array_equal(photo_file.decode(tmp_path / "a.tif").grey, lab[:, :, 0])


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "avif", "heic"])
def test_what_is_transparent_is_shown_on_white(tmp_path: Path, suffix: str) -> None:
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:, 30:] = 0
    image = np.dstack([np.full((40, 60, 3), 60, np.uint8), alpha])
    options = {"lossless": True} if suffix == "webp" else {"quality": 95}
    path = media.write_photo(tmp_path / f"a.{suffix}", image, **options)
    expected = np.full((40, 60), 60, np.uint8)
    expected[:, 30:] = 255
    assert off(path, expected) < 3


def test_a_transparent_palette_and_a_transparent_colour_are_shown_on_white(tmp_path: Path) -> None:
    palette = Image.fromarray(marked()[:, :, 0]).quantize(16)
    darkest = int(np.asarray(palette)[-1, 0])
    palette.save(tmp_path / "palette.png", transparency=darkest)
    palette.save(tmp_path / "palette.gif", transparency=darkest)
    Image.fromarray(marked()).save(tmp_path / "colour.png", transparency=(10, 10, 10))
    for name in ("palette.png", "palette.gif", "colour.png"):
        decoded = photo_file.decode(tmp_path / name)
        assert decoded.grey[-3, 2] == 255
        assert abs(int(decoded.grey[2, 2]) - 250) < 3


def write_levels(path: Path) -> np.ndarray:
    """A ramp of more than eight bits in the format that the name says; what it should be read as, 0 to 255."""
    levels = ramp()
    eight = levels / 257
    match path.stem:
        case "grey":
            assert cv2.imwrite(str(path), levels)
        case "colour" | "alpha":
            planes = [levels, levels[::-1], levels[:, ::-1], np.full_like(levels, 65535)]
            count = 3 if path.stem == "colour" else 4
            assert cv2.imwrite(str(path), np.dstack(planes[:count]))
            return np.dstack([plane / 257 for plane in planes[2::-1]])
        case "big-endian":
            tifffile.imwrite(path, levels, byteorder=">")
        case "negative":
            tifffile.imwrite(path, 65535 - levels, photometric="miniswhite")
        case "signed":
            tifffile.imwrite(path, (levels.astype(np.int32) - 32768).astype(np.int16), photometric="minisblack")
        case "signed-bytes":
            tifffile.imwrite(path, (np.rint(eight) - 128).astype(np.int8), photometric="minisblack")
        case "thirty-two":
            tifffile.imwrite(path, levels.astype(np.uint32) * 65537, photometric="minisblack")
        case "floating":
            tifffile.imwrite(path, (levels / 65535).astype(np.float32), photometric="minisblack")
        case "ten":
            pillow_heif.from_bytes("L;16", (60, 40), levels.tobytes()).save(path, quality=-1)
    return eight


DEEP = "grey.png colour.png alpha.png grey.tif colour.tif alpha.tif big-endian.tif negative.tif signed.tif".split()


DEEP += "signed-bytes.tif thirty-two.tif floating.tif ten.heic".split()


@pytest.mark.parametrize("name", DEEP)
def test_more_than_eight_bits_become_eight(tmp_path: Path, name: str) -> None:
    eight = write_levels(tmp_path / name)
    assert off(tmp_path / name, np.rint(eight).astype(np.uint8)) <= 1


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_colours_may_be_stored_one_after_the_other(
    tmp_path: Path, compression: str | None, tile: tuple[int, int] | None, depth: type[np.unsignedinteger]
) -> None:
    planes = np.moveaxis(NOISE.astype(depth) * (np.iinfo(depth).max // 255), 2, 0)
    options = {"photometric": "rgb", "planarconfig": "separate", "compression": compression, "tile": tile}
    tifffile.imwrite(tmp_path / "a.tif", planes, **options)
    assert np.array_equal(photo_file.decode(tmp_path / "a.tif").rgb, NOISE)


TRANSPOSED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, 1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: lambda image: np.rot90(image, -1),
}
"""How the upright image is stored under each EXIF orientation (CIPA DC-008, 4.6.4)."""


@pytest.mark.parametrize("orientation", TRANSPOSED)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "lzw.tif", "jpeg.tif", "a.avif", "a.heic"])
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(TRANSPOSED[orientation](marked())))
    image.info["exif"] = exif.tobytes()  # from here HEIF's writer makes its own boxes of it
    options = {} if name == "a.heic" else {"exif": exif}
    options |= LOSSLESS.get(name, LOSSY.get(name, {"quality": 95}))
    image.save(tmp_path / name, **options)
    decoded = photo_file.decode(tmp_path / name)
    assert (decoded.height, decoded.width) == (40, 60)
    assert off(tmp_path / name, marked()) < 3
    assert decoded.notes == ()


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_where_the_container_turns_an_image_exif_does_not_turn_it_again(tmp_path: Path, suffix: str) -> None:
    """Their standards have the container's word hold, EXIF's only tell."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = tmp_path / f"turned.{suffix}"
    image = Image.fromarray(np.ascontiguousarray(TRANSPOSED[6](marked())))
    image.info["exif"] = exif.tobytes()
    image.save(turned, quality=95, **({"exif": exif} if suffix == "avif" else {}))
    content = turned.read_bytes()
    assert content.count(b"irot\x03") == 1
    turned.write_bytes(content.replace(b"irot\x03", b"irot\0"))  # now EXIF alone says that it lies on its side
    assert photo_file.decode(turned).width == 40


MEANINGLESS = {
    "zero": (3, 1, b"\0\0\0\0"),
    "nine": (3, 1, b"\0\x09\0\0"),
    "text": (2, 2, b"6\0\0\0"),
    "a fraction that is not there": (5, 1, b"\0\0\0\xff"),
    "no type": (99, 1, b"\0\x06\0\0"),
}
"""Type, count and value of an orientation's tag."""


@pytest.mark.parametrize("meaning", MEANINGLESS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_an_orientation_that_means_nothing_is_passed_over(tmp_path: Path, suffix: str, meaning: str) -> None:
    kind, count, value = MEANINGLESS[meaning]
    tag = struct.pack(">HHI", 0x0112, kind, count) + value
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + tag + bytes(4)
    path = media.write_photo(tmp_path / f"a.{suffix}", marked(), exif=exif, quality=95)
    assert off(path, marked()) < 3


DAMAGED_EXIF = {
    "no header": b"Exif\0\0ZZZZZZZZZZZZ",
    "beyond its end": b"Exif\0\0MM\0*\xff\xff\xff\xff",
    "more tags than bytes": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03",
    "nothing": b"Exif\0\0",
}


@pytest.mark.parametrize("damage", DAMAGED_EXIF)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_damaged_exif_costs_no_photo(tmp_path: Path, suffix: str, damage: str) -> None:
    path = media.write_photo(tmp_path / f"a.{suffix}", marked(), exif=DAMAGED_EXIF[damage], quality=95)
    assert off(path, marked()) < 3
    assert photo_file.decode(path).damage == (() if damage == "nothing" else (photo_file.DAMAGED_EXIF,))


@pytest.mark.parametrize("exif", [b"MM\0*\0\0\0\x08\0\0\0\0\0\0", b"II*\0\x08\0\0\0\0\0\0\0\0\0"])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "heic"])
def test_exif_without_a_tag_is_not_damaged(tmp_path: Path, suffix: str, exif: bytes) -> None:
    """So programs leave it that take everything out."""
    path = media.write_photo(tmp_path / f"a.{suffix}", marked(), exif=b"Exif\0\0" + exif, quality=95)
    assert photo_file.decode(path).damage == ()


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp", "png", "avif", "heic"])
def test_the_first_of_several_images_is_taken_and_a_note_tells_of_the_others(tmp_path: Path, suffix: str) -> None:
    others = [Image.new("RGB", (60, 40), colour) for colour in ("white", "black")]
    path = media.write_photo(tmp_path / f"a.{suffix}", marked(), save_all=True, append_images=others)
    assert off(path, marked()) < 6
    assert photo_file.decode(path).notes == (photo_file.SEVERAL_PHOTOS_NOTE,)
    assert photo_file.decode(media.write_photo(tmp_path / f"one.{suffix}", marked())).notes == ()


def test_a_preview_within_a_jpeg_or_tiff_is_not_another_image(tmp_path: Path) -> None:
    small = Image.new("RGB", (30, 20))
    media.write_photo(tmp_path / "a.mpo", marked(), save_all=True, append_images=[small], quality=95)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(marked(), photometric="rgb")
        file.write(np.asarray(small), photometric="rgb", subfiletype=1)
    for name in ("a.mpo", "a.tif"):
        assert off(tmp_path / name, marked()) < 3
        assert photo_file.decode(tmp_path / name).notes == ()


def test_a_cameras_raw_file_does_not_pass_as_its_thumbnail(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.nef") as file:
        file.write(np.zeros((20, 30, 3), np.uint8), photometric="rgb", subfiletype=1)
        file.write(marked(), photometric="rgb")
    tifffile.imwrite(tmp_path / "a.dng", marked(), photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0))])
    for name in ("a.nef", "a.dng"):
        assert sources.walk([tmp_path / name]).sources[0].kind is Kind.PHOTOS
        with pytest.raises(MediaError, match="raw file"):
            photo_file.decode(tmp_path / name)


def test_colour_profiles_are_not_applied(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    path = media.write_photo(tmp_path / "a.png", NOISE, icc_profile=profile)
    assert np.array_equal(photo_file.decode(path).rgb, NOISE)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 10_100)).save(tmp_path / "bomb.png")
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(MediaError, match="more than 200 megapixels: scale it down"):
        photo_file.decode(tmp_path / "bomb.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_an_animation_may_be_less_large(tmp_path: Path) -> None:
    images = [Image.new("L", (10_000, 5_100), level) for level in (0, 255)]
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:], compress_level=1)
    with pytest.raises(MediaError, match="more than 50 megapixels: scale it down"):
        photo_file.decode(tmp_path / "a.png")


def test_two_hundred_megapixels_of_a_telephone_are_read(tmp_path: Path) -> None:
    Image.new("L", (16_320, 12_240), 90).save(tmp_path / "a.jpg")
    decoded = photo_file.decode(tmp_path / "a.jpg", 960)
    assert (decoded.width, decoded.height) == (16_320, 12_240)
    assert decoded.grey.shape == (1_530, 2_040)
    assert (decoded.grey == 90).all()


def test_postscript_is_not_run_whatever_it_is_called(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(marked()).save(buffer, "EPS")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    with pytest.raises(MediaError, match="Not a photo,"):
        photo_file.decode(tmp_path / "a.jpg")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "gif", "bmp", "heic", "avif"])
def test_a_photo_that_was_cut_off_is_refused_with_a_reason(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    path = media.truncate(media.write_photo(tmp_path / f"a.{suffix}", noise), share)
    with pytest.raises(MediaError, match=r"\w+.*\."):
        photo_file.decode(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_a_tiff_that_was_cut_off_is_called_so(
    tmp_path: Path, compression: str | None, tile: tuple[int, int] | None
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise, photometric="rgb", compression=compression, tile=tile)
    assert np.array_equal(photo_file.decode(tmp_path / "a.tif").rgb, noise)
    with pytest.raises(MediaError, match="Cut off"):
        photo_file.decode(media.truncate(tmp_path / "a.tif", 0.6))


def test_what_begins_as_a_photo_is_never_called_no_photo(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 3), np.float64), photometric="rgb")
    with pytest.raises(MediaError, match="of a kind that cannot be read"):
        photo_file.decode(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["png", "tif", "heic"])  # WebP and AVIF cannot tell
def test_a_photo_with_damaged_data_is_refused_in_plain_words(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    options = {"compression": "tiff_lzw"} if suffix == "tif" else {}
    whole = media.write_photo(tmp_path / f"a.{suffix}", noise, **options).read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(
        whole[: len(whole) // 3] + bytes(len(whole) // 3) + whole[-len(whole) // 3 :]
    )
    with pytest.raises(MediaError, match=r"^(Cut off: the file ends|Damaged, or of a kind)"):
        photo_file.decode(tmp_path / f"a.{suffix}")
