"""What a run would take, without running it: films' headers are read, and a little of some films is looked at."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_batch.annotations.load import Annotations
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.errors import NothingUsable
from fer_batch.media import sources
from fer_batch.media.sampling import Sampling
from fer_batch.media.video.header import VideoHeader
from fer_batch.options import Options
from fer_batch.pipeline import executors
from fer_batch.pipeline.executors.base import Done, Executor, Failed
from fer_batch.pipeline.worker import ReadHeader, TimeTrial, TrialResult, WorkerSetup
from fer_batch.types import Kind, Skipped, Source

SPARSE_FPS = 5.0
"""The sampling whose cost is told beside the one asked for."""

TRIALS = 6
"""Kinds of film (codec and size) of which one is tried; the others are taken to be like those."""

TRIAL_SECONDS = 2.0
"""How long each is looked at, in every worker at the same time."""

BYTES_PER_ROW = 450
"""On disk, for one face in one frame: a row of the timeline, one of a chunk file, and its part of a page. Measured on
three films of a minute."""

START_SECONDS = 3.0
"""For the program to start, and for the report's frame. Measured on an AMD EPYC, as is the next."""

SECONDS_PER_ROW = 0.0005
"""To link, write and chart a face in a frame, by the main process."""


@dataclass(frozen=True)
class Cost:
    """What one way of sampling would take."""

    frames: int
    """Film frames and photographs to look at."""
    seconds: float
    """Expected duration of the run on this machine."""
    bytes: int
    """Expected size of the output folder."""


@dataclass(frozen=True)
class Forecast:
    """What a run would find and take."""

    videos: int
    photos: int
    video_seconds: float
    """Length of all the films."""
    asked: Cost
    sparse: Cost
    """The same at SPARSE_FPS."""
    skipped: tuple[Skipped, ...]
    """What could not be read at all."""


@dataclass(frozen=True)
class _Rate:
    """What a frame of some kind takes."""

    seconds: float
    """Of one worker, while all are working."""
    rows: float
    """In the tables."""


_Like = tuple[object, ...]
"""What films that take equally long have in common."""


def forecast(paths: Iterable[str | Path], options: Options) -> Forecast:
    """Read the films' headers, and look at a little of some films and photographs, on this machine.

    Of large films, frames and lengths are as their headers announce them.

    Raises:
        UsageError: a path does not exist, or a file that the options name is wrong.
        NothingUsable: there is no photograph and no film.
        ModelError, DetectorError: they cannot be used.
    """
    inputs = [Path(path) for path in paths]
    found = sources.walk(inputs, recursive=options.recursive, follow_links=options.follow_links)
    if not found.sources and not found.skipped:
        raise NothingUsable("There is no photograph and no film there.")
    Annotations.read(options, found)  # its mistakes are told now, too
    folders = [one for one in found.sources if one.kind is Kind.PHOTOS]
    images = sum(len(one.files) for one in folders)
    rates = options.fps, min(SPARSE_FPS, options.fps or SPARSE_FPS)
    samplings = tuple(Sampling(fps, options.start, options.end) for fps in rates)
    workers = executors.cores() if options.workers is None else max(1, options.workers)
    with executors.make(WorkerSetup.of(options, ModelFile(options.model)), options.workers) as executor:
        surveys = [ReadHeader(one, samplings) for one in found.sources if one.kind is Kind.VIDEO]
        announced, skipped = _announced(executor, surveys)
        kinds: dict[_Like, list[Source]] = defaultdict(list)
        for source, one in announced.items():
            kinds[one.like].append(source)
        costs = []
        for at, sampling in enumerate(samplings):
            media = {kind: [one for one in videos if announced[one].frames[at]] for kind, videos in kinds.items()}
            frames = {kind: sum(announced[one].frames[at] for one in videos) for kind, videos in media.items()}
            media[PHOTOS], frames[PHOTOS] = folders, images
            frames = {kind: count for kind, count in frames.items() if count}
            costs.append(_cost(frames, _rates(executor, media, frames, sampling, workers), workers))
    return Forecast(
        videos=len(announced),
        photos=images,
        video_seconds=sum(one.seconds for one in announced.values()),
        asked=costs[0],
        sparse=costs[1],
        skipped=(*found.skipped, *skipped),
    )


PHOTOS: _Like = ("photographs",)
"""All photographs are of one kind."""


def _announced(executor: Executor, surveys: Sequence[ReadHeader]) -> tuple[dict[Source, VideoHeader], list[Skipped]]:
    """What every film announces, in their order, and why others cannot be read."""
    found: dict[str, VideoHeader] = {}
    skipped = []
    for event in executor.run(_each(surveys)):
        if isinstance(event, Done):
            found[event.task.source.name] = event.result
        elif isinstance(event, Failed):
            skipped.append(Skipped(event.task.source.name, str(event.error)))
    announced = {one.source: found[one.source.name] for one in surveys if one.source.name in found}
    return announced, sorted(skipped, key=lambda one: one.file)


def _rates(
    executor: Executor, media: dict[_Like, list[Source]], frames: dict[_Like, int], sampling: Sampling, workers: int
) -> dict[_Like, _Rate]:
    """What a frame takes, for every kind; kinds with few frames are taken to be like those that are tried."""
    tried = sorted(frames, key=lambda kind: -frames[kind])[:TRIALS]
    results: dict[_Like, list[TrialResult]] = {kind: [] for kind in tried}
    for kind in tried:
        shares = [(2 * at + 1) / (2 * workers) for at in range(workers)]
        chosen = [media[kind][int(len(media[kind]) * share)] for share in shares]
        trials = [TimeTrial(one, sampling, share, TRIAL_SECONDS) for one, share in zip(chosen, shares, strict=True)]
        for event in executor.run(_each(trials)):
            if isinstance(event, Done) and event.result.frames:
                results[kind].append(event.result)
    rates = {kind: _rate(found) for kind, found in results.items() if found}
    others = _rate([one for found in results.values() for one in found])
    return {kind: rates.get(kind, others) for kind in frames}


def _rate(found: Sequence[TrialResult]) -> _Rate:
    frames = sum(one.frames for one in found)
    if not frames:
        return _Rate(0.0, 1.0)
    faces = sum(one.faces for one in found)
    return _Rate(sum(one.seconds for one in found) / frames, max(1.0, faces / frames))


def _cost(frames: dict[_Like, int], rates: dict[_Like, _Rate], workers: int) -> Cost:
    rows = sum(count * rates[kind].rows for kind, count in frames.items())
    scheduler = sum(count * rates[kind].seconds for kind, count in frames.items()) / workers
    return Cost(sum(frames.values()), START_SECONDS + scheduler + rows * SECONDS_PER_ROW, round(rows * BYTES_PER_ROW))


def _each(tasks: Iterable[object]) -> Callable[[], object]:
    waiting = deque(tasks)
    return lambda: waiting.popleft() if waiting else None
