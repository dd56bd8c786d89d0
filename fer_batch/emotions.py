"""The one table of emotions: order, FER2013 code and colour.

Every array of shares in this project has its last axis in the order of :data:`EMOTIONS`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Emotion:
    """One of the seven emotions."""

    name: str
    """Noun, lower case: the column of every table."""
    fer2013_code: int
    """The integer that stands for it in FER2013 (Goodfellow et al. 2013, arXiv:1307.0414)."""
    colour: str
    """Hex colour: the Okabe-Ito palette, told apart by colour-blind readers, with grey for neutral."""


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
"""Its place; the other six are expressions."""

VIEWS: tuple[str, ...] = ("fer2013", "ferplus")
"""The two readings of one face that the model gives, in the order of its second axis.

``fer2013``: the share of belief in each label of FER2013. ``ferplus``: the share of human raters who would choose each
emotion, of those who chose one of the seven (FER+, Barsoum et al. 2016, arXiv:1608.01041).
"""
