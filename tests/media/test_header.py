"""Lengths and frames by videos' headers, compared with the frames that are sampled."""

from fractions import Fraction
from pathlib import Path

import pytest

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.errors import MediaError
from fer_batch.media import sources
from fer_batch.media.sampling import Sampling, frame_times
from fer_batch.media.video import header
from fer_batch.media.video.header import reading_header
from fer_batch.media.video.index import finish, read_index
from fer_batch.options import Options
from fer_batch.pipeline import worker as worker_module
from fer_batch.pipeline.worker import TimeTrial, TrialResult, Worker, WorkerSetup
from tests.helpers import media

SAMPLINGS = (
    Sampling(),
    Sampling(fps=5),
    Sampling(fps=100),
    Sampling(start=1),
    Sampling(start=1, end=2.5, fps=5),
    Sampling(end=100),
    Sampling(start=50),
)
EVEN, UNEVEN = range(0, 4000, 40), [0, *range(1000, 1900, 20), 3000]


def counted(path: Path) -> tuple[int, ...]:
    index = read_index(path)
    return tuple(len(frame_times("", index.pts, index.ends, index.clock, sampling)) for sampling in SAMPLINGS)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_large_video_s_header_tells_about_as_many_frames_as_its_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = media.write_video(tmp_path / f"a.{suffix}", range(100), time_base=Fraction(1, 25))
    monkeypatch.setattr(header, "SMALL_VIDEO_BYTES", 0)
    monkeypatch.setattr(header, "reading_index", None)  # is not needed
    announced = finish(reading_header(path, SAMPLINGS))
    assert announced.seconds == pytest.approx(4, abs=0.1)
    assert announced.frames == pytest.approx(counted(path), abs=2)
    assert announced.frames[-1] == 0
    assert announced.video_type[1:] == ("yuv420p", *media.SIZE)


def test_a_small_video_s_packets_are_counted(tmp_path: Path) -> None:
    path = media.write_video(tmp_path / "a.mkv", UNEVEN)
    announced = finish(reading_header(path, SAMPLINGS))
    assert announced.frames == counted(path)


@pytest.mark.parametrize("suffix", ["ts", "h264"])
def test_where_the_header_knows_nothing_the_packets_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = media.write_video(tmp_path / f"a.{suffix}", EVEN)
    monkeypatch.setattr(header, "SMALL_VIDEO_BYTES", 0)
    announced = finish(reading_header(path, SAMPLINGS))
    assert announced.frames[0] == len(EVEN)


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a video")
    with pytest.raises(MediaError):
        finish(reading_header(path, SAMPLINGS))


@pytest.mark.parametrize(("sampling", "frames"), [(Sampling(), 86), (Sampling(fps=1), 2), (Sampling(start=60), 0)])
def test_a_trial_counts_the_frames_that_are_scanned_once_the_networks_are_compiled(
    tmp_path: Path, sampling: Sampling, frames: int
) -> None:
    path = media.write_video(tmp_path / "a.mp4", EVEN)
    (source,) = sources.walk([path]).sources
    worker = Worker(WorkerSetup.of(Options(), ModelFile()))
    trial = worker.perform(TimeTrial(source, sampling, 0.9, 60))
    tried: TrialResult = finish(trial)
    assert (tried.frames, tried.faces) == (frames, 0)
    assert (tried.seconds > 0) == (frames > 0)


def test_a_trial_ends_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = media.write_video(tmp_path / "a.mp4", EVEN)
    (source,) = sources.walk([path]).sources
    worker = Worker(WorkerSetup.of(Options(detect_every=1), ModelFile()))
    trial = worker.perform(TimeTrial(source, Sampling(), 0, 0))
    assert finish(trial).frames == 1
    assert worker_module.WARM_UP_PARTS == 2
