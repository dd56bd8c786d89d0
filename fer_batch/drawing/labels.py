"""Texts as masks to paint through, in DejaVu Sans, which comes with matplotlib."""

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = "mpl-data/fonts/ttf/DejaVuSans.ttf"
"""Within matplotlib: Latin, Greek, Cyrillic, Hebrew, Arabic and more; no Chinese, Japanese and Korean."""

LONGEST = 40
"""Letters of a label; a longer one is cut."""


@lru_cache(maxsize=4096)
def mask_of(text: str, height: int) -> np.ndarray:
    """(height, width) uint8: the text in one line of so many pixels, 255 where its letters are."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 1]}…"
    font = _font(max(6, round(height * 0.72)))
    width = max(1, round(font.getlength(text)))
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((0, height / 2), text, fill=255, font=font, anchor="lm")
    return np.asarray(image)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / FONT).is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
