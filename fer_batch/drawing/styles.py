"""What is drawn for a face: its box and who it is, its leading emotion, or a bar for each emotion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer_batch.drawing.canvas import Canvas, Colour
from fer_batch.drawing.labels import mask_of, shortened
from fer_batch.emotions import EMOTIONS, TABLE
from fer_batch.options import BAR, BOX
from fer_batch.types import Box


def _rgb(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


COLOURS = tuple(_rgb(emotion.colour) for emotion in TABLE)
"""In the order of EMOTIONS, as in the report."""

WHITE: Colour = (1.0, 1.0, 1.0)
DARK: Colour = (0.08, 0.08, 0.08)
GREY: Colour = (0.6, 0.6, 0.6)

SHADE = 200
"""How much the ground behind letters and bars covers, of 255."""

LINES = 30
"""A line of text takes this part of a picture's height, but at least LEAST_LINE pixels."""

LEAST_LINE = 14


@dataclass(frozen=True)
class ShownFace:
    """A face in a frame."""

    box: Box
    name: str
    """Who it is, or its number."""
    shares: np.ndarray | None
    """(7,) in the order of EMOTIONS; None: the face is in no summary, and no emotion is drawn."""


def draw(canvas: Canvas, faces: Sequence[ShownFace], style: str, emotions: Sequence[str] = EMOTIONS) -> None:
    """Draw the faces of a frame. ``emotions`` are those that the bars show."""
    line = max(LEAST_LINE, round(canvas.height / LINES))
    for face in faces:
        _draw_face(canvas, face, style, emotions, line)


def _draw_face(canvas: Canvas, face: ShownFace, style: str, emotions: Sequence[str], line: int) -> None:
    shares = face.shares
    leading = None if shares is None or style not in (BOX, BAR) else int(shares.argmax())
    colour = GREY if shares is None else WHITE if leading is None else COLOURS[leading]
    box, edge = face.box, max(2, line // 8)
    canvas.frame(box, colour, edge)
    text = shortened(face.name)
    if leading is not None and shares is not None and style == BOX:
        text = f"{text}  {EMOTIONS[leading]} {100 * shares[leading]:.0f} %"
    top = box.y - edge - line
    _label(canvas, text, box.x - edge, top if top >= 0 else box.y + box.height + edge, line, colour)
    if style == BAR and shares is not None:
        _bars(canvas, box, shares, emotions, line, edge)


def _label(canvas: Canvas, text: str, x: float, y: float, line: int, colour: Colour) -> None:
    """A text on a dark ground, with a stripe of the face's colour before it, all of it within the picture."""
    letters = mask_of(text, line)
    pad = line // 3
    width = letters.shape[1] + 2 * pad
    x = max(0, min(x, canvas.width - width))
    canvas.blend(x, y, np.full((line, width), SHADE, np.uint8), DARK)
    canvas.fill(Box(x, y, max(2, pad // 2), line), colour)
    canvas.blend(x + pad, y, letters, WHITE)


def _bars(canvas: Canvas, box: Box, shares: np.ndarray, emotions: Sequence[str], line: int, edge: int) -> None:
    """A bar for each emotion with its name, right of the box, or left of it where there is more room."""
    row = max(10, round(0.8 * line))
    names = [mask_of(name, row) for name in emotions]
    words, full, pad = max(mask.shape[1] for mask in names), 4 * row, row // 3
    width, height = words + full + 3 * pad, row * len(emotions) + pad
    right = box.x + box.width + 2 * edge
    x = right if right + width <= canvas.width else max(0.0, box.x - 2 * edge - width)
    y = max(0.0, min(box.y, canvas.height - height))
    canvas.blend(x, y, np.full((height, width), SHADE, np.uint8), DARK)
    for at, (name, mask) in enumerate(zip(emotions, names, strict=True)):
        index = EMOTIONS.index(name)
        under = y + at * row + pad / 2
        canvas.blend(x + pad, under, mask, WHITE)
        left = x + words + 2 * pad
        canvas.fill(Box(left, under + row * 0.2, max(1.0, float(shares[index]) * full), row * 0.6), COLOURS[index])
