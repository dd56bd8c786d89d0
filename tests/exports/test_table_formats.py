"""Formats that hold every table, read by other programs and libraries."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from fer_batch.exports import xlsx
from fer_batch.exports.export import export
from fer_batch.output.csv import read_table, read_timeline
from fer_batch.output.schema import CHANGES, EPISODES, ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY, SUMMARY_TABLE
from tests.exports.conftest import ANNA, LATE, ODD, RTL
from tests.helpers.studies import frames, make_study

Exported = Callable[[str], Path]


def timelines(study: Path) -> list[pd.DataFrame]:
    return [read_timeline(path) for path in sorted((study / "timelines").rglob("*.csv"))]


def test_openpyxl_reads_numbers_as_numbers_and_names_as_texts(study: Path, exported: Exported) -> None:
    book = openpyxl.load_workbook(exported("xlsx") / xlsx.FILE)
    known = (SUMMARY_TABLE, *OPTIONAL, ERRORS_TABLE, FILES_TABLE)
    names = [table.name for table in known if (study / table.path).exists()]
    assert len(names) > 6
    assert book.sheetnames == [*names, "timelines", "data dictionary"]
    expected = read_table(study / "summary.csv", (*SUMMARY, *CHANGES))
    head, *rows = book["summary"].iter_rows(values_only=True)
    assert list(head) == list(expected.columns)
    for row, values in zip(rows, expected.itertuples(index=False), strict=True):
        assert list(row) == [None if pd.isna(value) or value == "" else value for value in values]
    cell = book["summary-by-person"]["A2"]
    assert (cell.value, cell.data_type) == (ANNA, "s")
    sheet = book["timelines"]
    assert sheet.max_row == 1 + sum(map(len, timelines(study)))
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref is not None
    assert {row[0] for row in book["data dictionary"].iter_rows(min_row=2, values_only=True)} == {
        name for name in book.sheetnames if name != "data dictionary"
    }


def test_tables_that_do_not_fit_are_said_to_be_left_out(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 50)
    said: list[str] = []
    (made,) = export(study, ["xlsx"], out=tmp_path, note=said.append)
    (around_events, frames) = sentences = [
        "The table summary-by-event-time is left out: 105 rows, and a sheet holds 50.",
        "The table timelines is left out: 183 rows, and a sheet holds 50.",
    ]
    assert f"xlsx: {around_events} {frames}" in said
    book = openpyxl.load_workbook(made / xlsx.FILE)
    assert book.sheetnames[-2:] == ["left out", "data dictionary"]
    assert not {"timelines", "summary-by-event-time"} & set(book.sheetnames)
    assert [cell.value for cell in book["left out"]["A"]] == sentences


GERMAN_CSV = "CSV:59,34,76,1,,1031,false,true"
"""LibreOffice's filter: semicolons, quotation marks, UTF-8, from the first line, German, numbers are found."""


def opened_by_libreoffice(path: Path, folder: Path, reads: str = "") -> list[tuple[object, ...]]:
    """The rows of the first sheet, as LibreOffice has understood them."""
    soffice = shutil.which("soffice") or pytest.skip("no LibreOffice")
    command = [
        soffice,
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
    ]
    command += [f"--infilter={reads}"] if reads else []
    subprocess.run([*command, "--outdir", folder, path], check=True, capture_output=True)
    return list(openpyxl.load_workbook(folder / f"{path.stem}.xlsx").worksheets[0].iter_rows(values_only=True))


@pytest.mark.slow
def test_libreoffice_reads_numbers_as_numbers_also_in_german(study: Path, exported: Exported, tmp_path: Path) -> None:
    expected = read_table(study / "summary.csv", (*SUMMARY, *CHANGES))
    books = [
        opened_by_libreoffice(exported("xlsx") / xlsx.FILE, tmp_path),
        opened_by_libreoffice(exported("excel-csv") / "summary.csv", tmp_path, GERMAN_CSV),
    ]
    for head, *rows in books:
        for name in ("first_seen", "mean_anger", "derived_valence"):
            values = pd.Series([row[head.index(name)] for row in rows], dtype=object)
            assert values.dropna().map(type).isin([int, float]).all()
            assert values.fillna(-9).tolist() == expected[name].fillna(-9).tolist()


@pytest.mark.parametrize(
    ("locale", "between", "decimal"),
    [(None, ";", ","), ("fr_FR.UTF-8", ";", ","), ("en", ",", "."), ("de-CH", ";", "."), ("es_MX", ",", ".")],
)
def test_excel_csv_differs_in_its_dress_only(
    locale: str | None, between: str, decimal: str, study: Path, tmp_path: Path
) -> None:
    (made,) = export(study, ["excel-csv"], out=tmp_path, locale=locale)
    for path in study.rglob("*.csv"):
        written = made / path.relative_to(study)
        assert written.read_bytes().startswith(b"\xef\xbb\xbf")
        expected = pd.read_csv(path, keep_default_na=False, na_values=[""])
        dress = {"sep": between, "decimal": decimal, "encoding": "utf-8-sig"}
        found = pd.read_csv(written, keep_default_na=False, na_values=[""], **dress)
        pd.testing.assert_frame_equal(found, expected)


def test_parquet_is_one_data_set_for_pyarrow_polars_and_duckdb(study: Path, exported: Exported) -> None:
    folder = exported("parquet") / "timelines"
    data_set = ds.dataset(folder, format="parquet")
    rows = sum(map(len, timelines(study)))
    assert data_set.count_rows() == rows
    late = data_set.to_table(filter=ds.field("source") == ODD).to_pandas()
    assert late["timestamp"].tolist() == [round(start, 6) for start in LATE for _ in range(2)]
    field = data_set.schema.field("timestamp")
    assert field.metadata[b"unit"] == b"s"
    assert b"earliest stream" in field.metadata[b"description"]
    lazy = pl.scan_parquet(folder / "**" / "*.parquet").filter(pl.col("source") == RTL)
    assert lazy.select(pl.col("timestamp").max()).collect().item() == pytest.approx(2.9)
    counted = duckdb.sql(f"select source, count(*), avg(happiness) from '{folder}/**/*.parquet' group by source")
    assert {source for source, *_ in counted.fetchall()} == {ODD, RTL, "x" * 200 + ".mp4", "raw.h264", "holiday"}
    episodes = pl.read_parquet(exported("parquet") / "episodes.parquet")
    expected = read_table(study / "episodes.csv", EPISODES)
    assert episodes["start"].to_list() == expected["start"].tolist()
    assert episodes["person"].null_count() == expected["person"].eq("").sum()


def test_a_column_that_only_some_timelines_have_is_null_in_the_others(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "out", {"a.mp4": frames([0, 1], ["fear", "fear"]), "b.mp4": frames([0], ["fear"])})
    table = pd.read_csv(folder / "timelines" / "a.mp4.csv")
    table["change_fear"] = [0.5, None]
    table.to_csv(folder / "timelines" / "a.mp4.csv", index=False)
    (made,) = export(folder, ["parquet"], out=tmp_path / "made")
    found = ds.dataset(made / "timelines").to_table().to_pandas()
    assert found.sort_values(["source", "frame"])["change_fear"].fillna(-1).tolist() == [0.5, -1, -1]
