"""From the paths that a user names to sources: what is taken, what it is called, and what is said of the rest."""

import os
import re
import socket
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_batch.errors import UsageError
from fer_batch.media.sources import CAMERA_COPY, MARKER, OUTPUT_FOLDER, FoundMedia, legible_name, walk
from fer_batch.types import FolderFiles, Kind

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(64)
TEXT = b"Dear diary, today nothing moved.\n"

NASTY = ["two words.mp4", "línea\nnueva.mp4", "-rf.mp4", "<script>alert(1)<.mp4", "=cmd()|'x'.mp4", "日本語 😀.mp4"]
NASTY += ["é" * 125 + ".mp4", "x" * 251 + ".mp4", "<" * 251 + ".mp4", "a%2Fb.mp4", "a:b.mp4", "what?.mp4", "*.mp4"]
NASTY += ["back\\slash.mp4", 'quo"te.mp4', "CON.mp4", "nul.mp4", "com1.tar.mp4", "dots...mp4", "\x7f\x01\u2028.mp4"]
"""Names that a shell, a browser, a spreadsheet or another system's disk might trip over."""

_BROKEN_BY_WINDOWS = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


def put(folder: Path, *names: str, content: bytes = b"") -> Path:
    """Files in a folder; an empty one is what its suffix says."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def names(found: FoundMedia) -> list[str]:
    return [source.name for source in found.sources]


def folded(path: str) -> str:
    """What a disk that ignores letter case and Unicode form takes a path for."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def check_outputs(found: FoundMedia, folder: Path) -> None:
    """Every source's table and page can be made inside ``folder``, and none takes the place of another."""
    outputs = [source.output for source in found.sources]
    assert Counter(map(folded, names(found))).most_common(1)[0][1] == 1
    assert Counter(map(folded, outputs)).most_common(1)[0][1] == 1
    made = set()
    for output in outputs:
        assert not any(_BROKEN_BY_WINDOWS.search(part) for part in output.split("/"))
        for suffix in (".csv", ".csv.part", ".html"):
            path = folder / f"{output}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("x").close()
            assert path.resolve().is_relative_to(folder.resolve())
            made.add(path)
    assert len(made) == 3 * len(outputs)


def test_names_are_relative_to_the_input_and_sorted(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "b.mp4", "sub/deep/c.mp4", "a.mp4")
    assert names(walk([study])) == ["a.mp4", "b.mp4", "sub/deep/c.mp4"]
    assert names(walk([study / "sub"])) == ["deep/c.mp4"]
    assert names(walk([study / "sub" / "deep" / "c.mp4"])) == ["c.mp4"]


def test_a_folders_photos_are_one_source_in_the_order_of_their_names(tmp_path: Path) -> None:
    trip = put(tmp_path / "trip", "c.PNG", "B.jpg", "a.jpg", "day 1/x.jpg", "day 1/late/y.jpg", "film.mp4")
    found = walk([trip])
    assert [(source.name, source.kind) for source in found.sources] == [
        ("day 1", Kind.PHOTOS),
        ("day 1/late", Kind.PHOTOS),
        ("film.mp4", Kind.VIDEO),
        ("trip", Kind.PHOTOS),
    ]
    assert [file.name for file in found.sources[-1].files] == ["a.jpg", "B.jpg", "c.PNG"]


def test_numbers_in_names_count_by_their_value(tmp_path: Path) -> None:
    found = walk(
        [put(tmp_path / "trip", "IMG_10.jpg", "img_9.jpg", "IMG_2.jpg", "day 10/x.mp4", "day 9/x.mp4", "n10", "n9")]
    )
    assert names(found) == ["day 9/x.mp4", "day 10/x.mp4", "trip"]
    assert [file.name for file in found.sources[-1].files] == ["IMG_2.jpg", "img_9.jpg", "IMG_10.jpg"]
    assert found.ignored == ("n9", "n10")


def test_a_photo_named_directly_is_named_by_its_folder(tmp_path: Path) -> None:
    trip = put(tmp_path / "trip", "a.jpg", "b.jpg")
    (source,) = walk([trip / "a.jpg"]).sources
    assert (source.name, *source.files) == ("trip", trip / "a.jpg")


