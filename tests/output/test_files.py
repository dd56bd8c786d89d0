"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from fer_batch.errors import OutputError
from fer_batch.output.files import replacing_path, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_part_is_beside_the_file_and_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.mp4.csv"
    write_bytes(path, b"old")
    with replacing_path(path) as part:
        part.write_bytes(b"new")
        assert names(path.parent) == ["a.mp4.csv", "a.mp4.csv.part"]
        assert path.read_bytes() == b"old"
    assert names(path.parent) == ["a.mp4.csv"]
    assert path.read_bytes() == b"new"


def test_a_writer_may_demand_a_suffix(tmp_path: Path) -> None:
    with replacing_path(tmp_path / "model.keras", ".part.keras") as part:
        part.touch()
        assert names(tmp_path) == ["model.part.keras"]
    assert names(tmp_path) == ["model.keras"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("No space left on device")])
def test_what_the_file_system_refuses_is_an_output_error_with_advice(tmp_path: Path, error: OSError) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")

    def write() -> None:
        with replacing_path(path, advice="Buy a disk.") as part:
            part.write_text("half")
            raise error

    with pytest.raises(OutputError, match=r"Cannot write .*t\.csv: No space left on device\. Buy a disk\."):
        write()
    assert names(tmp_path) == ["t.csv"]
    assert path.read_text() == "old"
