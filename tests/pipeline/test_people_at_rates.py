"""people.csv gives the same persons at any rate: whoever it names is found by place, and nobody is mixed up."""

from math import sin
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data

import fer_batch
from fer_batch import Options
from fer_batch.report.to_fill_in import write_people
from fer_batch.types import Box, Severity
from tests.helpers.cast import Actor, Shot, Truth, faces, painted, shoot
from tests.helpers.quick import no_report  # noqa: F401

pytestmark = pytest.mark.usefixtures("no_report")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Three people in two places: one sways, one leans to and fro, one comes late and leaves early."""
    astronaut, anna, bo, *_ = faces()
    path = tmp_path_factory.mktemp("people") / "film.mp4"
    place = painted(skimage.data.coffee())
    first = [
        Actor("Cleo", astronaut, lambda t: (110 + 50 * sin(2.5 * t), 180 + 10 * sin(4 * t))),
        Actor("Anna", anna, lambda t: (320, 170 + 15 * sin(5 * t))),
        Actor("Bo", bo, lambda t: (530 + 20 * sin(3 * t), 190) if 1.0 <= t < 4.0 else None),
    ]
    second = [
        Actor("Bo", bo, lambda t: (200 + 30 * sin(3 * t), 180)),
        Actor("Cleo", astronaut, lambda t: (440 + 12 * (t - 6), 180)),
    ]
    walls = np.full_like(place, 90), place
    shots = [Shot(0, 6, 25, walls[0], first), Shot(6, 11, 25, walls[1], second)]
    return path, shoot(path, shots)


def name(table: Path, truth: Truth) -> None:
    """Fill in who each face is, as somebody does who looks at its place."""
    lines = pd.read_csv(table, dtype={"person": "str", "role": "str", "group": "str"})
    for at, line in lines.iterrows():
        frame = truth.pts.index(round(1000 * line["time"]))
        box = Box(*(line[column] for column in ("x", "y", "width", "height")))
        overlap, person = max((box.overlap(other), who) for who, other in truth.people[frame].items())
        assert overlap > 0.3
        lines.loc[at, ["person", "group"]] = [person, person[0]]
    lines.to_csv(table, index=False)


def seconds_of(folder: Path, truth: Truth) -> dict[str, float]:
    """How long each person is seen; each of their boxes must be where they are."""
    timeline = fer_batch.read_timeline(folder / "timelines" / "film.mp4.csv")
    seen = timeline[timeline["success"] & ~timeline["spurious"]]
    assert (seen["person"] != "").all()
    for row in seen.to_dict("records"):
        frame = truth.pts.index(round(1000 * row["timestamp"]))
        box = Box(*(row[column] for column in ("x", "y", "width", "height")))
        assert box.overlap(truth.people[frame][row["person"]]) > 0.3
    return seen.groupby("person")["duration"].sum().to_dict()


@pytest.mark.parametrize(
    ("made_at", "rates"),
    [
        (None, [2, 7]),
        pytest.param(None, [3, 12.5], marks=pytest.mark.slow),
        pytest.param(2, [None], marks=pytest.mark.slow),
    ],
)
def test_the_same_persons_are_found_at_any_rate(
    film: tuple[Path, Truth], tmp_path: Path, made_at: float | None, rates: list[float | None]
) -> None:
    video, truth = film
    out, table = tmp_path / "out", tmp_path / "people.csv"
    fer_batch.analyze([video], Options(workers=0, fps=made_at), out=out)
    name(write_people(out, table), truth)
    found = {}
    for fps in [made_at, *rates]:
        run = fer_batch.analyze([video], Options(workers=0, fps=fps, people=table), out=out)
        assert all(line.severity is Severity.NOTE for line in run.skipped), run.skipped
        found[fps] = seconds_of(out, truth)
        assert found[fps].keys() == {"Anna", "Bo", "Cleo"}
        numbers = pd.read_csv(out / "summary.csv")[["person", "face_id"]]
        assert numbers["person"].is_unique
        for person, seconds in found[fps].items():
            assert seconds == pytest.approx(found[made_at][person], rel=0.1)
