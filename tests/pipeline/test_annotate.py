"""``fer-batch annotate``: boxes where the timeline says, faces hidden, resumed, refused, told of what went wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import ExifTags, Image
from typer.testing import CliRunner, Result

from fer_batch import analyze
from fer_batch.cli import app
from fer_batch.drawing import photo
from fer_batch.drawing.film import Film
from fer_batch.drawing.styles import COLOURS
from fer_batch.emotions import EMOTIONS
from fer_batch.errors import ExitCode, OutputError
from fer_batch.media import photo_file, sources
from fer_batch.media.video.index import read_index
from fer_batch.options import STYLES, WAYS, AnnotateOptions, Options
from fer_batch.output.csv import read_timeline
from fer_batch.pipeline import annotator
from fer_batch.pipeline.annotate import annotate
from tests.helpers.limits import no_file_above
from tests.helpers.media import write_photo, write_video
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")

SIZE = (320, 240)


def noise(seed: int) -> np.ndarray:
    """A light picture that is full of detail."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(60, 250, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An output folder of a video of twelve frames and two photos, in which a face is found in the middle."""
    media = tmp_path / "media"
    media.mkdir()
    write_video(media / "film.mp4", tuple(range(0, 480, 40)), [noise(0)] * 12, audio=True)
    write_photo(media / "photos" / "a.jpg", noise(1), quality=95)
    write_photo(media / "photos" / "b.png", noise(2))
    analyze([media], Options(workers=0), out=tmp_path / "out")
    return tmp_path / "out"