def test_videos_of_one_name_are_told_apart_by_as_many_folders_as_it_takes(tmp_path: Path) -> None:
    put(tmp_path, "x/a/clip.mp4", "y/a/clip.mp4", "b/clip.mp4", "b/other.mp4")
    assert names(walk([tmp_path / "x" / "a", tmp_path / "b"])) == ["a/clip.mp4", "b/clip.mp4", "other.mp4"]
    assert names(walk([tmp_path / "x" / "a" / "clip.mp4", tmp_path / "y" / "a", tmp_path / "b"])) == [
        "b/clip.mp4",
        "other.mp4",
        "x/a/clip.mp4",
        "y/a/clip.mp4",
    ]


def test_letter_case_and_unicode_form_in_other_folders_count_as_the_same_name(tmp_path: Path) -> None:
    put(tmp_path, "x/Clip.mp4", "y/clip.MP4", "x/é.mp4", "y/e\u0301.mp4")
    found = walk([tmp_path / "x", tmp_path / "y"])
    assert names(found) == ["x/Clip.mp4", "x/é.mp4", "y/clip.MP4", "y/e\u0301.mp4"]
    check_outputs(found, tmp_path / "out")


SIBLINGS = [("Clip.mp4", "clip.mp4", "CLIP.mp4"), ("é.mp4", "e\u0301.mp4"), ("A.mp4", "a.mp4", "a.MP4", "a.mp4~2")]


@pytest.mark.parametrize("siblings", SIBLINGS)
def test_siblings_that_only_letter_case_tells_apart_have_names_and_outputs_of_their_own(
    tmp_path: Path, siblings: tuple[str, ...]
) -> None:
    found = walk([put(tmp_path / "in", *siblings, content=MP4)])
    assert len(found.sources) == len(siblings)
    check_outputs(found, tmp_path / "out")


@pytest.mark.parametrize("siblings", SIBLINGS)
def test_telling_siblings_apart_does_not_give_away_where_they_lie(tmp_path: Path, siblings: tuple[str, ...]) -> None:
    found = walk([put(tmp_path / "in", *siblings, content=MP4)])
    assert not any(tmp_path.name in name for name in names(found))


@pytest.mark.parametrize("name", NASTY)
def test_any_name_gives_an_output_that_can_be_made_inside_the_folder(tmp_path: Path, name: str) -> None:
    found = walk([put(tmp_path / "in", name, f"sub/{name}")])
    assert names(found) == sorted([name, f"sub/{name}"])
    check_outputs(found, tmp_path / "out")


def test_names_that_are_cut_short_stay_different(tmp_path: Path) -> None:
    found = walk([put(tmp_path / "in", *("x" * 250 + f"{end}.mp4" for end in "abc"))])
    check_outputs(found, tmp_path / "out")


@pytest.mark.parametrize("folder", ["clip.csv", "clip.html", "CLIP.CSV", "clip.csv.part"])
def test_a_folder_never_takes_the_place_of_a_videos_table_or_page(tmp_path: Path, folder: str) -> None:
    study = put(tmp_path / "in", f"{folder}/other.mp4")
    put(study, "clip", content=MP4)
    check_outputs(walk([study]), tmp_path / "out")


def test_bytes_that_are_no_text_are_written_as_escapes(tmp_path: Path) -> None:
    study = put(tmp_path / "in", os.fsdecode(b"a\xff.mp4"), os.fsdecode(b"sub\xfe/b.jpg"))
    found = walk([study])
    assert names(found) == ["a\\xff.mp4", "sub\\xfe"]
    assert legible_name(found.sources[0].files[0]) == "a\\xff.mp4"
    assert all(source.files[0].exists() for source in found.sources)
    check_outputs(found, tmp_path / "out")


def relative_paths(suffix: str) -> st.SearchStrategy[str]:
    part = st.sampled_from(["a", "A", "a~2", "ß", "ss", "é", "e\u0301", "%61", "<", "CON", "a.."])
    return st.lists(part, min_size=1, max_size=2).map(lambda parts: "/".join(parts) + suffix)


