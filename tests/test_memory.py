"""Memory does not grow with a film's length."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests import media

PEAK = """
import resource, sys
from fer_batch.batch import analyze
analyze([sys.argv[1]], out=sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kilobytes(film: Path, out: Path) -> int:
    command = [sys.executable, "-c", PEAK, str(film), str(out)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=240).stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak")
def test_ten_times_the_film_takes_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for seconds in (60, 600):
        film = media.write_film(
            tmp_path / f"{seconds}.mp4", range(seconds * 4), time_base=Fraction(1, 4), keyframe_every=20
        )
        peaks.append(peak_kilobytes(film, tmp_path / f"out{seconds}"))
    assert peaks[1] < 1.1 * peaks[0]
