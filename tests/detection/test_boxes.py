"""A face has one box, however it was found: in close-ups, frames searched whole and squares give the same crop."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from fer_batch import detection
from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection import centerface
from fer_batch.detection.crop import CROP_SCALE, CROP_SIDE
from fer_batch.detection.scan import scan_chunk
from fer_batch.emotions import in_view
from fer_batch.media import sources
from fer_batch.media.sampling import Sampling
from fer_batch.media.video import reader
from fer_batch.media.video.index import read_index
from fer_batch.types import ScannedFrames
from tests.helpers.cast import LFW
from tests.helpers.media import write_video

SIDE, FPS = 512, 25


def portraits() -> list[np.ndarray]:
    """Faces that are 110 pixels high, in the middle of (140, 140, 3) uint8."""
    rows = (skimage.data.lfw_subset()[list(LFW[:3])] * 255).astype(np.uint8)
    grey = [cv2.resize(row, (140, 140), interpolation=cv2.INTER_CUBIC) for row in rows]
    astronaut = skimage.data.astronaut()[30:170, 155:295]
    return [astronaut, *(np.repeat(one[:, :, np.newaxis], 3, axis=2) for one in grey)]


def close_up(path: Path, portrait: np.ndarray, height: float, frames: int, moving: float) -> Path:
    """A video of a face about ``height`` pixels high that moves slowly, if ``moving`` is 1, and grows and shrinks."""
    rng = np.random.default_rng(7)
    images = []
    for seconds in np.arange(frames) / FPS:
        zoom = height / 110 * np.exp(0.12 * moving * np.sin(2 * np.pi * seconds / 7))
        transform = cv2.getRotationMatrix2D((70, 70), 6 * moving * np.sin(2 * np.pi * seconds / 8.1 + 1), zoom)
        transform[:, 2] += SIDE / 2 - 70 + moving * 30 * np.sin(2 * np.pi * seconds / np.array([5, 6.3]))
        image = cv2.warpAffine(
            portrait, transform, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        images.append(np.clip(image + rng.normal(0, 3, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8))
    return write_video(path, range(frames), images, time_base=Fraction(1, FPS), options={"crf": "23"})


def scan(path: Path, detect_every: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Left, top, width and height of the surest face in each frame (N, 4), and its crop (N, 48, 48)."""
    source, index, detector = sources.walk([path]).sources[0], read_index(path), detection.make("centerface")
    boxes, crops = [], []
    for chunk in reader.plan(source, index, Sampling(), reader.read_mode(index)):
        for part in scan_chunk(chunk, detector, 0.3, detect_every):
            if isinstance(part, ScannedFrames):
                for frame in range(len(part.times)):
                    own = np.flatnonzero(part.owners == frame)
                    best = own[part.faces[own, 0].argmax()]
                    boxes.append(part.faces[best, 1:5])
                    crops.append(part.crops[best])
    return np.array(boxes), np.array(crops)


def apart(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,): by how many pixels of the crop boxes differ, in height or in the place of the centre."""
    centres, other_centres = (one[:, :2] + one[:, 2:] / 2 for one in (boxes, others))
    shift = np.abs(centres - other_centres).max(axis=1)
    size = CROP_SCALE * others[:, 3]
    difference: np.ndarray = np.maximum(CROP_SCALE * np.abs(boxes[:, 3] - others[:, 3]), shift) / size * CROP_SIDE
    return difference


def test_whole_frames_and_squares_give_the_same_crop(tmp_path: Path) -> None:
    path = close_up(tmp_path / "astronaut.mp4", portraits()[0], 250, 40, moving=1)
    boxes, _ = scan(path, None)
    others, _ = scan(path, 1)
    assert np.percentile(apart(boxes, others), 99) <= 0.5
    steps = apart(boxes[1:], boxes[:-1])
    into_whole = steps[[12, 25]]  # half a second apart
    assert into_whole.max() <= max(1, np.percentile(steps, 95))


@pytest.mark.slow
def test_the_default_schedule_gives_the_shares_of_searching_every_frame_whole(tmp_path: Path) -> None:
    model = ModelFile(None).load(256, "openvino")
    changes = []
    for number, portrait in enumerate(portraits()):
        path = close_up(tmp_path / f"{number}.mp4", portrait, (250, 120)[number % 2], 150, moving=1)
        shares, others = (in_view(model.predict(scan(path, every)[1]), "combined") for every in (None, 1))
        assert np.abs(shares.mean(axis=0) - others.mean(axis=0)).max() <= 0.003
        changes.append(np.abs(shares - others))
    assert np.concatenate(changes).mean() <= 0.003
    assert np.percentile(np.concatenate(changes), 99) <= 0.05


@pytest.mark.slow
def test_a_still_face_has_no_line_at_two_hertz(tmp_path: Path) -> None:
    model = ModelFile(None).load(256, "openvino")
    for number, portrait in enumerate(portraits()):
        path = close_up(tmp_path / f"{number}.mp4", portrait, 250, 260, moving=0)
        shares = in_view(model.predict(scan(path, None)[1]), "combined")
        power = (np.abs(np.fft.rfft(shares - shares.mean(axis=0), axis=0)) ** 2).sum(axis=1)
        line = 260 // 13  # every thirteenth frame is searched whole
        near = np.r_[power[line - 8 : line - 1], power[line + 2 : line + 9]]
        assert power[line] <= 8 * np.median(near)


def test_the_cells_that_see_a_face_are_averaged_by_their_scores() -> None:
    heat, sizes, offsets = np.zeros((8, 8)), np.zeros((2, 8, 8)), np.zeros((2, 8, 8))
    landmarks = np.full((10, 8, 8), 0.5)
    heat[3, 3], heat[3, 4], heat[7, 0] = 0.9, 0.6, 0.5
    sizes[:, 3, 3], sizes[:, 3, 4], sizes[:, 7, 0] = np.log(16 / 4), np.log(18 / 4), np.log(2 / 4)
    face, other = centerface._faces(heat, sizes, offsets, landmarks, 0.3)
    assert face.confidence == pytest.approx(0.9)
    assert face.box.height == pytest.approx((0.9 * 16 + 0.6 * 18) / 1.5)
    assert face.box.x + face.box.width / 2 == pytest.approx((0.9 * 14 + 0.6 * 18) / 1.5)
    assert face.box.y + face.box.height / 2 == pytest.approx(14)
    assert face.landmarks[2] == pytest.approx(((0.9 * 14 + 0.6 * 18) / 1.5, 14))
    assert (other.box.height, other.confidence) == (pytest.approx(2), pytest.approx(0.5))
