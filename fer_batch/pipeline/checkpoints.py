"""The results of finished chunks on disk: one file a chunk, whose key is made from everything that decides its content.

A chunk file holds raw facts: the scene of every decoded frame, and of the sampled ones every detection down to a low
score, its landmarks and clarity, and both views of the classifier. Tables are made from chunk files, so that another
view, a higher threshold or another way to find cuts and track faces opens no media again.

A key is made from content and options alone. Names, and a photo's rank in its folder, are not in chunk files: they are
given when a source is read, so that what was renamed, moved or joined by others is not scanned again.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

# Arrow's own memory pool keeps what is freed: 15 MB more after an hour of video.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
import pyarrow as pa
import pyarrow.parquet as pq

from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import MediaError
from fer_batch.media.frame import SCENE_SIDE
from fer_batch.media.sources import legible_name
from fer_batch.output.files import replacing_path
from fer_batch.output.plain_values import from_plain
from fer_batch.output.software import Software
from fer_batch.pipeline.contents import Content
from fer_batch.types import (
    Chunk,
    Detection,
    FrameFaces,
    FrameTime,
    Kind,
    ScannedFrames,
    Scenes,
    Severity,
    Skipped,
    Source,
)

VERSION = 10
"""To be raised whenever the content or meaning of chunk files changes: older files are then made again."""

FRAME_TIME_COLUMNS = ("file", "number", "seconds", "duration", "pts", "damaged")
FACE_COLUMNS = (
    *("confidence", "x", "y", "width", "height"),
    *(f"landmark{point}_{axis}" for point in range(5) for axis in "xy"),
    *("brightness", "contrast", "sharpness", "clipped"),
)
"""The numbers of :meth:`Detection.as_row`."""
SHARE_COLUMNS = tuple(f"{view}_{emotion}" for view in VIEWS for emotion in EMOTIONS)

CHUNKS_IN_MEMORY = 64
"""Chunk files that are kept while a folder is read: renamed photos lie in other ones than their neighbours."""

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Record:
    """What a finished source consists of."""

    chunks: tuple[str, ...]
    """Keys of a video's chunk files in order; for photos, of the one that holds each photo, "" if none does."""
    facts: dict[str, Any]
    skipped: tuple[Skipped, ...]
    """What is wrong with the source as a whole; lines about a chunk are in its file."""
    contents: tuple[Content, ...] = ()
    """Of the source's files. Not written down."""


