"""The seven emotions with their order, FER2013 codes and colours.

The last axis of every array of shares is in the order of :data:`EMOTIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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

COMBINED = "combined"

FERPLUS_PARTS: Mapping[str, float] = {COMBINED: 0.6, "fer2013": 0.0, "ferplus": 1.0}
"""The views that tables can show, and the part of the output ``ferplus`` in each; the rest is of ``fer2013``.

``combined`` is three fifths of ``ferplus``. The part was chosen on PublicTest, on poor images, and on 3,857 faces of
press photographs (training/README.md, "The parts of combined"). With .6 in the place of .5 it recognises 7 points more
of their neutral faces, 2 more of surprise and 1 less of anger and of sadness; beyond .6 anger and sadness fall further.
"""

TABLE_VIEWS = tuple(FERPLUS_PARTS)
"""The default first."""


def in_view(shares: "np.ndarray", view: str) -> "np.ndarray":
    """(…, 7) shares in one of TABLE_VIEWS, of the model's (…, 2, 7); they sum to 1 as the model's do."""
    part = FERPLUS_PARTS[view]
    mean: np.ndarray = (1 - part) * shares[..., 0, :] + part * shares[..., 1, :]
    return mean