@settings(deadline=None, max_examples=60)
@given(
    paths=st.lists(st.sampled_from([".mp4", "/x.jpg", ".csv/x.jpg"]).flatmap(relative_paths), min_size=5, max_size=15),
    data=st.data(),
)
def test_whatever_lies_under_the_inputs_names_and_outputs_are_unique_and_the_order_of_inputs_counts_for_nothing(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("walk")
    put(root / "in", *paths)
    inputs = [root / "in", *sorted((root / "in").rglob("*"))[:4]]
    chosen = data.draw(st.lists(st.sampled_from(inputs), min_size=1, max_size=4))
    found = walk(chosen)
    assert walk(data.draw(st.permutations(chosen))) == found
    assert found.skipped == found.ignored == ()
    taken = [file for source in found.sources for file in source.files]
    assert len(taken) == len(set(taken))
    under = {file for file in (root / "in").rglob("*") if file.is_file()}
    assert set(taken) == {file for file in under if any(file.is_relative_to(path) for path in chosen)}
    check_outputs(found, root / "out")


def test_inputs_that_lie_in_each_other_give_everything_once(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "a.mp4", "deep/b.mp4", "deep/c.jpg")
    everything = walk([study])
    inputs = [study, study / "deep", study / "a.mp4", study / "deep" / ".." / "a.mp4"]
    assert all(walk(order) == everything for order in permutations(inputs))


def test_one_file_under_two_links_is_taken_once(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "a.mp4")
    (study / "b.mp4").symlink_to(study / "a.mp4")
    (tmp_path / "elsewhere").symlink_to(study)
    assert names(walk([study])) == ["a.mp4"]
    assert len(walk([study, tmp_path / "elsewhere"]).sources) == 1


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    study = put(tmp_path / "study", ".hidden.mp4", ".git/a.mp4", "._film.mp4", "film.mp4", ".notes.txt")
    found = walk([study])
    assert (names(found), found.skipped, found.ignored) == (["film.mp4"], (), ())


@pytest.mark.parametrize(("copy", "content"), [("GL010001.LRV", MP4), ("DJI_0001.lrf", MP4), ("GX010001.THM", JPEG)])
def test_a_cameras_small_copy_of_a_video_is_told_of_and_analysed_only_if_named(
    tmp_path: Path, copy: str, content: bytes
) -> None:
    camera = put(tmp_path / "100GOPRO", "GX010001.MP4", content=MP4)
    put(camera, copy, content=content)
    found = walk([camera])
    assert names(found) == ["GX010001.MP4"]
    assert [(line.file, line.reason) for line in found.skipped] == [(copy, CAMERA_COPY)]
    assert len(walk([camera, camera / copy]).sources) == 2
    assert len(walk([camera / copy]).sources) == 1
    (camera / "GX010001.MP4").unlink()
    assert len(walk([camera]).sources) == 1


def test_an_output_folder_is_passed_over_whether_marked_or_named(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "a.mp4", "earlier/b.mp4", f"earlier/{MARKER}", "out/c.mp4")
    assert names(walk([study], out=study / "out")) == ["a.mp4"]
    assert names(walk([study])) == ["a.mp4", "out/c.mp4"]
    assert walk([study]).skipped == ()
    found = walk([study / "earlier"])
    assert found.is_nothing
    assert reasons(found) == [("earlier", OUTPUT_FOLDER)]
    assert walk([study / "earlier", study / "a.mp4"], out=study / "earlier").skipped == ()


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "a.mp4", "sub/b.mp4")
    (study / "sub" / "back").symlink_to(study)
    (study / "sub" / "self").symlink_to(study / "sub")
    assert names(walk([study])) == ["a.mp4", "sub/b.mp4"]


def test_links_are_passed_over_and_named_when_asked(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "secret.mp4", "deep/c.mp4")
    study = put(tmp_path / "study", "a.mp4", "sub/b.mp4")
    (study / "out.mp4").symlink_to(tmp_path / "elsewhere" / "secret.mp4")
    (study / "sub" / "away").symlink_to(tmp_path / "elsewhere")
    (study / "gone.mp4").symlink_to(tmp_path / "nowhere")
    found = walk([study], follow_links=False)
    assert names(found) == ["a.mp4", "sub/b.mp4"]
    assert found.ignored == ("gone.mp4", "out.mp4", "sub/away")
    assert found.skipped == ()
    assert names(walk([study])) == ["a.mp4", "out.mp4", "sub/away/deep/c.mp4", "sub/b.mp4"]
    assert names(walk([study / "out.mp4"], follow_links=False)) == ["out.mp4"]


