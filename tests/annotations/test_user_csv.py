"""CSV files that users write: every mistake gets its line and what to do."""

from pathlib import Path

import pytest

from fer_batch.annotations import user_csv
from fer_batch.errors import UsageError

REQUIRED, OPTIONAL = ("file", "start"), ("note",)


def read(folder: Path, content: str | bytes) -> list[user_csv.Line]:
    path = folder / "user.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return user_csv.read(path, REQUIRED, OPTIONAL)


def test_lines_come_with_their_numbers_as_an_editor_counts(tmp_path: Path) -> None:
    lines = read(tmp_path, 'note,file,start\r\n"two\r\nlines",a.mp4,1\r\n\r\n,,\r\n"x, y ",b.mp4 ,2.5\r\n')
    assert [(line.number, dict(line.values)) for line in lines] == [
        (2, {"note": "two\r\nlines", "file": "a.mp4", "start": "1"}),
        (6, {"note": "x, y", "file": "b.mp4", "start": "2.5"}),
    ]
    assert lines[1].place == "user.csv line 6"
    assert lines[1].seconds_in("start") == 2.5


@pytest.mark.parametrize(
    "content", ["file,start\na,1", "\ufefffile,start\r\na,1\r\n", "file,start,note\na,1,\n", "file,start\na,1,,\n"]
)
def test_what_programs_write_is_taken(tmp_path: Path, content: str) -> None:
    (line,) = read(tmp_path, content)
    assert line.values == {"file": "a", "start": "1", "note": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"user\.csv is empty\. Its first line must be file,start,note"),
        ("\ufeff", "is empty"),
        ("file;start\na;1\n", r"user\.csv line 1: the columns are separated by semicolons\. Separate them by commas"),
        ("file\tstart\na\t1\n", "line 1: the columns are separated by tabs"),
        ("file,start\na,1\nb;2\n", r"line 3 has 1 fields where the header has 2\. Put values that hold a comma in"),
        ("file,start\na,1,5\n", "line 2 has 3 fields where the header has 2"),
        ("file\na\n", "line 1: the column start is missing; columns must be file, start, and may be note"),
        ("file,Start\na,1\n", "line 1: there is a column 'Start'; columns must be .*Did you mean 'start'"),
        ("file,start,file\n", "line 1: the column file is there twice"),
        ("a.mp4,1\n", "line 1: there is a column 'a.mp4'"),
        ('file,start\na,1\nb,"2\nc,3\n', r"line 3: unexpected end of data\. Close every quotation mark"),
        ("file,start\na,1\nM\xfcller,2\n".encode("latin-1"), r"line 3: a character is not in UTF-8\. Save it as UTF-8"),
        ("file,start\na,1\n".encode("utf-16"), r"line 1: the file is in UTF-16\. Save it as UTF-8"),
        ("file,start\na,1\n".encode("utf-16-le"), "line 1: the file is no text"),
        (b"PK\x03\x04\x00\x00", "line 1: the file is no text"),
    ],
)
def test_every_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read(tmp_path, content)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("text", ["1,5", "0:30", "five", "", "nan", "inf", "1e999"])
def test_what_is_no_number_of_seconds_is_refused(tmp_path: Path, text: str) -> None:
    (line,) = read(tmp_path, f'file,start\na,"{text}"\n')
    with pytest.raises(
        UsageError, match=r"user\.csv line 2: start must be seconds with a decimal point, like 12\.5; got"
    ):
        line.seconds_in("start")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"user\.csv cannot be read: No such file"):
        user_csv.read(tmp_path / "user.csv", REQUIRED, OPTIONAL)
