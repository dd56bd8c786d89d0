"""What files hold: every byte counts, and a digest stands only as long as nothing tells that the file was changed."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch.errors import OutputError
from fer_batch.pipeline import contents
from fer_batch.pipeline.contents import Content, FileState, KnownContents, reading_content


def read(path: Path) -> Content:
    steps = reading_content(path)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            content: Content = end.value
            return content


def everything(_: Path) -> bool:
    return True


@given(st.binary(max_size=50))
def test_the_digest_is_sha256_of_every_byte(tmp_path_factory: pytest.TempPathFactory, whole: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "film.mp4"
    path.write_bytes(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "BLOCK_BYTES", 7)
        assert read(path).digest == hashlib.sha256(whole).hexdigest()


def test_a_copy_has_the_same_digest_whatever_its_name_and_times(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    copy = Path(shutil.copyfile(tmp_path / "a.mp4", tmp_path / "copy.mov"))
    os.utime(copy, (1, 1))
    assert read(copy).digest == read(tmp_path / "a.mp4").digest


def test_files_that_cannot_be_read_are_never_taken_for_the_same(tmp_path: Path) -> None:
    one, again = read(tmp_path / "gone.mp4"), read(tmp_path / "gone.mp4")
    assert one.digest != again.digest
    assert one.state is None
    KnownContents(tmp_path / "work").remember({tmp_path / "gone.mp4": one}, everything)
    assert KnownContents(tmp_path / "work").recall([tmp_path / "gone.mp4"]) == {}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written long enough ago."""
    monkeypatch.setattr(contents, "RACY_NS", -(10**9))
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    return path


def test_a_file_that_has_not_changed_is_known_without_reading_it(old: Path, tmp_path: Path) -> None:
    known = KnownContents(tmp_path / "work")
    content = read(old)
    assert known.recall([old]) == {}
    known.remember({old: content}, everything)
    assert known.recall([old]) == {old: content}
    assert known.recall([tmp_path / "other.mp4"]) == {}
    (path,) = (tmp_path / "work").iterdir()
    assert str(tmp_path) not in path.read_text()
    for damage in (b"", b"[]", b'{"66": 1}', path.read_bytes()[:-5]):
        path.write_bytes(damage)
        assert known.recall([old]) == {}


def replace_content(path: Path) -> None:
    """Another content of the same size and modification time, as ``rsync --times`` or a copy program leaves it."""
    before = path.stat()
    time.sleep(0.05)  # the clock of some file systems goes in steps
    path.write_bytes(b"FILM")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        replace_content,
        lambda path: path.write_bytes(b"a longer film"),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: os.replace(shutil.copy2(path, path.with_suffix(".new")), path),
    ],
    ids=["content", "size", "time", "another file"],
)
def test_a_file_that_may_have_changed_is_read_again(old: Path, tmp_path: Path, change) -> None:
    known = KnownContents(tmp_path / "work")
    known.remember({old: read(old)}, everything)
    change(old)
    assert known.recall([old]) == {}


def test_a_file_with_which_something_is_wrong_or_that_is_too_new_is_read_again(old: Path, tmp_path: Path) -> None:
    known = KnownContents(tmp_path / "work")
    known.remember({old: read(old)}, everything)
    known.remember({old: read(old)}, lambda _: False)
    assert known.recall([old]) == {}
    known.remember({old: Content("digest", FileState.of(old), lasting=False)}, everything)
    assert known.recall([old]) == {}


def test_a_file_that_was_just_written_is_not_taken_for_old(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    assert not read(path).lasting


def test_a_work_folder_that_cannot_be_written_is_an_output_error(old: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Cannot write .*run again"):
        KnownContents(tmp_path / "file" / "work").remember({old: read(old)}, everything)
