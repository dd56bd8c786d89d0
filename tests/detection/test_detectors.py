"""The contract of every detector, and what is CenterFace's own."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_batch import detection
from fer_batch.detection.base import Detector
from fer_batch.detection.centerface import LETTERBOXES, letterbox
from fer_batch.errors import UsageError
from fer_batch.types import Box

FACE = Box(175, 60, 95, 120)
"""Where the astronaut's face is, by eye."""


@pytest.fixture(scope="module", params=sorted(detection.REGISTRY))
def detector(request: pytest.FixtureRequest) -> Detector:
    return detection.make(request.param)


@pytest.fixture(scope="module")
def image(astronaut) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(astronaut)), cv2.COLOR_BGR2RGB)


def test_it_finds_the_face_where_it_is(detector: Detector, image: np.ndarray) -> None:
    found = detector.detect(image, 0.5)
    assert len(found) == 1
    assert found[0].box.overlap(FACE) > 0.6
    assert 0.5 <= found[0].confidence <= 1
    for x, y in found[0].landmarks:
        assert FACE.x < x < FACE.x + FACE.width
        assert FACE.y < y < FACE.y + FACE.height


@pytest.mark.parametrize("scale", [0.5, 2, 3.3])
def test_boxes_are_in_the_pixels_of_the_image(detector: Detector, image: np.ndarray, scale: float) -> None:
    larger = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = detector.detect(larger, 0.5)[0].scaled(1 / scale, 1 / scale)
    assert found.box.overlap(FACE) > 0.6


def test_it_remembers_nothing(detector: Detector, image: np.ndarray) -> None:
    first = detector.detect(image, 0.3)
    detector.detect(image[::-1, :200].copy(), 0.3)
    assert detector.detect(image, 0.3) == first


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3000, 5), (33, 31)])
def test_it_bears_any_shape_and_finds_nothing_in_grey(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.full((*shape, 3), 127, np.uint8), 0.5) == []


def test_two_faces_come_by_falling_confidence(detector: Detector, image: np.ndarray) -> None:
    found = detector.detect(np.concatenate([image, image[:, ::-1]], axis=1), 0.3)
    assert len(found) == 2
    assert found[0].confidence >= found[1].confidence


def test_its_facts_are_json(detector: Detector) -> None:
    import json

    assert json.loads(json.dumps(detector.facts))["name"] in detection.REGISTRY


def test_a_detector_from_elsewhere_is_named_by_its_module_and_factory() -> None:
    detector = detection.make("tests.helpers.odd_detectors:Blind")
    assert detector.facts == {"name": "blind"}
    assert detector.detect(np.zeros((9, 9, 3), np.uint8), 0.5) == []


def test_an_unknown_detector_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no detector haar; there is centerface"):
        detection.make("haar")


@given(st.integers(1, 6000), st.integers(1, 6000))
def test_the_letterbox_shrinks_the_image_as_little_as_any(height: int, width: int) -> None:
    rows, columns = letterbox(height, width)
    assert rows % 32 == columns % 32 == 0

    def scale(box: tuple[int, int]) -> float:
        return min(1, max(box) / max(height, width), min(box) / min(height, width))

    assert (rows >= columns) == (height > width) or rows == columns
    assert scale((rows, columns)) == max(map(scale, LETTERBOXES))
