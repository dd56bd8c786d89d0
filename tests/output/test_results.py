"""An output folder, read back."""

import time
from pathlib import Path

import pandas as pd
import pytest

from fer_batch.options import ReportOptions
from fer_batch.output.results import Results
from fer_batch.types import Severity, Skipped


def results(names: list[str], lines: list[str]) -> Results:
    """Sources of these names, and a line of errors.csv about each of these files."""
    nothing = pd.DataFrame()
    errors = pd.DataFrame({"file": lines, "reason": ["Damaged."] * len(lines), "severity": ["partial"] * len(lines)})
    run = {"sources": [{"name": name, "timeline": f"timelines/{name}.csv"} for name in names]}
    return Results(Path("out"), run, nothing, errors, {}, {}, ReportOptions())


def test_a_line_is_about_its_source_or_about_the_innermost_folder_of_its_photo() -> None:
    found = results(["a", "a/b", "c.mp4"], ["a/b/1.jpg", "c.mp4", "a/2.jpg", "gone.mp4", "a/b"])
    by_source = {name: [line.file for line in found.lines_of({"name": name})] for name in ("a", "a/b", "c.mp4")}
    assert by_source == {"a": ["a/2.jpg"], "a/b": ["a/b/1.jpg", "a/b"], "c.mp4": ["c.mp4"]}
    assert [line.file for line in found.lines] == ["a/b/1.jpg", "c.mp4", "a/2.jpg", "gone.mp4", "a/b"]
    assert found.lines[0] == Skipped("a/b/1.jpg", "Damaged.", Severity.PARTIAL)


@pytest.mark.slow
def test_a_thousand_sources_and_300_lines_take_no_time() -> None:
    names = [f"folder {number}/video.mp4" for number in range(1000)]
    found = results(names, names[:300])
    start = time.process_time()
    assert sum(len(found.lines_of({"name": name})) for name in names) == 300
    assert time.process_time() - start < 2
