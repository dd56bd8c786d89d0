"""Memory does not grow with a video's length."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests.helpers import media

PEAK = """
import resource, sys
from fer_batch import Options, analyze
analyze([sys.argv[1]], Options(workers=int(sys.argv[3])), out=sys.argv[2])
print(*(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""
"""Of children, the largest one's."""


def peak_kilobytes(video: Path, out: Path, workers: int) -> tuple[int, int]:
    """Of the main process, and of the largest worker."""
    command = [sys.executable, "-c", PEAK, str(video), str(out), str(workers)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=240)
    main, children = map(int, run.stdout.split())
    return main, children


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak")
@pytest.mark.parametrize("workers", [0, 1])
def test_ten_times_the_video_takes_no_more_memory(tmp_path: Path, workers: int) -> None:
    peaks = []
    for seconds in (60, 600):
        video = media.write_video(
            tmp_path / f"{seconds}.mp4", range(seconds * 4), time_base=Fraction(1, 4), keyframe_every=20
        )
        peaks.append(peak_kilobytes(video, tmp_path / f"out{seconds}", workers))
    (main, worker), (longer_main, longer_worker) = peaks
    assert longer_main < 1.1 * main
    assert longer_worker <= 1.1 * worker  # without workers there is at most the child that tells the machine's name
