"""The seven emotions with their order, FER2013 codes and colours.

The last axis of every array of shares is in the order of :data:`EMOTIONS`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Emotion:
    """One of the seven emotions."""

    name: str
    """A noun in lower case, as in the columns of tables."""
    fer2013_code: int
    """The label in the data set FER2013 (Goodfellow et al. 2013, arXiv:1307.0414)."""
    colour: str
    """In hexadecimal: the Okabe-Ito palette, which colour-blind readers can tell apart, and grey for neutral."""


TABLE: tuple[Emotion, ...] = (
    Emotion("anger", 0, "#D55E00"),
    Emotion("disgust", 1, "#009E73"),
    Emotion("fear", 2, "#CC79A7"),
    Emotion("happiness", 3, "#E69F00"),
    Emotion("sadness", 4, "#0072B2"),
    Emotion("surprise", 5, "#56B4E9"),
    Emotion("neutral", 6, "#757575"),
)

EMOTIONS: tuple[str, ...] = tuple(emotion.name for emotion in TABLE)

NEUTRAL = EMOTIONS.index("neutral")
"""Index of neutral in EMOTIONS; the other six are expressions."""

VIEWS: tuple[str, ...] = ("fer2013", "ferplus")
"""The two outputs of the model for a face, in the order of the second axis of its predictions.

``fer2013``: the model's belief in each label of FER2013. ``ferplus``: the expected share of human raters who choose
each emotion, of those who choose one of the seven (FER+, Barsoum et al. 2016, arXiv:1608.01041).
"""
