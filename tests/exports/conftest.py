"""A study whose names hold everything that formats stumble over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_batch.exports.export import export
from tests.helpers.studies import frames, make_study

ODD = 'sub/a "quoted", {b}\\Next & <c>\nline.mp4'
RTL = "עברית وفارسی‌ها.mp4"  # noqa: RUF001
LONG = "x" * 200 + ".mp4"
ANNA = 'Anna "A" {x} \\N <b>&; =1+1 --> \t\u202eשלום'  # noqa: RUF001

LATE = [1.5 + 0.033367 * step + 0.0101 * (step % 3) for step in range(60)]
"""Frames of varying length in a video whose first one comes late."""

MOODS = ["neutral"] * 10 + ["happiness"] * 20 + ["neutral"] * 10 + ["anger"] * 20


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder of three videos and a folder of photos, with persons and events. Not to be changed."""
    videos = {
        ODD: [*frames(LATE, MOODS, 0, ANNA), *frames(LATE, MOODS[::-1], 1)],
        RTL: frames([0.1 * step for step in range(30)], MOODS[5:35], 0, "שָׁלוֹם"),
        LONG: frames([0.04 * step for step in range(30)], ["neutral"] * 30),
        "raw.h264": [(None, None, 0, "", "anger")],
    }
    events = [(ODD, 'question "1"\nand <2>', -0.5, 2.0), (ODD, "over", 1.0, 2.5), (ODD, "before", -2.0, -1.0)]
    folder = tmp_path_factory.mktemp("study") / "out"
    return make_study(folder, videos, {"holiday": ["happiness", "fear"]}, events)


@pytest.fixture(scope="session")
def exported(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a format's files, of the study."""
    out = tmp_path_factory.mktemp("exports")

    def folder_of(name: str) -> Path:
        if not (out / name).exists():
            export(study, [name], out=out)
        return out / name

    return folder_of
