"""CSV files that users write: every mistake gets its line and what to do."""

import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ("file,start\na,1\nb;2\n", r"line 3 has 1 fields where the header has 2\. Put values that hold the separator"),
        ("file,,start\na,x,1\n", "line 1: column 2 has values, but no name"),
        (",file,start\n0,a,1\n2,b,1\n", "line 1: column 1 has values, but no name"),
        ("file,start\na,1,5\n", "line 2 has 3 fields where the header has 2"),
        ("file\na\n", "line 1: the column start is missing; columns must be file, start, and may be note"),
        ("file,Begin\na,1\n", "line 1: there is a column 'Begin'; columns must be file, start"),
        ("file,Strat\na,1\n", "line 1: there is a column 'Strat'; columns must be .*Did you mean 'start'"),
        ("file,start,File\n", "line 1: the column file is there twice"),
        ("a.mp4,1\n", "line 1: there is a column 'a.mp4'"),
        ('file,start\na,1\nb,"2\nc,3\n', r"line 3: unexpected end of data\. Close every quotation mark"),
        ("file,start\na,1\nM\xfcller,2\n".encode("latin-1"), r"line 3: a character is not in UTF-8\. Save it as UTF-8"),
        ("file,start\na,1\n".encode("utf-16-le"), "line 1: the file is no text"),
        (b"PK\x03\x04\x00\x00", "line 1: the file is no text"),
    ],
)
def test_every_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read(tmp_path, content)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("text", ["1,5", "0:30", "0:60:00", "0:00:61", "five", "", "nan", "inf", "1e999", "1_5"])
def test_what_is_no_number_of_seconds_is_refused(tmp_path: Path, text: str) -> None:
    (line,) = read(tmp_path, f'file,start\na,"{text}"\n')
    with pytest.raises(
        UsageError, match=r"user\.csv line 2: start must be seconds with a decimal point, like 12\.5, or hours.*; got"
    ):
        line.seconds_in("start")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"user\.csv cannot be read: No such file"):
        user_csv.read(tmp_path / "user.csv", REQUIRED, OPTIONAL)


def as_written(separator: str, encoding: str, newline: str, first: str) -> bytes:
    """A table as Excel or pandas write it, with a decimal comma where columns are not separated by commas."""
    number = "1.5" if separator == "," else "1,5"
    lines = [
        f"File{separator}START{separator}{separator}",
        f"a{separator}{number}{separator}{separator}",
        separator * 3,
    ]
    return newline.join([*([first] if first else []), *lines, ""]).encode(encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("declared", [False, True])
def test_what_excel_writes_is_read(tmp_path: Path, separator: str, encoding: str, newline: str, declared: bool) -> None:
    (line,) = read(tmp_path, as_written(separator, encoding, newline, f"sep={separator}" if declared else ""))
    assert line.values["file"] == "a"
    assert line.seconds_in("start") == 1.5
    assert line.number == 2 + declared


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_pandas_writes_is_read(tmp_path: Path, index: bool, separator: str) -> None:
    table = pd.DataFrame({"file": ["a", "b"], "start": [1.5, 2.0], "note": ["x", None]})
    table.to_csv(tmp_path / "user.csv", index=index, sep=separator, decimal="," if separator == ";" else ".")
    lines = user_csv.read(tmp_path / "user.csv", REQUIRED, OPTIONAL)
    assert [line.values["file"] for line in lines] == ["a", "b"]
    assert [line.seconds_in("start") for line in lines] == [1.5, 2.0]
    assert [line.values["note"] for line in lines] == ["x", ""]


@settings(max_examples=20)
@given(name=st.text("aéñÅşộ한ガ名٣", min_size=1, max_size=9), form=st.sampled_from(["NFC", "NFD"]))
def test_names_that_look_the_same_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, name: str, form: Literal["NFC", "NFD"]
) -> None:
    """Marks of direction come with names that are copied from a window of Windows."""
    written = unicodedata.normalize(form, name)
    (line,) = read(tmp_path_factory.mktemp("names"), f"file,start\n\u202a\u00a0{written}\u200b \ufeff,1\n")
    assert line.values["file"] == unicodedata.normalize("NFC", name)


@given(
    st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=6),
    st.sampled_from([";", "\t"]),
    st.sampled_from([(",", "."), (".", ","), (",", ""), (".", "")]),
)
def test_a_number_is_what_pandas_takes_it_for_or_refused(
    tmp_path_factory: pytest.TempPathFactory, values: list[Decimal], separator: str, marks: tuple[str, str]
) -> None:
    """A point or a comma may stand between thousands: where that is not clear, the number is refused."""
    point, thousands = marks
    texts = [f"{value:,.3f}".translate({ord("."): point, ord(","): thousands}) for value in values]
    path = tmp_path_factory.mktemp("numbers") / "user.csv"
    path.write_text(
        "".join(f"{line}\n" for line in (f"file{separator}start", *(f"a{separator}{one}" for one in texts)))
    )
    decimal = "," if "," in "".join(texts) else "."
    theirs = pd.read_csv(path, sep=separator, decimal=decimal, thousands=None)["start"]
    lines = user_csv.read(path, REQUIRED, OPTIONAL)
    if theirs.dtype != float:
        with pytest.raises(UsageError, match="got"):
            [line.seconds_in("start") for line in lines]
    else:
        assert [line.seconds_in("start") for line in lines] == pytest.approx(theirs.tolist())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:01:23.5", 83.5),
        ("1:00:00", 3600.0),
        ("-0:00:05", -5.0),
        ("00:00:01,250", 1.25),
        ("83.5", 83.5),
        ("-2", -2.0),
    ],
)
def test_times_are_read_as_people_write_them(tmp_path: Path, text: str, seconds: float) -> None:
    (line,) = read(tmp_path, f'file,start\na,"{text}"\n')
    assert line.seconds_in("start") == seconds


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("3.0", 3), ("12", 12), ("0.5", None), ("-1", None), ("", None), ("inf", None), ("x", None)],
)
def test_whole_numbers_are_read_as_programs_write_them(tmp_path: Path, text: str, number: int | None) -> None:
    (line,) = read(tmp_path, f"file,start\na,{text}\n")
    assert line.whole_in("start") == number