def test_folders_within_folders_are_left_alone_when_asked(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "a.mp4", "b.jpg", "sub/c.mp4", "sub/d.txt")
    found = walk([study], recursive=False)
    assert (names(found), found.ignored) == (["a.mp4", "study"], ())


def kinds(folder: Path) -> dict[str, Kind]:
    return {file.name: source.kind for source in walk([folder]).sources for file in source.files}


def test_content_tells_photos_and_videos_before_the_suffix_does(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "photo.txt", "photo.mp4", "photo", content=PNG)
    put(study, "film.txt", "film.jpg", "film", content=MP4)
    photos = dict.fromkeys(["photo.txt", "photo.mp4", "photo"], Kind.PHOTOS)
    assert kinds(study) == photos | dict.fromkeys(["film.txt", "film.jpg", "film"], Kind.VIDEO)


@pytest.mark.parametrize("brand", ["heic", "heix", "hevc", "mif1", "avif", "avis"])
def test_photos_in_a_videos_box_format_are_photos(tmp_path: Path, brand: str) -> None:
    head = b"\x00\x00\x00\x18ftyp" + brand.encode() + b"\0\0\0\0isommp42"
    assert kinds(put(tmp_path, "a", content=head)) == {"a": Kind.PHOTOS}


def test_a_tiff_with_long_offsets_is_a_photo(tmp_path: Path) -> None:
    put(tmp_path, "a", content=b"II+\0\x08\0\0\0")
    put(tmp_path, "b", content=b"MM\0+\0\x08\0\0")
    assert kinds(tmp_path) == {"a": Kind.PHOTOS, "b": Kind.PHOTOS}


def test_what_only_its_suffix_calls_a_photo_or_video_is_taken_so_that_it_gets_reported(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "text.jpg", "text.MP4", content=TEXT)
    put(study, "empty.PNG", "empty.h264")
    assert kinds(study) == {
        "text.jpg": Kind.PHOTOS,
        "empty.PNG": Kind.PHOTOS,
        "text.MP4": Kind.VIDEO,
        "empty.h264": Kind.VIDEO,
    }


def test_other_files_are_ignored_and_listed(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "sub/notes.txt", "data.csv", "thesis.docx", content=TEXT)
    put(study, "empty.txt", "a.mp4")
    found = walk([study])
    assert names(found) == ["a.mp4"]
    assert found.ignored == ("data.csv", "empty.txt", "sub/notes.txt", "thesis.docx")
    assert found.skipped == ()


def reasons(found: FoundMedia) -> Iterable[tuple[str, str]]:
    return [(line.file, line.reason) for line in found.skipped]


def test_a_file_of_another_kind_named_directly_is_not_ignored_but_left_out_with_a_reason(tmp_path: Path) -> None:
    study = put(tmp_path / "study", "notes.txt", content=TEXT)
    found = walk([study / "notes.txt"])
    assert reasons(found) == [("notes.txt", "Neither a photo nor a video that fer-batch knows.")]
    assert (found.sources, found.ignored) == ((), ())


@pytest.mark.parametrize("named", [False, True])
def test_a_pipe_is_left_out_with_a_reason_and_nobody_waits_for_it(tmp_path: Path, named: bool) -> None:
    study = put(tmp_path / "study", "a.mp4")
    os.mkfifo(study / "pipe.mp4")
    found = walk([study / "a.mp4", study / "pipe.mp4"] if named else [study])
    assert names(found) == ["a.mp4"]
    assert reasons(found) == [("pipe.mp4", "Cannot be read: it is not a regular file.")]


def test_sockets_and_devices_are_left_out_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = put(tmp_path / "study", "a.mp4")
    monkeypatch.chdir(study)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.mp4")
        (study / "device.jpg").symlink_to("/dev/zero")
        found = walk([study])
    assert names(found) == ["a.mp4"]
    reason = "Cannot be read: it is not a regular file."
    assert reasons(found) == [("device.jpg", reason), ("socket.mp4", reason)]


