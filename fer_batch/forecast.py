"""What a run would take, without running it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from fer_batch import detectors, films, looking, sources
from fer_batch.detectors import Detector
from fer_batch.errors import MediaError, NothingUsable
from fer_batch.filmindex import FilmIndex, read_index
from fer_batch.options import Options
from fer_batch.sampling import Sampling
from fer_batch.types import Kind, Skipped, Source

SPARSE_FPS = 5.0
"""The sampling whose cost is told beside the one asked for."""

TRIALS = 5
"""Looks whose mean time is taken for that of every look."""

BYTES_PER_FRAME = 370
"""On disk, for one face a frame: a row of the timeline and one of a chunk file. Measured on the demo's film."""


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


def forecast(paths: Iterable[str | Path], options: Options) -> Forecast:
    """Read the films' indexes and time a few looks at an empty picture on this machine.

    Raises:
        UsageError: a path does not exist.
        NothingUsable: there is no photograph and no film.
    """
    inputs = [Path(path) for path in paths]
    found = sources.walk(inputs, recursive=options.recursive)
    if not found.sources and not found.skipped:
        raise NothingUsable("There is no photograph and no film there.")
    indexes, skipped = _indexes([one for one in found.sources if one.kind is Kind.VIDEO])
    photographs = sum(len(one.files) for one in found.sources if one.kind is Kind.PHOTOS)
    detector = detectors.make(detectors.DEFAULT)
    film_look = _seconds_per_look(detector, Kind.VIDEO) if indexes else 0.0
    photograph_look = _seconds_per_look(detector, Kind.PHOTOS) if photographs else 0.0

    def cost(fps: float | None) -> Cost:
        sampling = Sampling(fps, options.start, options.end)
        frames = sum(_frames(source, index, sampling) for source, index in indexes.items())
        seconds = frames * film_look + photographs * photograph_look
        return Cost(frames + photographs, seconds, (frames + photographs) * BYTES_PER_FRAME)

    return Forecast(
        films=len(indexes),
        photographs=photographs,
        film_seconds=sum(float(index.clock.seconds(index.end_stamp)) for index in indexes.values()),
        asked=cost(options.fps),
        sparse=cost(min(SPARSE_FPS, options.fps or SPARSE_FPS)),
        skipped=(*found.skipped, *skipped),
    )


def _indexes(sources_: Sequence[Source]) -> tuple[dict[Source, FilmIndex], list[Skipped]]:
    indexes: dict[Source, FilmIndex] = {}
    skipped = []
    for source in sources_:
        try:
            indexes[source] = read_index(source.files[0])
        except MediaError as error:
            skipped.append(Skipped(source.name, str(error)))
    return indexes, skipped


def _frames(source: Source, index: FilmIndex, sampling: Sampling) -> int:
    chunks = films.plan(source, index, sampling, films.trust(index))
    return sum((chunk.frames or 0) if chunk.moments is None else len(chunk.moments) for chunk in chunks)


def _seconds_per_look(detector: Detector, kind: Kind) -> float:
    side = looking.longest_side(kind)
    picture = np.zeros((side * 3 // 4, side, 3), np.uint8)
    detector.detect(picture, 0.5)  # the first look compiles the net
    began = perf_counter()
    for _ in range(TRIALS):
        detector.detect(picture, 0.5)
    return (perf_counter() - began) / TRIALS
