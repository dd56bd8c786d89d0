"""run.json names what computed each source, also where a study was continued with other versions."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fer_batch
from fer_batch.options import Options
from fer_batch.output.software import Software
from tests.helpers import media
from tests.helpers.quick import no_report, quick  # noqa: F401

pytestmark = pytest.mark.usefixtures("quick", "no_report")

HERE = Software.here()
OTHER = replace(HERE, fer_batch="9.0", versions={**HERE.versions, "av": "99.1"})


def run_with(software: Software, monkeypatch: pytest.MonkeyPatch, paths: list[Path], out: Path, view: str) -> Any:
    """Analyse, as if these versions were installed; run.json, and the notes about versions."""
    forget: Callable[[], None] = Software.here.__func__.cache_clear  # type: ignore[attr-defined]
    try:
        with monkeypatch.context() as installed:
            installed.setattr("fer_batch.output.software.__version__", software.fer_batch)
            installed.setattr("fer_batch.output.software._versions", lambda: software.versions)
            forget()
            run = fer_batch.analyze(paths, Options(view=view, workers=0), out=out)
    finally:
        forget()
    notes = [line.reason for line in run.skipped if line.file == "versions"]
    return json.loads((out / "run.json").read_text()), notes


def software_of(run: Any) -> dict[str, str | None]:
    """The version of PyAV that run.json names for each source; None where it names none."""
    return {
        source["name"]: source["software"]["versions"]["av"] if "software" in source else None
        for source in run["sources"]
    }


def test_a_study_names_the_versions_that_computed_each_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = media.write_video(tmp_path / "a.mp4"), media.write_video(tmp_path / "b.mp4", timestamps=range(0, 350, 50))
    av, out = HERE.versions["av"], tmp_path / "out"
    run, notes = run_with(HERE, monkeypatch, [a], out, "combined")
    assert (run["versions"]["av"], software_of(run), notes) == (av, {"a.mp4": None}, [])
    run, notes = run_with(OTHER, monkeypatch, [b], out, "combined")
    assert run["versions"]["av"] == f"{av} and 99.1"
    assert run["fer_batch"] == f"{HERE.fer_batch} and 9.0"
    assert software_of(run) == {"a.mp4": av, "b.mp4": "99.1"}
    (note,) = notes
    assert f"av {av} and 99.1; fer-batch {HERE.fer_batch} and 9.0" in note
    # Scanned by one version, and its tables made anew by the other.
    run, _ = run_with(OTHER, monkeypatch, [a, b], out, "fer2013")
    assert software_of(run) == {"a.mp4": None, "b.mp4": "99.1"}
    assert run["counts"]["frames_scanned"] == 0
    for chunk in (out / "work").glob("chunk-*"):
        chunk.unlink()
    run, notes = run_with(OTHER, monkeypatch, [a, b], out, "fer2013")
    assert (run["versions"]["av"], software_of(run), notes) == ("99.1", {"a.mp4": None, "b.mp4": None}, [])
