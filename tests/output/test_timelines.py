"""All timelines as one table: in memory, and lazily, of CSV files or of Parquet."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import fer_batch
from fer_batch import Options, cli
from fer_batch.errors import ExitCode, UsageError
from fer_batch.output.csv import read_table
from fer_batch.output.schema import SUMMARY, TIMELINE, WIDEST
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A video and two folders with a photo of the same name; in one, a name that CSV must quote."""
    folder = tmp_path / "study"
    light, lighter, dark = (np.full((48, 64, 3), grey, np.uint8) for grey in (60, 66, 0))
    (folder / "sub").mkdir(parents=True)
    media.write_video(folder / "sub" / "film.mp4", range(0, 1200, 40), [light] * 20 + [dark] * 10)
    media.write_photo(folder / "a" / "1.png", light)
    media.write_photo(folder / "b, c" / "1.png", lighter)
    return folder


def analysed(study: Path, *, parquet: bool = False, **options: object) -> Path:
    out = study.parent / "out"
    (study.parent / "people.csv").write_text("file,face_id,person,group\nsub/film.mp4,0,NA,null\na/1.png,0,Bo,\n")
    fer_batch.analyze(
        [study],
        Options(workers=0, smooth=0.2, people=study.parent / "people.csv", parquet=parquet, detect_every=1, **options),
        out=out,
    )
    return out


def test_photos_of_one_name_are_told_apart_and_every_row_has_its_summary(study: Path) -> None:
    out = analysed(study)
    table = fer_batch.read_timelines(out)
    assert table["source"].unique().tolist() == ["a", "b, c", "sub/film.mp4"]
    assert table[table["file"] == "1.png"]["source"].tolist() == ["a", "b, c"]
    summary = read_table(out / "summary.csv", SUMMARY)
    videos = table[table["success"]].merge(summary[summary["kind"] == "video"], on=["source", "face_id"])
    assert len(videos) == videos["faces"].iloc[0] == 20
    assert table.merge(summary[["source", "kind"]].drop_duplicates(), on="source")["kind"].notna().all()
    others = ("episodes.csv", "summary_long.csv", "errors.csv")
    for name in others:
        assert set(pd.read_csv(out / name, keep_default_na=False)["source"]) <= {*summary["source"], ""}


def test_the_types_are_those_of_a_single_timeline(study: Path) -> None:
    out = analysed(study)
    table = fer_batch.read_timelines(out)
    one = fer_batch.read_timeline(out / "timelines" / "sub" / "film.mp4.csv")
    assert table.dtypes.to_dict() == one.dtypes.to_dict()
    pd.testing.assert_frame_equal(table[table["source"] == "sub/film.mp4"].reset_index(drop=True), one)
    assert table["smooth_anger"].isna().sum() == 2 + 10  # photos, and frames without a face
    assert set(table["person"].fillna("")) == {"", "Bo", "NA"}


@pytest.mark.parametrize("with_parquet", [False, True])
def test_a_lazy_table_holds_the_same(study: Path, with_parquet: bool) -> None:
    out = analysed(study, parquet=with_parquet)
    expected = fer_batch.read_timelines(out)
    rows = fer_batch.scan_timelines(out)
    assert {Path(file).suffix for file in rows.files} == {".parquet" if with_parquet else ".csv"}
    lazy = rows.to_table().to_pandas(types_mapper={pyarrow.int64(): pd.Int64Dtype()}.get)
    texts = [column.name for column in WIDEST if column.type == "string" and column.name in lazy]
    lazy[texts], expected[texts] = lazy[texts].fillna(""), expected[texts].fillna("")
    flags = expected.select_dtypes(bool).columns
    lazy[flags] = lazy[flags].fillna(False).astype(bool)
    pd.testing.assert_frame_equal(lazy, expected, check_dtype=False)
    mean = expected[expected["person"] == "NA"]["happiness"].mean()
    from_polars = polars.scan_pyarrow_dataset(rows).filter(polars.col("person") == "NA").select("happiness").collect()
    assert from_polars["happiness"].mean() == pytest.approx(mean)
    ((from_duckdb,),) = duckdb.sql("SELECT avg(happiness) FROM rows WHERE person = 'NA'").fetchall()
    assert from_duckdb == pytest.approx(mean)


def test_parquet_is_one_table_for_every_reader_and_only_where_it_is_asked_for(study: Path) -> None:
    out = analysed(study, parquet=True)
    folder = out / "timelines.parquet"
    expected = fer_batch.read_timelines(out)
    assert sorted(pd.read_parquet(folder)["source"].unique()) == ["a", "b, c", "sub/film.mp4"]
    for table in (pd.read_parquet(folder), polars.read_parquet(folder / "**/*.parquet").to_pandas()):
        assert len(table) == len(expected)
        assert table.columns.tolist() == expected.columns.tolist()
    field = pq.read_schema(folder / "a.parquet").field("duration")
    assert field.metadata == {b"description": b"Time from this frame to the next sampled one.", b"unit": b"s"}
    assert json.loads((out / "datapackage.json").read_text())["parquet"]["path"] == "timelines.parquet"
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    fer_batch.analyze(
        [study / "a"],
        Options(workers=0, smooth=0.2, people=study.parent / "people.csv", parquet=True, detect_every=1),
        out=out,
    )
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before
    analysed(study)
    assert not folder.exists()
    assert "parquet" not in json.loads((out / "datapackage.json").read_text())


WRITING = """
import sys
import pyarrow
from pathlib import Path
from fer_batch.output import parquet
from fer_batch.output.schema import TIMELINE

parquet.BLOCK_BYTES = 2**16
parquet.write_parquet(Path(sys.argv[1]), Path(sys.argv[2]), TIMELINE)
print(pyarrow.default_memory_pool().max_memory())
"""


def test_writing_parquet_takes_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    most = {}
    for blocks in (40, 160):
        header, row = ",".join(column.name for column in TIMELINE), ",".join("1" for _ in TIMELINE)
        (tmp_path / "t.csv").write_text("\n".join([header, *[row] * (blocks * 2**16 // len(row))]))
        command = [sys.executable, "-c", WRITING, tmp_path / "t.csv", tmp_path / "t.parquet"]
        most[blocks] = int(subprocess.run(command, capture_output=True, check=True).stdout)
        assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups >= blocks
    assert most[160] < 1.3 * most[40]


def test_a_damaged_table_is_told(study: Path) -> None:
    out = analysed(study)
    path = out / "timelines" / "a.csv"
    path.write_text(path.read_text().replace(",0.9000,", ",high,", 1))
    said = CliRunner().invoke(cli.app, ["export", str(out), "--to", "parquet"])
    assert said.exit_code == ExitCode.USAGE
    assert "a.csv is damaged" in said.stderr
    with pytest.raises(UsageError, match="no output folder"):
        fer_batch.scan_timelines(study)
