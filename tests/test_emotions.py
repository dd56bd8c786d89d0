"""The table of emotions: what data sets, tables and charts agree on."""

import re

from fer_batch.emotions import EMOTIONS, TABLE, VIEWS
from fer_batch.report import texts

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


def test_the_views_are_fer2013_then_ferplus() -> None:
    assert VIEWS == ("fer2013", "ferplus")
