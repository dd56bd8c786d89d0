"""Videos of different faces whose identities are known: pictures of people that move before a painted set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from fer_batch.types import Box
from tests.helpers.media import write_video

SIZE = (640, 360)
"""Width and height."""

LFW = (71, 26, 90, 92, 11)
"""Rows of scikit-image's lfw_subset (25x25 pixels, from Labeled Faces in the Wild) in which the detector finds a face
surely (.77 to .82) once they are enlarged and put before a grey set."""

CLEAR, HIDDEN = 0.9, 0.4
"""Parts of a face that must be in sight for it to count as there, and below which it counts as hidden. What is in
between may be found or not."""


def faces() -> list[np.ndarray]:
    """Different faces, each (140, 140, 3) uint8."""
    rows = (skimage.data.lfw_subset()[list(LFW)] * 255).astype(np.uint8)
    grey = [cv2.resize(row, (140, 140), interpolation=cv2.INTER_CUBIC) for row in rows]
    astronaut = skimage.data.astronaut()[45:185, 155:295]
    return [astronaut, *(np.repeat(one[:, :, np.newaxis], 3, axis=2) for one in grey)]


@dataclass(frozen=True)
class Actor:
    """Somebody in a shot."""

    name: str
    face: np.ndarray
    place: Callable[[float], tuple[float, float] | None]
    """Centre of the head in pixels, by seconds of the video; None: not there."""
    height: int = 130
    turned: Callable[[float], bool] = lambda seconds: False
    """Whether only the back of the head is to be seen."""

    def box(self, seconds: float) -> Box | None:
        """Where the face is."""
        place = self.place(seconds)
        if place is None:
            return None
        width, height = 0.72 * self.height, 0.86 * self.height
        return Box(place[0] - width / 2, place[1] - height / 2, width, height)


@dataclass(frozen=True)
class Shot:
    """What is filmed without a cut."""

    start: float
    stop: float
    fps: float
    set_: np.ndarray
    """(height, width, 3) uint8"""
    actors: Sequence[Actor]
    """Those who are nearer last."""


@dataclass
class Truth:
    """A video's frames: who is where for certain, and who may be seen or not."""

    pts: list[int] = field(default_factory=list)
    """In milliseconds."""
    people: list[Mapping[str, Box]] = field(default_factory=list)
    unsure: list[Sequence[Box]] = field(default_factory=list)


def painted(image: np.ndarray) -> np.ndarray:
    """A picture as the backdrop of a shot, without strong lines."""
    colour = image if image.ndim == 3 else np.repeat(image[:, :, np.newaxis], 3, axis=2)
    return cv2.GaussianBlur(cv2.resize(colour[:, :, :3], SIZE, interpolation=cv2.INTER_AREA), (0, 0), 6)


def shoot(path: Path, shots: Sequence[Shot]) -> Truth:
    """Write the video, and tell who is in it."""
    truth = Truth()
    images: list[np.ndarray] = []
    for shot in shots:
        for number in range(round((shot.stop - shot.start) * shot.fps)):
            seconds = shot.start + number / shot.fps
            images.append(_image(shot, seconds))
            people, unsure = _who(shot, seconds)
            truth.pts.append(round(1000 * seconds))
            truth.people.append(people)
            truth.unsure.append(unsure)
    write_video(path, truth.pts, images, time_base=Fraction(1, 1000), keyframe_every=50)
    return truth


def _image(shot: Shot, seconds: float) -> np.ndarray:
    image = shot.set_.astype(np.float32)
    for actor in shot.actors:
        place = actor.place(seconds)
        if place is None:
            continue
        side = round(1.1 * actor.height)
        head = cv2.resize(actor.face, (side, side), interpolation=cv2.INTER_AREA)
        if actor.turned(seconds):
            head = np.full_like(head, 45)
        mask = np.zeros((side, side), np.float32)
        cv2.ellipse(mask, (side // 2, side // 2), (int(0.41 * side), int(0.48 * side)), 0, 0, 360, 1, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 2)[:, :, np.newaxis]
        left, top = round(place[0] - side / 2), round(place[1] - side / 2)
        rows, columns = slice(max(top, 0), max(top + side, 0)), slice(max(left, 0), max(left + side, 0))
        under = image[rows, columns]
        cut = (slice(max(-top, 0), max(-top, 0) + under.shape[0]), slice(max(-left, 0), max(-left, 0) + under.shape[1]))
        image[rows, columns] = under * (1 - mask[cut]) + mask[cut] * head[cut]
    return np.rint(image).astype(np.uint8)


def _who(shot: Shot, seconds: float) -> tuple[dict[str, Box], list[Box]]:
    people: dict[str, Box] = {}
    unsure: list[Box] = []
    for at, actor in enumerate(shot.actors):
        box = actor.box(seconds)
        if box is None or actor.turned(seconds):
            continue
        nearer = [one.box(seconds) for one in shot.actors[at + 1 :]]
        seen = _inside(box) * min((1 - _covered(box, one) for one in nearer if one is not None), default=1.0)
        if seen >= CLEAR:
            people[actor.name] = box
        elif seen >= HIDDEN:
            unsure.append(box)
    return people, unsure


def _inside(box: Box) -> float:
    """The part of a box that is within the picture."""
    return 1 - _covered(box, Box(-1e4, -1e4, 1e4, 3e4)) - _covered(box, Box(SIZE[0], -1e4, 1e4, 3e4))


def _covered(box: Box, by: Box) -> float:
    """The part of a box that another one covers."""
    width = min(box.x + box.width, by.x + by.width) - max(box.x, by.x)
    height = min(box.y + box.height, by.y + by.height) - max(box.y, by.y)
    return max(width, 0) * max(height, 0) / (box.width * box.height)
