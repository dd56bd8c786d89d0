"""A folder of photos that are the frames of one video (``--as-video``): the frames' times, from their order and a rate.

The photos follow each other in the natural order of their names, evenly spaced.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from fer_batch.media.sampling import Clock, Sampling, frame_times
from fer_batch.media.sources import legible_name
from fer_batch.media.video.header import VideoHeader
from fer_batch.types import Chunk, FrameTime, Source

FRAMES_PER_CHUNK = 256
"""At 25 frames a second about ten seconds, as chunks of videos are."""

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


def plan(source: Source, sampling: Sampling) -> list[Chunk]:
    """The sampled frames, FRAMES_PER_CHUNK in each chunk."""
    times = _times(source, sampling)
    chunks = []
    for index, at in enumerate(range(0, len(times), FRAMES_PER_CHUNK)):
        part = times[at : at + FRAMES_PER_CHUNK]
        files = tuple(source.files[time.number] for time in part)
        chunks.append(Chunk(replace(source, files=files), index, tuple(part)))
    return chunks


def header(source: Source, samplings: Sequence[Sampling]) -> VideoHeader:
    """Length and number of sampled frames."""
    counts = tuple(len(_times(source, sampling)) for sampling in samplings)
    return VideoHeader(("frames",), float(len(source.files) / _rate(source)), counts)


def notes(source: Source) -> Iterator[str]:
    """A sentence if numbers in the files' names say that frames are missing or not evenly spaced."""
    numbered = [(file, int(match[0])) for file in source.files if (match := _LAST_NUMBER.search(file.stem))]
    steps = [(later - earlier, file, next_file) for (file, earlier), (next_file, later) in pairwise(numbered)]
    uneven = next((files for step, *files in steps if step != steps[0][0]), None)
    if uneven is not None:
        first, second = (legible_name(Path(file)) for file in uneven)
        yield (
            f"Its frames are timed by their order, {source.fps:g} a second, but the numbers in their names do not rise "
            f"evenly, first from {first} to {second}. If frames are missing there, later times are too early."
        )


def _times(source: Source, sampling: Sampling) -> list[FrameTime]:
    numbers, clock = np.arange(len(source.files)), Clock(1 / _rate(source), Fraction(0))
    times = frame_times(source.name, numbers, numbers + 1, clock, sampling)
    return [replace(time, file=legible_name(source.files[time.number]), pts=None) for time in times]


def _rate(source: Source) -> Fraction:
    """Frames per second as the user wrote them: 0.1 is one tenth."""
    return Fraction(str(source.fps))