def test_what_nobody_may_read_is_left_out_with_a_reason() -> None:
    with tempfile.TemporaryDirectory() as folder, unprivileged(Path(folder)):
        study = put(Path(folder) / "study", "a.mp4", "secret.mp4", "closed/b.mp4", "listed/c.mp4")
        (study / "secret.mp4").chmod(0)
        (study / "closed").chmod(0)
        (study / "listed").chmod(0o400)  # its names may be read, but it may not be entered
        try:
            found = walk([study])
        finally:
            (study / "closed").chmod(0o700)
            (study / "listed").chmod(0o700)
    assert names(found) == ["a.mp4"]
    assert reasons(found) == [
        ("closed", "The folder cannot be read: Permission denied."),
        ("listed/c.mp4", "Cannot be read: Permission denied."),
        ("secret.mp4", "Cannot be read: Permission denied."),
    ]


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Without the rights of root, who may read everything; the folder is everybody's meanwhile."""
    folder.chmod(0o777)
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("target", ["gone.mp4", "broken.mp4"])
def test_a_link_that_leads_nowhere_is_left_out_with_a_reason(tmp_path: Path, target: str) -> None:
    study = put(tmp_path / "study", "a.mp4")
    (study / "broken.mp4").symlink_to(study / target)
    for found in (walk([study]), walk([study / "a.mp4", study / "broken.mp4"])):
        assert names(found) == ["a.mp4"]
        assert [(line.file, line.reason[:16]) for line in found.skipped] == [("broken.mp4", "Cannot be read: ")]


@pytest.mark.parametrize("missing", ["gone", "gone/film.mp4", "a.mp4/film.mp4"])
def test_an_input_that_is_not_there_is_refused_by_its_name(tmp_path: Path, missing: str) -> None:
    study = put(tmp_path / "study", "a.mp4")
    with pytest.raises(UsageError, match=rf"no file or folder .*study/{missing}\."):
        walk([study, study / missing])


def test_relative_inputs_give_the_same_as_absolute_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = put(tmp_path / "study", "a.mp4", "b.jpg")
    monkeypatch.chdir(study)
    assert walk([Path()]) == walk([Path("../study")]) == walk([study])


def test_a_table_that_begins_like_a_bitmap_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"BMI,age\n22,31\n")
    assert walk([tmp_path]).ignored == ("data.csv",)


@given(
    st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda name: name != "."), unique=True)
)
def test_files_of_a_folder_are_those_that_were_given(names: list[str]) -> None:
    files = FolderFiles(Path("/a folder"), names)
    paths = [Path("/a folder") / name for name in names]
    assert (list(files), len(files)) == (paths, len(paths))
    assert files[1:3] == tuple(paths[1:3])
    assert [files[-1]] == paths[-1:] if names else not files
    assert files == FolderFiles(Path("/a folder"), list(names)) != FolderFiles(Path("/a folder"), [*names, "more"])


def test_a_link_into_a_folder_that_is_searched_counts_once_and_one_to_a_hidden_file_counts(tmp_path: Path) -> None:
    for name in ("b.jpg", ".hidden.jpg", "sub/c.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(PNG)
    (tmp_path / "in" / "a.jpg").symlink_to("b.jpg")
    (tmp_path / "in" / "z.jpg").symlink_to(".hidden.jpg")
    (tmp_path / "in" / "later.jpg").symlink_to("sub/c.jpg")
    found = walk([tmp_path / "in"])
    assert len({path.resolve() for source in found.sources for path in source.files}) == 3
    assert sum(len(source.files) for source in found.sources) == 3


def test_a_link_to_a_file_in_an_output_folder_counts(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a results", MARKER, content=b"x")
    put(tmp_path / "in" / "a results", "face.png", content=PNG)
    (tmp_path / "in" / "link.png").symlink_to("a results/face.png")
    (source,) = walk([tmp_path / "in"]).sources
    assert list(source.files) == [tmp_path / "in" / "link.png"]
