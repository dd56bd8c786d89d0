"""How long the parts of an analysis take alone, each done by its library and without fer-batch's own code."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import av
import numpy as np
import simplejpeg

from fer_batch import detection
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.classifiers.openvino import SUFFIXES
from fer_batch.detection import crop
from fer_batch.detection.base import Detector
from fer_batch.detection.centerface import CenterFace, letterbox
from fer_batch.detection.scan import scan_chunk
from fer_batch.media import jpeg, photos, sources
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.openvino_net import import_openvino
from fer_batch.options import OPENVINO
from fer_batch.types import Chunk, Detection, Kind, ScannedFrames

BATCH = 64
"""Faces in one call of the model."""
SECONDS = 1.5
"""How long each part is repeated; the mean counts, since the time of a whole run is a sum."""


@dataclass(frozen=True)
class Parts:
    """Milliseconds of one core for each frame or photo."""

    decoding: float
    detecting: float
    classifying: float

    @property
    def total(self) -> float:
        """The sum of the three."""
        return self.decoding + self.detecting + self.classifying

    @classmethod
    def mean(cls, several: Iterable["Parts"]) -> "Parts":
        """The mean of several measurements."""
        return cls(*np.mean([astuple(parts) for parts in several], axis=0).tolist())


class _ShapeCounter:
    """A detector that counts how often it uses its net in each shape."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.shapes: Counter[tuple[int, int]] = Counter()

    @property
    def facts(self) -> dict[str, Any]:
        return self._detector.facts

    def detect(self, image: np.ndarray, min_confidence: float) -> list[Detection]:
        self.shapes[letterbox(*image.shape[:2])] += 1
        return self._detector.detect(image, min_confidence)


def measure(path: Path, processes: int) -> Parts:
    """The parts of a video, or of a folder of JPEG photos, while so many processes measure them, each on one core."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return Parts.mean(pool.map(_measure, [path] * processes))


def _measure(path: Path) -> Parts:
    source = sources.walk([path]).sources[0]
    if source.kind is Kind.VIDEO:
        index = read_index(source.files[0])
        chunks, decoding = reader.plan(source, index, Sampling(), reader.read_mode(index)), _decoding(path)
    else:
        chunks, decoding = photos.plan(source), 0.0
    with _counting_jpegs() as sizes:
        frames, faces, shapes = _scan(chunks[0])
    decoding += sum(count * _jpeg(source.files[0], size) for size, count in sizes.items()) / frames
    detecting = sum(count * _net(shape) for shape, count in shapes.items()) / frames
    return Parts(decoding, detecting, faces * _cnn() / frames)


def _scan(chunk: Chunk) -> tuple[int, int, Counter[tuple[int, int]]]:
    """Numbers of frames and of faces, and how often the detector's net is used in each shape."""
    detector = _ShapeCounter(detection.make(detection.DEFAULT))
    parts = [part for part in scan_chunk(chunk, detector, 0.3, None) if isinstance(part, ScannedFrames)]
    return sum(part.sampled_frames for part in parts), sum(len(part.crops) for part in parts), detector.shapes


def _decoding(path: Path) -> float:
    """PyAV alone, without converting frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        began = perf_counter()
        frames = sum(1 for _ in container.decode(stream))
        return 1000 * (perf_counter() - began) / frames


@contextmanager
def _counting_jpegs() -> Iterator[Counter[tuple[int, int]]]:
    """How often JPEGs are decoded to at least each width and height: again, larger, where a face is small."""
    sizes: Counter[tuple[int, int]] = Counter()
    decode = jpeg.decode

    def counted(data: bytes, mode: str, width: int, height: int) -> Any:
        sizes[width, height] += 1
        return decode(data, mode, width, height)

    with patch.object(jpeg, "decode", counted):
        yield sizes


def _jpeg(path: Path, size: tuple[int, int]) -> float:
    """Reading a file and decoding it, by simplejpeg alone."""
    width, height = size
    return _mean(lambda: simplejpeg.decode_jpeg(path.read_bytes(), min_width=width, min_height=height, strict=True))


def _net(shape: tuple[int, int]) -> float:
    """OpenVINO alone: the detector's net for an image of this shape (height, width)."""
    detector = CenterFace()
    core = import_openvino().Core()
    model = core.read_model(model=detector.weights)
    model.reshape([1, 3, *shape])
    compiled = _compiled(core, model, detector.facts["precision"])
    frame_image = np.random.default_rng(0).uniform(0, 255, (1, 3, *shape)).astype(np.float32)
    return _mean(lambda: compiled(frame_image))


def _cnn() -> float:
    """OpenVINO alone: the shipped model, for one face of a batch."""
    core = import_openvino().Core()
    file = ModelFile()
    model = core.read_model(file.path.with_suffix(SUFFIXES[file.precision(OPENVINO).name]))
    model.reshape([BATCH, crop.CROP_SIDE, crop.CROP_SIDE])
    compiled = _compiled(core, model, "f32")
    crops = np.random.default_rng(0).uniform(0, 255, (BATCH, crop.CROP_SIDE, crop.CROP_SIDE)).astype(np.float32)
    return _mean(lambda: compiled(crops)) / BATCH


def _compiled(core: Any, model: Any, precision: str) -> Any:
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    return core.compile_model(model, "CPU", settings)


def _mean(call: Callable[[], object]) -> float:
    """Milliseconds that a call takes, without the first one."""
    call()
    calls, began = 0, perf_counter()
    while (took := perf_counter() - began) < SECONDS:
        call()
        calls += 1
    return 1000 * took / calls