def invoke(folder: Path, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["annotate", str(folder), "--workers", "0", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def images(path: Path) -> list[np.ndarray]:
    film = Film.of(sources.walk([path]).sources[0], read_index(path))
    return [item[1].rgb(max(SIZE)) for item in film.frames() if isinstance(item, tuple)]


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*g") if path.is_file()}


def test_boxes_are_where_the_timeline_says_in_the_emotions_colour(study: Path) -> None:
    result = invoke(study)
    assert result.exit_code == ExitCode.DONE, result.output
    made = [Path(line) for line in result.stdout.splitlines()]
    assert sorted(path.name for path in made) == ["a.jpg", "b.png", "film.mp4"]
    before = images(study.parent / "media" / "film.mp4")
    rows = read_timeline(study / "timelines" / "film.mp4.csv")
    after = images(study / "annotated" / "film.mp4")
    assert len(after) == len(before) == len(rows) == 12
    for (_, row), was, image in zip(rows.iterrows(), before, after, strict=True):
        colour = 255 * np.array(COLOURS[EMOTIONS.index(row["emotion"])])
        left, top, right, bottom = row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]
        edge = image[top + 8 : bottom - 8, left - 2 : left].astype(float).mean(axis=(0, 1))
        assert np.abs(edge - colour).max() < 40
        inside = (slice(top + 8, bottom - 8), slice(left + 8, right - 8))
        assert np.abs(image[inside].astype(int) - was[inside]).mean() < 6
        assert np.abs(image[-8:].astype(int) - was[-8:]).mean() < 6


@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws_something_of_its_own(style: str, study: Path) -> None:
    assert invoke(study, "--style", style, "--out", study.parent / style).exit_code == ExitCode.DONE
    drawn = np.asarray(Image.open(study.parent / style / "photos" / "b.png")).astype(int)
    assert np.abs(drawn - noise(2)).max() > 100
    if style != "bar":
        return
    few = study.parent / "few"
    assert invoke(study, "--style", "bar", "--emotions", "fear", "--out", few).exit_code == ExitCode.DONE
    assert not np.array_equal(np.asarray(Image.open(few / "photos" / "b.png")), drawn)


@pytest.mark.parametrize("way", WAYS)
def test_faces_are_hidden_in_every_frame_and_photo(way: str, study: Path) -> None:
    result = invoke(study, "--anonymize", way)
    assert result.exit_code == ExitCode.DONE, result.output
    middle = (slice(SIZE[1] // 4, 3 * SIZE[1] // 4), slice(SIZE[0] // 4, 3 * SIZE[0] // 4))
    pictures = {"b.png": np.asarray(Image.open(study / "anonymized" / "photos" / "b.png"))}
    pictures |= {str(at): image for at, image in enumerate(images(study / "anonymized" / "film.mp4"))}
    assert len(pictures) == 13
    for image in pictures.values():
        assert np.abs(np.diff(image[middle].astype(int), axis=1)).mean() < 4
        assert np.abs(np.diff(image[:20, :20].astype(int), axis=1)).mean() > 4


def test_who_is_hidden_is_not_named(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = study.parent / "people.csv"
    people.write_text("file,face_id,person\nfilm.mp4,0,Anna\n")
    analyze([study.parent / "media"], Options(workers=0, people=people), out=study)
    named: list[str] = []
    monkeypatch.setattr(annotator, "draw", lambda _, faces, *__: named.extend(face.name for face in faces))
    annotate(study, AnnotateOptions(anonymize="cover", style="box", workers=0))
    assert set(named) == {"face 0"}
    annotate(study, AnnotateOptions(workers=0))
    assert "Anna" in named


def test_letters_that_no_font_has_are_told_once(study: Path) -> None:
    people = study.parent / "people.csv"
    people.write_text("file,face_id,person\nfilm.mp4,0,Anna \U0010fffd\n", encoding="utf-8")
    analyze([study.parent / "media"], Options(workers=0, people=people), out=study)
    assert invoke(study).stderr.count("No font on this machine has") == 1
    assert "No font" not in invoke(study, "--anonymize", "cover").stderr


def test_a_photo_keeps_nothing_but_its_pixels(study: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x8298] = "Anna", "Anna"
    path = study.parent / "media" / "photos" / "a.jpg"
    Image.fromarray(noise(1)).save(path, exif=exif, comment=b"Anna")
    analyze([study.parent / "media"], Options(workers=0), out=study)
    assert invoke(study, "--anonymize", "blur").exit_code == ExitCode.DONE
    assert b"Anna" not in (study / "anonymized" / "photos" / "a.jpg").read_bytes()
    with Image.open(study / "anonymized" / "photos" / "a.jpg") as image:
        assert not image.getexif()


def test_what_is_finished_is_not_made_again(study: Path) -> None:
    assert invoke(study).exit_code == ExitCode.DONE
    made = study / "annotated"
    times = {path: path.stat().st_mtime_ns for path in made.rglob("*.*g")}
    (made / "photos" / "b.png").unlink()
    result = invoke(study)
    assert len(result.stdout.splitlines()) == 3
    later = {path: path.stat().st_mtime_ns for path in made.rglob("*.*g")}
    assert {path.name for path in later if later[path] != times[path]} == {"b.png"}
    assert invoke(study, "--style", "plain").exit_code == ExitCode.DONE
    assert {path for path in later if path.stat().st_mtime_ns != later[path]} == set(later)


def test_a_run_that_was_killed_leaves_nothing_half_written_and_goes_on(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = photo.write

    def killed(path: Path, pixels: np.ndarray, name: str) -> None:
        if name.endswith("b.png"):
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        written(path, pixels, name)

    monkeypatch.setattr(photo, "write", killed)
    assert invoke(study).exit_code == ExitCode.INTERRUPTED
    assert "photos/b.png" not in files(study / "annotated")
    assert not list((study / "annotated").rglob("*.part"))
    monkeypatch.undo()
    assert "photos/a.jpg" in json.loads((study / "annotated" / "annotated.json").read_text())


def test_what_was_changed_is_refused_unless_it_may_be_overwritten(study: Path) -> None:
    assert invoke(study).exit_code == ExitCode.DONE
    path = study / "annotated" / "film.mp4"
    path.write_bytes(b"mine")
    result = invoke(study)
    assert result.exit_code == ExitCode.USAGE
    assert "is not as fer-batch wrote it" in result.stderr
    assert path.read_bytes() == b"mine"
    assert invoke(study, "--overwrite").exit_code == ExitCode.DONE
    assert path.read_bytes() != b"mine"


def test_a_folder_of_somebody_else_is_refused(study: Path) -> None:
    result = invoke(study, "--out", study.parent / "media")
    assert result.exit_code == ExitCode.USAGE
    assert "holds files that fer-batch did not make" in result.stderr


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    ("spoil", "sentence"), [(Path.unlink, "It is not where it was."), (change, "It was changed since it was analysed")]
)
def test_media_that_are_gone_or_changed_are_left_out(spoil: Callable[[Path], None], sentence: str, study: Path) -> None:
    spoil(study.parent / "media" / "film.mp4")
    result = invoke(study)
    assert result.exit_code == ExitCode.SOME_LEFT_OUT
    assert f"left out: film.mp4: {sentence}" in result.stderr
    assert not (study / "annotated" / "film.mp4").exists()
    assert (study / "annotated" / "photos" / "a.jpg").exists()
    shutil.rmtree(study.parent / "media")
    result = invoke(study, "--out", study.parent / "none")
    assert result.exit_code == ExitCode.NOTHING_USABLE


def test_media_that_were_moved_are_found(study: Path) -> None:
    (study.parent / "media").rename(study.parent / "moved")
    result = invoke(study, "--media", study.parent / "moved")
    assert result.exit_code == ExitCode.DONE, result.output


def test_a_folder_without_tables_is_told(tmp_path: Path) -> None:
    result = invoke(tmp_path)
    assert result.exit_code == ExitCode.USAGE
    assert "holds no run.json" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--style", "loud"], "--style must be one of box, bar, plain"),
        (["--anonymize", "wish"], "--anonymize must be one of blur, pixelate, cover"),
        (["--emotions", "joy"], "--emotions must be some of anger"),
        (["--encoder", "none"], "FFmpeg has no encoder none"),
        (["--encoder", "libx264,crf=999"], "--encoder: libx264 would take crf=51 for crf=999."),
        (["--min-face", "20"], "give --anonymize too"),
        (["--emotions", "fear"], "give --style bar too"),
    ],
)
def test_a_wrong_option_is_told(arguments: list[str], sentence: str, study: Path) -> None:
    result = invoke(study, *arguments)
    assert result.exit_code == ExitCode.USAGE
    assert sentence in result.stderr


def test_an_encoder_that_cannot_do_it_leaves_films_out(study: Path) -> None:
    result = invoke(study, "--encoder", "h261")
    assert result.exit_code == ExitCode.SOME_LEFT_OUT
    assert "left out: film.mp4: h261 cannot encode it" in result.stderr


def test_a_full_disk_is_told_and_leaves_what_was_there(study: Path) -> None:
    assert invoke(study).exit_code == ExitCode.DONE
    before = files(study / "annotated")
    with pytest.raises(OutputError, match=r"Cannot write .*film\.mp4"), no_file_above(4096):
        annotate(study, AnnotateOptions(style="plain", workers=0))
    assert files(study / "annotated") == before
    assert not list((study / "annotated").rglob("*.part"))


def test_frames_that_are_photos_are_hidden_over_gaps(tmp_path: Path) -> None:
    """The face is not found in the third frame, which is dark, but it is hidden there all the same."""
    for number in range(5):
        dark = noise(number) // 8 if number == 2 else noise(number)
        write_photo(tmp_path / "frames" / f"{number}.png", dark)
    analyze([tmp_path / "frames"], Options(workers=0, as_video=5), out=tmp_path / "out")
    result = invoke(tmp_path / "out", "--anonymize", "cover")
    assert result.exit_code == ExitCode.DONE, result.output
    middle = (slice(80, 160), slice(100, 220))
    for path in (tmp_path / "out" / "anonymized").rglob("*.png"):
        assert np.asarray(Image.open(path))[middle].std() < 1


def test_processes_do_the_same_as_one(study: Path) -> None:
    """Not with the quick detector, which other processes do not have: nothing is searched for."""
    annotate(study, AnnotateOptions(workers=0), out=study.parent / "one")
    annotate(study, AnnotateOptions(workers=2), out=study.parent / "two")
    assert files(study.parent / "one").keys() == files(study.parent / "two").keys()
    assert (study.parent / "one" / "photos" / "b.png").read_bytes() == (
        study.parent / "two" / "photos" / "b.png"
    ).read_bytes()


def of_16_bits(path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(path, pixels.astype(np.uint16) * 257, photometric="rgb")


def saved(mode: str = "RGB", **options: object) -> Callable[[Path, np.ndarray], None]:
    return lambda path, pixels: Image.fromarray(pixels).convert(mode).save(path, **options)


def heic(path: Path, pixels: np.ndarray) -> None:
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(path, quality=90)


KINDS: dict[str, Callable[[Path, np.ndarray], None]] = {
    "deep.tif": of_16_bits,
    "clear.png": saved("RGBA"),
    "grey.png": saved("L"),
    "palette.png": saved("P"),
    "print.jpg": saved("CMYK", quality=95),
    "a.avif": saved(quality=90),
    "a.heic": heic,
    "a.webp": saved(lossless=True),
    "a.bmp": saved(),
    "a.jp2": saved(),
    "still.gif": saved("P"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_photo_of_any_kind_has_its_box_and_its_pixels_beside_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    KINDS[name](tmp_path / "photos" / name, noise(3))
    analyze([tmp_path / "photos"], Options(workers=0), out=tmp_path / "out")
    result = invoke(tmp_path / "out")
    assert result.exit_code == ExitCode.DONE, result.output
    (line,) = result.stdout.splitlines()
    made = np.asarray(Image.open(line)).astype(int)
    original = photo_file.decode(tmp_path / "photos" / name).rgb
    row = read_timeline(next((tmp_path / "out" / "timelines").rglob("*.csv"))).iloc[0]
    edge = made[row["y"] + 8 : row["y"] + row["height"] - 8, row["x"] - 2 : row["x"]].mean(axis=(0, 1))
    assert np.abs(edge - 255 * np.array(COLOURS[EMOTIONS.index(row["emotion"])])).max() < 12
    assert np.abs(made[-8:] - original[-8:]).mean() < 4
    inside = (slice(row["y"] + 8, row["y"] + row["height"] - 8), slice(row["x"] + 8, row["x"] + row["width"] - 8))
    assert np.abs(made[inside] - original[inside]).mean() < 4


TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
TURNS |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
"""How an upright picture is stored by each orientation of EXIF."""


@pytest.mark.parametrize("orientation", TURNS)
def test_a_turned_photo_is_upright_and_tells_nothing(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = orientation, "Anna"
    exif[ExifTags.Base.CameraOwnerName] = "Anna"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (49.0, 24.0, 0.0)
    exif.get_ifd(ExifTags.IFD.IFD1)[ExifTags.Base.ImageDescription] = "Anna"
    (tmp_path / "photos").mkdir()
    stored = Image.fromarray(noise(4)).transpose(Image.Transpose[TURNS[orientation]])
    stored.save(tmp_path / "photos" / "a.jpg", exif=exif, quality=95, subsampling=0, comment=b"Anna")
    analyze([tmp_path / "photos"], Options(workers=0), out=tmp_path / "out")
    for arguments in (["--style", "plain"], ["--anonymize", "cover"]):
        (line,) = invoke(tmp_path / "out", *arguments).stdout.splitlines()
        with Image.open(line) as made:
            assert not made.getexif()
            assert set(made.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
            pixels = np.asarray(made).astype(int)
        assert pixels.shape == noise(4).shape
        assert np.abs(pixels[:20] - noise(4)[:20]).mean() < 5
        assert b"Anna" not in Path(line).read_bytes()


def test_of_an_animation_the_first_picture_is_left_and_no_other(tmp_path: Path) -> None:
    pictures = [Image.fromarray(noise(number)[:75, :99]) for number in range(4)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 250, 40, 100])
    analyze([tmp_path / "a.gif"], Options(workers=0), out=tmp_path / "out")
    for arguments in ([], ["--anonymize", "cover"]):
        (line,) = invoke(tmp_path / "out", *arguments).stdout.splitlines()
        with Image.open(line) as made:
            assert (made.format, made.size, getattr(made, "n_frames", 1)) == ("PNG", (99, 75), 1)
