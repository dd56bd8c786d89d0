"""Letters of labels: from a font that has them, in their direction, and never boxes without a word."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import features

from fer_batch.drawing import labels
from fer_batch.drawing.labels import mask_of, missing, shortened

NOBODYS = "\U0010fffd"
"""A letter that no font has: of a private use area."""


def test_a_letter_that_the_usual_font_lacks_is_drawn_by_another() -> None:
    stix = labels._letters(str(Path(get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"))
    letter = chr(min(stix - labels._letters(next(labels._fonts()))))
    mask = mask_of(f"a{letter}", 40)
    assert missing(letter) == ""
    assert mask[:, mask_of("a", 40).shape[1] :].max() > 100
    assert mask.shape != mask_of("a?", 40).shape or not np.array_equal(mask, mask_of("a?", 40))


def test_a_letter_that_no_font_has_is_a_question_mark() -> None:
    assert missing(f"Anna {NOBODYS}{NOBODYS}") == NOBODYS
    assert np.array_equal(mask_of(f"a{NOBODYS}", 40), mask_of("a?", 40))


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow does not turn directions")
@pytest.mark.parametrize("name", ["שלום", "محمد", "\u202eAnna", "\u2067Anna"])
def test_what_follows_a_name_stands_after_it_whatever_its_direction(name: str) -> None:
    end = "  fear 3 %"
    whole, tail = mask_of(shortened(name) + end, 40), mask_of(f"x{end}", 40)
    width = mask_of(end.strip(), 40).shape[1] - 4
    assert np.abs(whole[:, -width:].astype(int) - tail[:, -width:]).mean() < 12
    assert whole[:, :-width].max() > 100


def test_a_long_name_leaves_room_for_what_follows() -> None:
    assert mask_of(shortened("i" * 200), 40).shape[1] < mask_of("i" * 44, 40).shape[1]
    assert shortened("i" * 40)[1:-1] == "i" * 40
