"""Texts as masks to paint through, in a font that has their letters.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Hebrew, Arabic and more. For others, such as
Chinese and Hindi letters, one of this machine's fonts is taken. Pillow joins letters and turns directions as it must.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LONGEST = 40
"""Letters of a name; a longer one is cut."""

ONLY_BOXES = "Last Resort"
"""Begin of the names of fonts that draw a box with a code for every letter, such as the one that matplotlib has."""

UNKNOWN = "?"
"""Stands for a letter that no font has."""


@lru_cache(maxsize=4096)
def mask_of(text: str, height: int) -> np.ndarray:
    """(height, width) uint8: the text in one line of so many pixels, 255 where its letters are."""
    size = max(6, round(height * 0.72))
    runs = [(_font(path, size), part) for path, part in _runs(text)]
    image = Image.new("L", (max(1, round(sum(font.getlength(part) for font, part in runs))), height))
    x = 0.0
    for font, part in runs:
        ImageDraw.Draw(image).text((x, height / 2), part, fill=255, font=font, anchor="lm")
        x += font.getlength(part)
    return np.asarray(image)


def shortened(name: str) -> str:
    """The name, or its beginning if it is long. Its direction of writing changes nothing in the text around it."""
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return f"\N{FIRST STRONG ISOLATE}{short}\N{POP DIRECTIONAL ISOLATE}"


def missing(text: str) -> str:
    """The letters of a text that no font has."""
    return "".join(letter for letter in dict.fromkeys(text) if _font_with(letter) is None)


def _runs(text: str) -> list[tuple[str, str]]:
    """Parts of a text that one font draws, each with the path of its font."""
    runs: list[tuple[str, str]] = []
    for letter in text:
        path = _font_with(letter)
        if path is None:
            path, letter = next(_fonts()), UNKNOWN
        if runs and (path == runs[-1][0] or _belongs(letter, runs[-1][0])):
            runs[-1] = runs[-1][0], runs[-1][1] + letter
        else:
            runs.append((path, letter))
    return runs


def _belongs(letter: str, path: str) -> bool:
    """Whether it stands on the letter before it, whose font has it too, or is never drawn at all."""
    kind = unicodedata.category(letter)
    return kind == "Cf" or (kind.startswith("M") and ord(letter) in _letters(path))


@lru_cache(maxsize=4096)
def _font_with(letter: str) -> str | None:
    """Path of the first font that has a letter, or that need not have it; None: there is none."""
    is_drawn = unicodedata.category(letter) != "Cf"
    return next((path for path in _fonts() if not is_drawn or ord(letter) in _letters(path)), None)


def _fonts() -> Iterator[str]:
    """Paths of fonts: DejaVu Sans, then those that are neither bold nor slanted, and have no serifs."""
    from matplotlib import font_manager

    yield font_manager.findfont("DejaVu Sans")
    others = sorted(
        (font for font in font_manager.fontManager.ttflist if not font.name.startswith(ONLY_BOXES)),
        key=lambda font: (font.style != "normal", str(font.weight) != "400", "Sans" not in font.name, font.fname),
    )
    yield from (font.fname for font in others)


@cache
def _letters(path: str) -> frozenset[int]:
    """The letters that a font has, by their codes; none if it cannot be used."""
    from matplotlib.ft2font import FT2Font

    try:
        _font(path, 12)
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
