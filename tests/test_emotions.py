"""The table of emotions: what data sets, tables and charts agree on."""

import re

import numpy as np

from fer_batch.emotions import EMOTIONS, FERPLUS_PARTS, TABLE, TABLE_VIEWS, VIEWS, in_view
from fer_batch.report import texts

PART = FERPLUS_PARTS["combined"]
FER2013_CODES = {"anger": 0, "disgust": 1, "fear": 2, "happiness": 3, "sadness": 4, "surprise": 5, "neutral": 6}
"""Goodfellow et al. 2013: 0=Angry, 1=Disgust, 2=Fear, 3=Happy, 4=Sad, 5=Surprise, 6=Neutral."""


def test_emotions_stand_in_the_order_of_fer2013_codes() -> None:
    assert {emotion.name: emotion.fer2013_code for emotion in TABLE} == FER2013_CODES
    assert [emotion.fer2013_code for emotion in TABLE] == list(range(7))
    assert [FER2013_CODES[name] for name in EMOTIONS] == list(range(7))


def test_each_emotion_has_a_colour_and_a_label_of_its_own() -> None:
    assert all(re.fullmatch("#[0-9A-F]{6}", emotion.colour) for emotion in TABLE)
    assert len({emotion.colour for emotion in TABLE}) == 7
    assert len({texts.label(emotion.name) for emotion in TABLE}) == 7


def test_a_view_of_the_tables_is_a_mean_of_the_outputs_and_sums_to_one() -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(7), (50, 2)).astype(np.float32)
    assert TABLE_VIEWS == ("combined", "fer2013", "ferplus")
    for axis, view in enumerate(VIEWS):
        np.testing.assert_array_equal(in_view(shares, view), shares[:, axis])
    mean = in_view(shares, "combined")
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, np.average(shares, axis=1, weights=(1 - PART, PART)), atol=1e-6)
    np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-6)


def test_the_views_are_fer2013_then_ferplus() -> None:
    assert VIEWS == ("fer2013", "ferplus")
