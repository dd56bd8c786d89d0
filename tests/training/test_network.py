"""The network's shapes and its cost."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from training import network
from training.config import Config

MOST_MULTIPLY_ADDS = 60_000_000
"""More would make the shipped model too slow for videos on a laptop."""

TINY = replace(Config(), stem_filters=4, stage_filters=(8,), stage_blocks=(1,))


@pytest.fixture
def mixed_precision() -> object:
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("mixed_precision")
def test_each_view_gets_seven_logits_in_float32_also_in_mixed_precision() -> None:
    net = network.build(TINY)
    logits = net(np.zeros((3, CROP_SIDE, CROP_SIDE), np.uint8))
    assert set(logits) == set(VIEWS)
    for one in logits.values():
        assert tuple(one.shape) == (3, len(EMOTIONS))
        assert keras.backend.standardize_dtype(one.dtype) == "float32"
    assert net.get_layer("stem_conv").compute_dtype == "bfloat16"


def test_bytes_and_floats_mean_the_same_grey_levels() -> None:
    net = network.build(TINY)
    levels = np.random.default_rng(0).integers(0, 256, (2, CROP_SIDE, CROP_SIDE), np.uint8)
    for view in VIEWS:
        of_bytes, of_floats = (keras.ops.convert_to_numpy(net(one)[view]) for one in (levels, levels.astype("float32")))
        np.testing.assert_array_equal(of_bytes, of_floats)


def test_multiply_adds_are_those_counted_by_hand() -> None:
    stem = 48 * 48 * (3 * 3 * 1) * 4
    shortcut = 24 * 24 * (1 * 1 * 4) * 8
    first = 24 * 24 * (3 * 3 * 4) * 8
    second = 24 * 24 * (3 * 3 * 8) * 8
    heads = 2 * 8 * 7
    assert network.multiply_adds(network.build(TINY)) == stem + shortcut + first + second + heads


def test_the_shipped_network_is_cheap_enough_for_videos() -> None:
    assert network.multiply_adds(network.build(Config())) <= MOST_MULTIPLY_ADDS


def test_a_new_block_is_the_identity() -> None:
    net = network.build(replace(Config(), stem_filters=4, stage_filters=(8,), stage_blocks=(2,)))
    faces = np.random.default_rng(0).uniform(0, 255, (2, CROP_SIDE, CROP_SIDE)).astype("float32")
    before, after = net.get_layer("stage0_block0_out").output, net.get_layer("stage0_block1_out").output
    outputs = keras.Model(net.input, [before, after])(faces)
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(one) for one in outputs))


def test_squeezing_costs_next_to_nothing_and_changes_no_shape() -> None:
    plain, squeezed = (network.build(replace(Config(), squeeze=ratio)) for ratio in (0, 8))
    assert squeezed.output_shape == plain.output_shape
    assert 0 < network.multiply_adds(squeezed) - network.multiply_adds(plain) < 20_000


def test_every_stage_has_its_number_of_blocks() -> None:
    net = network.build(replace(Config(), stem_filters=4, stage_filters=(8, 16), stage_blocks=(1, 3)))
    names = {layer.name for layer in net.layers if layer.name.endswith("_out")}
    assert names == {"stage0_block0_out", "stage1_block0_out", "stage1_block1_out", "stage1_block2_out"}
