"""Where a film is cut, told from 64 fields of each frame."""

import numpy as np
import pytest

from fer_batch import shots
from fer_batch.faces import Luma


@pytest.mark.parametrize("shape", [(8, 8), (48, 64), (480, 640), (1080, 1920), (1920, 1080), (5, 9), (1, 1), (7, 4000)])
@pytest.mark.parametrize("levels", [(0, 255), (16, 235), (64, 940)])
def test_a_scene_is_the_light_in_64_fields_whatever_the_frame(shape: tuple[int, int], levels: tuple[int, int]) -> None:
    black, white = levels
    across, down = np.meshgrid(np.linspace(0, 1, shape[1]), np.linspace(0, 1, shape[0]))
    plane = np.rint(black + (white - black) * (across + down) / 2).astype(np.uint16 if white > 255 else np.uint8)
    seen = shots.scene(Luma(plane, black, white))
    assert (seen.shape, seen.dtype) == ((8, 8), np.uint8)
    if min(shape) > 8:
        middle = (np.arange(8) + 0.5) / 8
        expected = 255 * (middle[np.newaxis] + middle[:, np.newaxis]) / 2
        assert np.abs(seen - expected).max() < 8
