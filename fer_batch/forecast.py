"""What a run would take, without running it: films' indexes are read, and a little of some films is looked at."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_batch import executors, films, photographs, sources
from fer_batch.classifiers import ModelFile
from fer_batch.errors import NothingUsable
from fer_batch.executors.protocol import Done, Executor, Lost
from fer_batch.filmindex import FilmIndex
from fer_batch.options import Options
from fer_batch.sampling import Sampling
from fer_batch.study import Study
from fer_batch.tasks import Index, Setup, Tried, Try
from fer_batch.types import Chunk, Kind, Skipped, Source

SPARSE_FPS = 5.0
"""The sampling whose cost is told beside the one asked for."""

TRIALS = 6
"""Kinds of film (codec and size) of which one is tried; the others are taken to be like those."""

TRIAL_SECONDS = 2.0
"""How long each is looked at, in every worker at the same time."""

BYTES_PER_ROW = 370
"""On disk, for one face in one frame: a row of the timeline and one of a chunk file. Measured on the demo's film."""

START_SECONDS = 3.0
"""For the program to start, and for the report's frame. Measured on an AMD EPYC, as is the next."""

SECONDS_PER_ROW = 0.0002
"""To link, write and chart a face in a frame, by the main process while none is looked at."""


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

    films: int
    photographs: int
    film_seconds: float
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
    """Read the films' indexes and look at a little of some films, and at some photographs, on this machine.

    Raises:
        UsageError: a path does not exist, or a file that the options name is wrong.
        NothingUsable: there is no photograph and no film.
        ModelError, DetectorError: they cannot be used.
    """
    inputs = [Path(path) for path in paths]
    found = sources.walk(inputs, recursive=options.recursive, follow_links=options.follow_links)
    if not found.sources and not found.skipped:
        raise NothingUsable("There is no photograph and no film there.")
    Study.read(options, found)  # its mistakes are told now, too
    folders = [one for one in found.sources if one.kind is Kind.PHOTOS]
    pictures = sum(len(one.files) for one in folders)
    workers = executors.cores() if options.workers is None else max(1, options.workers)
    with executors.make(Setup.of(options, ModelFile(options.model)), options.workers) as executor:
        indexes, skipped = _indexes(executor, [one for one in found.sources if one.kind is Kind.VIDEO])

        def cost(fps: float | None) -> Cost:
            chunks = {one: _chunks(one, indexes[one], Sampling(fps, options.start, options.end)) for one in indexes}
            kinds: dict[_Like, list[Chunk]] = defaultdict(list)
            for source, plan in chunks.items():
                kinds[_like(indexes[source])].extend(plan)
            kinds["photographs",] = [chunk for folder in folders for chunk in photographs.plan(folder)]
            frames = {kind: sum(map(_frames, plan)) for kind, plan in kinds.items() if plan}
            rates = _rates(executor, {kind: kinds[kind] for kind in frames}, frames, workers)
            rows = sum(frames[kind] * rates[kind].rows for kind in frames)
            seeing = sum(frames[kind] * rates[kind].seconds for kind in frames) / workers
            total = sum(frames.values())
            return Cost(total, START_SECONDS + seeing + rows * SECONDS_PER_ROW, round(rows * BYTES_PER_ROW))

        asked, sparse = cost(options.fps), cost(min(SPARSE_FPS, options.fps or SPARSE_FPS))
    return Forecast(
        films=len(indexes),
        photographs=pictures,
        film_seconds=sum(float(index.clock.seconds(index.end_stamp)) for index in indexes.values()),
        asked=asked,
        sparse=sparse,
        skipped=(*found.skipped, *skipped),
    )


def _indexes(executor: Executor, media: Sequence[Source]) -> tuple[dict[Source, FilmIndex], list[Skipped]]:
    found: dict[str, FilmIndex] = {}
    skipped = []
    for event in executor.run(_each([Index(source) for source in media])):
        if isinstance(event, Done):
            found[event.task.source.name] = event.result
        elif isinstance(event, Lost):
            skipped.append(Skipped(event.task.source.name, str(event.error)))
    indexes = {source: found[source.name] for source in media if source.name in found}
    return indexes, sorted(skipped, key=lambda one: one.file)


def _rates(
    executor: Executor, chunks: dict[_Like, list[Chunk]], frames: dict[_Like, int], workers: int
) -> dict[_Like, _Rate]:
    """What a frame takes, for every kind; kinds with few frames are taken to be like those that are tried."""
    tried = sorted(frames, key=lambda kind: -frames[kind])[:TRIALS]
    results: dict[_Like, list[Tried]] = {kind: [] for kind in tried}
    for kind in tried:
        plan = chunks[kind]
        trials = [Try(plan[len(plan) * (2 * at + 1) // (2 * workers)], TRIAL_SECONDS) for at in range(workers)]
        for event in executor.run(_each(trials)):
            if isinstance(event, Done) and event.result.frames:
                results[kind].append(event.result)
    rates = {kind: _rate(found) for kind, found in results.items() if found}
    others = _rate([one for found in results.values() for one in found])
    return {kind: rates.get(kind, others) for kind in frames}


def _rate(found: Sequence[Tried]) -> _Rate:
    frames = sum(one.frames for one in found)
    if not frames:
        return _Rate(0.0, 1.0)
    faces = sum(one.faces for one in found)
    return _Rate(sum(one.seconds for one in found) / frames, max(1.0, faces / frames))


def _each(tasks: Iterable[object]) -> Callable[[], object]:
    waiting = deque(tasks)
    return lambda: waiting.popleft() if waiting else None


def _chunks(source: Source, index: FilmIndex, sampling: Sampling) -> list[Chunk]:
    return films.plan(source, index, sampling, films.trust(index))


def _like(index: FilmIndex) -> _Like:
    return tuple(index.facts[name] for name in ("codec", "pixel_format", "width", "height"))


def _frames(chunk: Chunk) -> int:
    return (chunk.frames or 0) if chunk.moments is None else len(chunk.moments)
