"""What a run would take, without running it: videos' headers are read, and a little of some media is scanned."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from time import monotonic

from fer_batch.annotations.load import Annotations
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.errors import NothingUsable, UsageError
from fer_batch.media import remote, sources
from fer_batch.media.sampling import Sampling
from fer_batch.media.shards import divide
from fer_batch.media.video.header import VideoHeader
from fer_batch.natural_order import natural
from fer_batch.options import Options
from fer_batch.pipeline import executors, smallest_face
from fer_batch.pipeline.executors.base import Done, Executor, Failed
from fer_batch.pipeline.unknown_files import kinds_of
from fer_batch.pipeline.worker import ReadHeader, TimeTrial, TrialResult, WorkerSetup
from fer_batch.types import Kind, Skipped, Source

SPARSE_FPS = 5.0
"""The cost at this sampling is told beside the cost of what was asked for."""

TRIED_KINDS = 6
"""Kinds of video (codec and size) of which some are tried; the others are assumed to take as long as those."""

TRIAL_SECONDS = 0.2, 2.0
"""How long each kind is scanned, at least and at most, in every worker at the same time."""

FORECAST_PART = 0.1
"""A forecast takes at most this part of the run. Where even starting to try takes longer, nothing is tried."""

TRY_SECONDS = 3.0
"""To start workers, and to load and compile networks in them, before anything can be tried: measured on two busy cores,
with a video of 640x480."""

USUAL_SECONDS = {"frame": 0.004, "pixel": 2e-9, "photo": 0.07}
"""Of one core of an AMD EPYC, for a frame of a video, for each pixel of it, and for a photo: what is expected of a run
before anything is tried."""

BYTES_PER_ROW = 450
"""On disk, for one face in one frame: a row of the timeline, one of a chunk file, and its part of a page. Measured on
three videos of a minute."""

START_SECONDS = 3.0
"""To start the program and to write a report without data. Measured on an AMD EPYC, as is the next constant."""

SECONDS_PER_ROW = 0.0005
"""To track, write and chart a face in a frame, in the main process."""


@dataclass(frozen=True)
class Cost:
    """What one way of sampling would take."""

    frames: int
    """Video frames and photos to scan."""
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
    """Length of all the videos."""
    asked: Cost
    sparse: Cost
    """The same at SPARSE_FPS."""
    tried: bool
    """Whether media were scanned to see how long they take here; else that is assumed, and ``sparse`` takes as long."""
    skipped: tuple[Skipped, ...]
    """What could not be read at all."""
    smallest_face: int | None = None
    """Height in pixels below which most faces are missed in the largest frames of videos and of photos that were tried;
    None: there are none to search."""
    largest_frame: tuple[int, int] = (0, 0)
    """Width and height of these frames."""


@dataclass(frozen=True)
class _Rate:
    """What a frame of some kind of media takes."""

    seconds: float
    """Of one worker, while all are working."""
    rows: float
    """In the tables."""


_MediaKind = tuple[object, ...]
"""Facts that media which take equally long have in common: :attr:`VideoHeader.video_type`, or PHOTOS."""

PHOTOS: _MediaKind = ("photos",)
"""All photos are of one kind."""


def forecast(paths: Iterable[str | Path], options: Options) -> Forecast:
    """Read the videos' headers, and scan a little of some videos and photos, on this machine.

    For large videos, frames and lengths are those that their headers state.

    Raises:
        UsageError: a path does not exist or is a URL, or a file that the options name is wrong.
        NothingUsable: there is no photo and no video.
        ModelError, DetectorError: they cannot be used.
    """
    began = monotonic()
    inputs = [remote.parse(path) for path in paths]
    if any(map(remote.is_remote, inputs)):
        raise UsageError("--dry-run tries media on this machine only. Leave URLs out, or run without it.")
    found = sources.walk(
        inputs,
        recursive=options.recursive,
        follow_links=options.follow_links,
        as_video=options.as_video,
        probe=lambda unknown: kinds_of(unknown, options.workers),
    )
    if found.is_nothing:
        raise NothingUsable("There is no photo and no video there.")
    Annotations.read(options, found)  # so that mistakes in those files are reported now
    if options.shard is not None:
        number, of = options.shard
        found = replace(found, sources=divide(found.sources, of).shards[number - 1])
    folders = [source for source in found.sources if source.kind is Kind.PHOTOS]
    photos = sum(len(folder.files) for folder in folders)
    rates = options.fps, min(SPARSE_FPS, options.fps or SPARSE_FPS)
    samplings = tuple(Sampling(fps, options.start, options.end) for fps in dict.fromkeys(rates))
    workers = executors.cores() if options.workers is None else max(1, options.workers)
    with executors.make(WorkerSetup.of(options, ModelFile(options.model)), options.workers) as executor:
        tasks = [ReadHeader(source, samplings) for source in found.sources if source.kind is Kind.VIDEO]
        headers, skipped = _read_headers(executor, tasks)
        kinds: dict[_MediaKind, list[Source]] = defaultdict(list)
        for source, header in headers.items():
            kinds[header.video_type].append(source)
        costs = []
        tried: list[bool] = []
        sizes = {(source, header.size) for source, header in headers.items() if header.size and header.frames[0]}
        deadline = began - START_SECONDS / 2
        for index, sampling in enumerate(samplings):
            media = {
                kind: [video for video in videos if headers[video].frames[index]] for kind, videos in kinds.items()
            }
            frames = {kind: sum(headers[video].frames[index] for video in videos) for kind, videos in media.items()}
            media[PHOTOS], frames[PHOTOS] = folders, photos
            frames = {kind: count for kind, count in frames.items() if count}
            usual = {kind: _usual(kind) for kind in frames}
            if not index:
                deadline += FORECAST_PART * _cost(frames, usual, workers).seconds
            left = deadline - monotonic() - TRY_SECONDS * (not any(tried))
            trials = _trials(executor, media, frames, sampling, workers, left / (len(samplings) - index))
            costs.append(_cost(frames, usual | _rates(trials, frames), workers))
            tried.append(any(trials.values()))
            sizes |= {(source, result.size) for those in trials.values() for source, result in those}
    asked, sparse = costs[0], costs[-1]
    # Fewer frames never take longer: where trials say so, it is by chance.
    sparse = replace(sparse, seconds=min(sparse.seconds, asked.seconds) if tried[-1] else asked.seconds)
    limits = ((smallest_face.height(source, size, options), size) for source, size in sizes)
    limit, size = max(((height, size) for height, size in limits if height is not None), default=(None, (0, 0)))
    return Forecast(
        videos=len(headers),
        photos=photos,
        video_seconds=sum(header.seconds for header in headers.values()),
        asked=asked,
        sparse=sparse,
        tried=tried[0],
        skipped=(*found.skipped, *skipped),
        smallest_face=limit,
        largest_frame=size,
    )


def _read_headers(executor: Executor, tasks: Sequence[ReadHeader]) -> tuple[dict[Source, VideoHeader], list[Skipped]]:
    """The header of every video, in their order, and why others cannot be read."""
    found: dict[str, VideoHeader] = {}
    skipped = []
    for event in executor.run(_each(tasks)):
        if isinstance(event, Done):
            found[event.task.source.name] = event.result
        elif isinstance(event, Failed):
            skipped.append(Skipped(event.task.source.name, str(event.error)))
    headers = {task.source: found[task.source.name] for task in tasks if task.source.name in found}
    return headers, sorted(skipped, key=lambda line: natural(line.file))


def _trials(
    executor: Executor,
    media: dict[_MediaKind, list[Source]],
    frames: dict[_MediaKind, int],
    sampling: Sampling,
    workers: int,
    left: float,
) -> dict[_MediaKind, list[tuple[Source, TrialResult]]]:
    """Some sources of the kinds that have most frames, each scanned for a while, in the seconds that are left."""
    least, most = TRIAL_SECONDS
    tried = sorted(frames, key=lambda kind: -frames[kind])[: min(TRIED_KINDS, max(0, int(left / least)))]
    results: dict[_MediaKind, list[tuple[Source, TrialResult]]] = {kind: [] for kind in tried}
    until = monotonic() + left
    for number, kind in enumerate(tried):
        seconds = min(most, (until - monotonic()) / (len(tried) - number))
        if number and seconds < least:
            break
        positions = [(2 * worker + 1) / (2 * workers) for worker in range(workers)]
        chosen = [media[kind][int(len(media[kind]) * position)] for position in positions]
        trials = [
            TimeTrial(source, sampling, position, seconds) for source, position in zip(chosen, positions, strict=True)
        ]
        for event in executor.run(_each(trials)):
            if isinstance(event, Done) and event.result.frames:
                results[kind].append((event.task.source, event.result))
    return results


def _rates(
    trials: dict[_MediaKind, list[tuple[Source, TrialResult]]], frames: dict[_MediaKind, int]
) -> dict[_MediaKind, _Rate]:
    """What a frame of each kind takes; kinds with few frames are assumed to be like those that are tried, if any is."""
    results = {kind: [result for _, result in found] for kind, found in trials.items() if found}
    if not results:
        return {}
    rates = {kind: _rate(found) for kind, found in results.items()}
    others = _rate([result for found in results.values() for result in found])
    return {kind: rates.get(kind, others) for kind in frames}


def _usual(kind: _MediaKind) -> _Rate:
    """What a frame of a kind takes elsewhere, with one face."""
    if kind == PHOTOS:
        return _Rate(USUAL_SECONDS["photo"], 1.0)
    sides = VideoHeader(kind, 0.0, ()).size or (0, 0)
    return _Rate(USUAL_SECONDS["frame"] + USUAL_SECONDS["pixel"] * prod(sides), 1.0)


def _rate(results: Sequence[TrialResult]) -> _Rate:
    frames = sum(result.frames for result in results)
    if not frames:
        return _Rate(0.0, 1.0)
    faces = sum(result.faces for result in results)
    return _Rate(sum(result.seconds for result in results) / frames, max(1.0, faces / frames))


def _cost(frames: dict[_MediaKind, int], rates: dict[_MediaKind, _Rate], workers: int) -> Cost:
    rows = sum(count * rates[kind].rows for kind, count in frames.items())
    scanning = sum(count * rates[kind].seconds for kind, count in frames.items()) / workers
    return Cost(sum(frames.values()), START_SECONDS + scanning + rows * SECONDS_PER_ROW, round(rows * BYTES_PER_ROW))


def _each(tasks: Iterable[object]) -> Callable[[], object]:
    waiting = deque(tasks)
    return lambda: waiting.popleft() if waiting else None