class Checkpoints:
    """The chunk files of one output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has_chunks(self) -> bool:
        """Whether there is any chunk file."""
        return next(self.folder.glob("chunk-*.parquet"), None) is not None

    def has_chunk(self, key: str) -> bool:
        """Whether a finished chunk file of that key is there, whole to its last byte."""
        try:
            pq.read_metadata(self._chunk_path(key))  # stored at the file's end
        except (OSError, pa.ArrowException):
            return False
        return True

    def write_chunk(
        self,
        key: str,
        parts: Sequence[ScannedFrames],
        skipped: Sequence[Skipped],
        photos: Sequence[str] = (),
        software: Software | None = None,
    ) -> None:
        """Write the parts of a chunk, in order, and the lines about what could not be read.

        ``photos`` are the digests of the photos in it, readable or not: :meth:`photos` finds them. ``software`` is what
        computed it; without, that of this process.

        Raises:
            OutputError: it cannot be written.
        """
        counts = np.concatenate([_NONE, *(np.bincount(part.owners, minlength=len(part.times)) for part in parts)])
        rows = np.repeat(np.arange(len(counts)), np.maximum(counts, 1))  # a frame without a face has one row
        has_face = np.repeat(counts > 0, np.maximum(counts, 1))
        faces = np.full((len(rows), len(FACE_COLUMNS)), np.nan)
        shares = np.full((len(rows), len(SHARE_COLUMNS)), np.nan, np.float32)
        if counts.any():
            faces[has_face] = np.concatenate([part.faces for part in parts])
            known = [part.shares.reshape(-1, len(SHARE_COLUMNS)) for part in parts if part.shares is not None]
            shares[has_face] = np.concatenate(known)
        frames = [time for part in parts for time in part.times]
        sizes = np.concatenate([np.empty((0, 2), np.int64), *(part.sizes for part in parts)])[rows]
        sampled = np.concatenate([np.empty(0, bool), *(part.sampled for part in parts)])[rows]
        scenes = [scene.tobytes() for part in parts for scene in part.scenes]
        times = [frames[row] for row in rows]
        columns: dict[str, Any] = {
            "file": pa.array([time.file for time in times], pa.string()),
            "number": pa.array([time.number for time in times], pa.int64()),
            "seconds": pa.array([time.seconds for time in times], pa.float64()),
            "duration": pa.array([time.duration for time in times], pa.float64()),
            "pts": pa.array([time.pts for time in times], pa.int64()),
            "damaged": pa.array([time.damaged for time in times], pa.bool_()),
            "frame_width": pa.array(sizes[:, 0]),
            "frame_height": pa.array(sizes[:, 1]),
            "scene": pa.array([scenes[row] for row in rows], pa.binary(SCENE_SIDE**2)),
            "sampled": pa.array(sampled),
            "has_face": pa.array(has_face),
        }
        columns |= {name: pa.array(faces[:, column]) for column, name in enumerate(FACE_COLUMNS)}
        columns |= {name: pa.array(shares[:, column]) for column, name in enumerate(SHARE_COLUMNS)}
        lines = json.dumps([asdict(line) for line in skipped])
        made_by = json.dumps(asdict(software or Software.here()))
        facts = {"skipped": lines, "photos": json.dumps(list(photos)), "software": made_by}
        table = pa.table(columns).replace_schema_metadata(facts)
        with self._replacing(self._chunk_path(key)) as part:
            pq.write_table(table, part, write_page_checksum=True)

    def read_chunk(self, key: str) -> tuple[list[FrameFaces], tuple[Skipped, ...]]:
        """The sampled frames of a chunk in order, and the lines about what could not be read.

        Raises:
            MediaError: the file is damaged; it is removed, so that the next run scans the chunk again.
        """
        table = self._read_table(key)
        table = table.filter(table["sampled"])
        skipped = _skipped(json.loads(table.schema.metadata[b"skipped"]))
        numbers = table["number"].to_numpy()
        begins = _first_rows(numbers)
        ends = np.append(begins, len(numbers))[1:]
        faces = np.stack([table[name].to_numpy() for name in FACE_COLUMNS], axis=1)
        shares = np.stack([table[name].to_numpy() for name in SHARE_COLUMNS], axis=1)
        has_face = table["has_face"].to_numpy()
        firsts = table.select([*FRAME_TIME_COLUMNS, "frame_width", "frame_height", "scene"]).take(pa.array(begins))
        sizes = zip(firsts["frame_width"].to_pylist(), firsts["frame_height"].to_pylist(), strict=True)
        scenes = np.frombuffer(b"".join(firsts["scene"].to_pylist()), np.uint8).reshape(-1, SCENE_SIDE, SCENE_SIDE)
        places = firsts.select(FRAME_TIME_COLUMNS).to_pylist()
        frames = []
        for place, size, scene, begin, end in zip(places, sizes, scenes, begins, ends, strict=True):
            rows = range(begin, end) if has_face[begin] else range(0)
            frames.append(
                FrameFaces(
                    FrameTime(**place),
                    size,
                    scene,
                    tuple(Detection.from_row(faces[row].tolist()) for row in rows),
                    shares[rows.start : rows.stop].reshape(-1, len(VIEWS), len(EMOTIONS)),
                )
            )
        return frames, skipped

    def photos(self, recipe: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """The key of every chunk file of photos that were scanned by this recipe, with the digests of the photos."""
        for path in sorted(self.folder.glob(f"chunk-{_photos_prefix(recipe)}*.parquet")):
            try:
                digests = json.loads(pq.read_metadata(path).metadata[b"photos"])
            except (OSError, pa.ArrowException, KeyError, TypeError):
                continue  # cut short: scanned again
            yield path.stem.removeprefix("chunk-"), digests

    def software(self, record: Record) -> list[Software]:
        """What computed the chunk files of a source; an earlier version of fer-batch has not written it down."""
        found = {}
        for key in dict.fromkeys(filter(None, record.chunks)):
            with suppress(OSError, pa.ArrowException, KeyError, TypeError):  # damaged: told where it is read
                text = pq.read_metadata(self._chunk_path(key)).metadata[b"software"]
                found[text] = from_plain(Software, json.loads(text))
        return list(found.values())

    def read(self, source: Source, record: Record) -> Iterator[FrameFaces | Skipped]:
        """A source's frames in order, and lines about what could not be read, under the names that it has now.

        Raises:
            MediaError: a chunk file is damaged; it is removed, so that the next run scans the chunk again.
        """
        if source.kind is Kind.VIDEO:
            for key in record.chunks:
                frames, skipped = self.read_chunk(key)
                for line in skipped:
                    _, _, rank = line.file.rpartition("/")  # of a photo that is a frame of the video
                    own = f"/{legible_name(source.files[int(rank)])}" if rank else ""
                    yield replace(line, file=source.name + own)
                for frame in frames:
                    name = legible_name(source.files[frame.time.number]) if source.in_photo_files else source.name
                    yield replace(frame, time=replace(frame.time, file=name))
            return
        read_chunk = lru_cache(CHUNKS_IN_MEMORY)(self._read_photos)
        for number, (file, key, content) in enumerate(zip(source.files, record.chunks, record.contents, strict=True)):
            for item in read_chunk(key).get(content.digest, ()) if key else ():
                name = legible_name(file)
                if isinstance(item, Skipped):
                    yield replace(item, file=f"{source.name}/{name}")
                else:
                    yield replace(item, time=replace(item.time, file=name, number=number))

    def _read_photos(self, key: str) -> dict[str, list[FrameFaces | Skipped]]:
        """What a chunk file holds of each photo, by its digest."""
        frames, skipped = self.read_chunk(key)
        found: dict[str, list[FrameFaces | Skipped]] = {}
        for line in skipped:
            found.setdefault(line.file.rpartition("/")[2], []).append(line)
        for frame in frames:
            found.setdefault(frame.time.file, []).append(frame)
        return found

    def read_scenes(self, key: str) -> Scenes:
        """The scenes of all decoded frames of a chunk.

        Raises:
            MediaError: as :meth:`read_chunk`.
        """
        table = self._read_table(key, ["number", "seconds", "scene"])
        table = table.take(pa.array(_first_rows(table["number"].to_numpy())))
        images = np.frombuffer(b"".join(table["scene"].to_pylist()), np.uint8)
        seconds = table["seconds"].to_numpy().astype(np.float64)  # None becomes NaN
        return Scenes(table["number"].to_numpy(), seconds, images.reshape(-1, SCENE_SIDE, SCENE_SIDE))

    def _read_table(self, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A chunk file, or only some of its columns."""
        path = self._chunk_path(key)
        try:
            return pq.read_table(path, columns=columns, page_checksum_verification=True)
        except (OSError, pa.ArrowException) as error:
            path.unlink(missing_ok=True)
            raise MediaError(f"A file in {self.folder.name} was damaged and is removed: run again.") from error

    def remember(self, key: str, record: Record) -> None:
        """Write down that a video is finished, and of which chunks it consists.

        Raises:
            OutputError: it cannot be written.
        """
        text = json.dumps({name: value for name, value in asdict(record).items() if name != "contents"})
        with self._replacing(self._record_path(key)) as part:
            part.write_text(text, encoding="utf-8")

    def recall(self, key: str) -> Record | None:
        """The record of a finished video, if it and all its chunk files are there."""
        try:
            record = json.loads(self._record_path(key).read_text(encoding="utf-8"))
            found = Record(tuple(record["chunks"]), record["facts"], _skipped(record["skipped"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if all(map(self.has_chunk, found.chunks)) else None

    def _replacing(self, path: Path) -> AbstractContextManager[Path]:
        """A path to write a file to, which takes ``path``'s place when it is whole."""
        return replacing_path(path, advice="Free some space and run again.")

    def _chunk_path(self, key: str) -> Path:
        return self.folder / f"chunk-{key}.parquet"

    def _record_path(self, key: str) -> Path:
        return self.folder / f"source-{key}.json"


def _skipped(lines: Sequence[Mapping[str, str]]) -> tuple[Skipped, ...]:
    """Lines of errors.csv as JSON holds them."""
    return tuple(Skipped(line["file"], line["reason"], Severity(line["severity"])) for line in lines)


def _first_rows(numbers: np.ndarray) -> np.ndarray:
    """Where each frame's rows begin, in a column of frame numbers."""
    begins: np.ndarray = np.flatnonzero(np.diff(numbers, prepend=-1))
    return begins


def source_key(content: str, recipe: Mapping[str, Any]) -> str:
    """Key of a video: its content, and everything that decides what a scan of it gives."""
    return _digest({"version": VERSION, "content": content, "recipe": recipe})


def chunk_key(chunk: Chunk, contents: Sequence[str], recipe: Mapping[str, Any]) -> str:
    """Key of a chunk, of whose files ``contents`` are the digests."""
    if chunk.source.kind is Kind.PHOTOS:
        return _photos_prefix(recipe) + _digest({"contents": list(contents)})
    return _digest(
        {
            "version": VERSION,
            "contents": list(contents),
            "recipe": recipe,
            "times": None if chunk.times is None else _digest_each(chunk.times),
            "span": [chunk.start, chunk.stop],
            "decoded": None if chunk.decoded is None else len(chunk.decoded),
        }
    )


def _photos_prefix(recipe: Mapping[str, Any]) -> str:
    """The beginning of the key of every chunk of photos that was scanned by a recipe."""
    return f"photos-{_digest({'version': VERSION, 'recipe': recipe})[:12]}-"


def _digest_each(times: Sequence[FrameTime]) -> str:
    """Digest of frame times, one by one: a text with those of a whole video would take more memory than all else."""
    digest = hashlib.sha256()
    for time in times:
        digest.update(f"{time.number} {time.seconds} {time.duration} {time.pts}\n".encode())
    return digest.hexdigest()


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
