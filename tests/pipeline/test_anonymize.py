"""Hidden faces, by the real detector: of people who come, go, cross, turn away and rush through the picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from fer_batch import analyze, detection
from fer_batch.drawing.film import Film
from fer_batch.media import sources
from fer_batch.media.video.index import read_index
from fer_batch.options import AnnotateOptions, Options
from fer_batch.pipeline.annotate import annotate
from fer_batch.pipeline.worker import LOWEST_CONFIDENCE
from tests.helpers.cast import SIZE, Actor, Shot, faces, painted, shoot

pytestmark = pytest.mark.slow

SIDES = (480, 640, 960)


def images(path: Path) -> list[np.ndarray]:
    film = Film.of(sources.walk([path]).sources[0], read_index(path))
    return [item[1].rgb(max(SIZE)) for item in film.frames() if isinstance(item, tuple)]


def test_no_face_is_found_again_and_none_is_seen_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    """Also where the analysis looks at a few frames and a part of the picture only."""
    first, second, third, *_ = faces()
    actors = [
        Actor("stays", first, lambda t: (120 + 10 * np.sin(3 * t), 180), 150, turned=lambda t: 1.6 < t < 2.2),
        Actor("comes and goes", second, lambda t: (400, 200) if 1 <= t < 3 else None, 120),
        Actor("rushes", third, lambda t: (-40 + 260 * t, 90), 90),
    ]
    path = tmp_path / "film.mp4"
    truth = shoot(path, [Shot(0, 4, 25, painted(skimage.data.coffee()), actors)])
    analyze([path], Options(fps=2, region=(0, 0, 200, 360), workers=0), out=tmp_path / "out")
    (made,) = annotate(tmp_path / "out", AnnotateOptions(anonymize="cover", workers=0)).files
    detector = detection.make(detection.DEFAULT)
    results = images(made)
    assert len(results) == len(truth.people) == 100
    for image, people in zip(results, truth.people, strict=True):
        for side in SIDES:
            scale = side / SIZE[0]
            picture = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            assert detector.detect(picture, LOWEST_CONFIDENCE) == []
        for box in people.values():
            middle = image[
                max(0, round(box.y + box.height / 5)) : round(box.y + 4 * box.height / 5),
                max(0, round(box.x + box.width / 5)) : max(0, round(box.x + 4 * box.width / 5)),
            ]
            assert middle.std() < 6
