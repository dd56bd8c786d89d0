"""Make sure that all of a source has been seen: recall the chunks that are on disk, see and classify the others."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from fer_batch import detectors, faces, films, photographs, sight
from fer_batch.classifiers import Classifier, ModelFile
from fer_batch.detectors import Detector
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import FerBatchError
from fer_batch.filmindex import read_index
from fer_batch.options import Options
from fer_batch.sampling import Sampling
from fer_batch.types import Chunk, Kind, Outcome, Skipped, Source
from fer_batch.workfolder import Record, WorkFolder, chunk_key, content_digest, source_key

LOWEST_CONFIDENCE = 0.3
"""Chunk files hold every face down to this score, so that a higher threshold needs no second look."""


class Progress(Protocol):
    """Who wants to know how far a run is."""

    def begin(self, source: Source, frames: int) -> None:
        """A source's frames are about to be looked at, so many of them."""

    def advance(self, frames: int) -> None:
        """So many more have been looked at."""

    def end(self, source: Source, outcome: Outcome | None) -> None:
        """A source is finished; None: it was left out."""


class Eyes:
    """Detector, classifier and work folder of one run, each made when it is first needed.

    Args:
        options: how to analyse.
        work: the folder of chunk files.
        progress: who is told of every frame.
    """

    def __init__(self, options: Options, work: WorkFolder, progress: Progress) -> None:
        self.work = work
        self.model = ModelFile(options.model)
        self.detector: Detector = detectors.make(detectors.DEFAULT)
        self.counts: Counter[str] = Counter(chunks_seen=0, chunks_reused=0)
        self.seconds = {"seeing": 0.0, "classifying": 0.0}
        self._options = options
        self._progress = progress
        self._sampling = Sampling(options.fps, options.start, options.end)
        self._lowest_confidence = min(LOWEST_CONFIDENCE, options.min_confidence)
        self._recipe = {
            "detector": self.detector.facts,
            "lowest_confidence": self._lowest_confidence,
            "crop": [faces.SIDE, faces.CROP_SCALE],
            "model": self.model.sha256,
        }

    @cached_property
    def classifier(self) -> Classifier:
        """The model, loaded when the first face needs it."""
        return self.model.load(self._options.batch_size, self._options.runtime)

    @property
    def runtime(self) -> str | None:
        """What computes the emotions; None while no face has needed it."""
        return self.classifier.runtime if "classifier" in vars(self) else None

    def record(self, source: Source) -> Record:
        """What a source consists of, once all of it that can be seen has been.

        Raises:
            MediaError: the source cannot be read at all.
            ModelError, OutputError: the run cannot go on.
        """
        contents = [_content(file) for file in source.files]
        sampling = [self._options.fps, self._options.start, self._options.end]
        names = [file.name for file in source.files]
        key = source_key(source.name, [*names, *contents], self._recipe | {"sampling": sampling})
        known = None if self._options.restart else self.work.recall(key)
        if known is not None:
            self.counts["chunks_reused"] += len(known.chunks)
            return known
        see = self._photographs if source.kind is Kind.PHOTOS else self._film
        record, whole = see(source, contents)
        if whole:
            self.work.remember(key, record)
        return record

    def _photographs(self, source: Source, contents: Sequence[str]) -> tuple[Record, bool]:
        return self._see_all(photographs.plan(source), contents, {"photographs": len(source.files)}, ())

    def _film(self, source: Source, contents: Sequence[str]) -> tuple[Record, bool]:
        """See a film, with less trust in its index each time that it proves wrong."""
        index = read_index(source.files[0])
        skipped = (Skipped(source.name, index.damage, rows_kept=True),) if index.damage else ()
        trust = films.trust(index)
        while True:
            chunks = films.plan(source, index, self._sampling, trust)
            try:
                return self._see_all(chunks, contents, index.facts | {"read_by": trust.name.lower()}, skipped)
            except films.Misaligned:
                trust = films.Trust(trust - 1)

    def _see_all(
        self, chunks: Sequence[Chunk], contents: Sequence[str], facts: dict[str, Any], skipped: tuple[Skipped, ...]
    ) -> tuple[Record, bool]:
        """See the chunks that are missing; the second part is false if one failed and should be tried again."""
        keys = {chunk_key(chunk, contents, self._recipe): chunk for chunk in chunks}
        missing = {key for key in keys if self._options.restart or not self.work.has_chunk(key)}
        self.counts["chunks_reused"] += len(keys) - len(missing)
        if missing:
            self._progress.begin(chunks[0].source, sum(_frames(keys[key]) for key in missing))
        failed: dict[str, Skipped] = {}
        for key, chunk in keys.items():
            if key in missing:
                try:
                    self._see(chunk, key)
                except FerBatchError:
                    raise
                except Exception as error:  # whatever a library does to one chunk, the others must not suffer
                    failed[key] = Skipped(chunk.source.name, f"{_stretch(chunk)} {unexpected(error)}", len(keys) > 1)
        done = tuple(key for key in keys if key not in failed)
        return Record(done, facts, (*skipped, *failed.values())), not failed

    def _see(self, chunk: Chunk, key: str) -> None:
        began = perf_counter()
        seen = sight.see(chunk, self.detector, self._lowest_confidence, self._progress.advance)
        between = perf_counter()
        shares = np.empty((0, len(VIEWS), len(EMOTIONS)), np.float32)
        if len(seen.crops):
            shares = self.classifier.predict(seen.crops)
        self.seconds["seeing"] += between - began
        self.seconds["classifying"] += perf_counter() - between
        self.work.write_chunk(key, seen, shares)
        self.counts["chunks_seen"] += 1


def unexpected(error: Exception) -> str:
    """An error that nobody foresaw, in one line."""
    return f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}"


def _content(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:  # reading it will say so again, in its place
        return f"unreadable: {error.strerror}"


def _frames(chunk: Chunk) -> int:
    return (chunk.frames or 0) if chunk.moments is None else len(chunk.moments)


def _stretch(chunk: Chunk) -> str:
    if not chunk.moments:
        return "The film could not be looked at."
    first, last = chunk.moments[0], chunk.moments[-1]
    if first.seconds is None or last.seconds is None:
        return f"{first.file} to {last.file} could not be looked at."
    return f"{first.seconds:.3f} s to {last.seconds:.3f} s could not be looked at."
