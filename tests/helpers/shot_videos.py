"""Videos whose cuts are known, drawn without an encoder: people before a set, seen by a camera that moves.

From its grey images scenes are made as the scanner makes them. The same seed gives the same video.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from math import cos, pi, sin

import cv2
import numpy as np
import skimage.data

from fer_batch.media.frame import Luma, scene
from fer_batch.types import Scenes

WIDTH, HEIGHT = 160, 90

Draw = Callable[[float], np.ndarray]
"""Gives the image (HEIGHT, WIDTH) float32 at so many seconds of its shot, black 0, white 255."""


@dataclass(frozen=True)
class DrawnVideo:
    """A video's scenes and the truth about it."""

    name: str
    seconds: np.ndarray
    """(N,) float64: when each frame begins."""
    images: np.ndarray
    """(N, 16, 16) uint8: the frames' scenes."""
    cuts: tuple[int, ...] = ()
    """The first frame of each shot but the first."""
    blends: tuple[tuple[int, int], ...] = ()
    """Of each slow change to another shot the first frame, and the first one after it."""

    @property
    def kind(self) -> str:
        """The name without the video's number."""
        return self.name.split("/")[0]

    def scenes(self, *borders: int) -> list[Scenes]:
        """The scenes in parts that begin at these frames."""
        numbers = np.arange(len(self.seconds))
        edges = [0, *borders, len(numbers)]
        return [
            Scenes(numbers[first:last], self.seconds[first:last], self.images[first:last])
            for first, last in pairwise(edges)
        ]


@dataclass(frozen=True)
class Shot:
    """What is filmed in one piece, and how the next shot begins."""

    seconds: float
    draw: Draw
    blend: str = ""
    """How the shot gives way to the next one: "dissolve", "fade" through black, "flash" through white; empty: a cut."""
    blend_seconds: float = 0.0


@cache
def pictures() -> tuple[np.ndarray, ...]:
    """scikit-image's pictures as sets, each (270, 480) float32."""
    data = skimage.data
    images = [data.rocket(), data.coffee(), data.chelsea(), data.camera(), data.coins(), data.moon(), data.brick()]
    images += [data.astronaut()[:, :300], data.immunohistochemistry(), data.clock(), data.retina(), data.page()]
    images += [data.stereo_motorcycle()[0], data.hubble_deep_field(), data.gravel()]
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image for image in images]
    return tuple(cv2.resize(image, (480, 270), interpolation=cv2.INTER_AREA).astype(np.float32) for image in grey)


def room(seed: int) -> np.ndarray:
    """A wall with things on it, out of focus: (270, 480) float32."""
    rng = np.random.default_rng([1, seed])
    image = np.full((270, 480), rng.uniform(50, 190), np.float32)
    image += np.linspace(-1, 1, 480) * rng.uniform(-40, 40)
    for _ in range(rng.integers(3, 14)):
        left, top = rng.integers(-40, 480), rng.integers(-40, 270)
        width, height = rng.integers(20, 180, 2)
        image[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = rng.uniform(10, 245)
    return np.clip(cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 8)), 0, 255)


def some_set(seed: int) -> np.ndarray:
    """A room, or one of the pictures."""
    rng = np.random.default_rng([2, seed])
    return room(seed) if rng.random() < 0.6 else pictures()[rng.integers(len(pictures()))]


@cache
def faces() -> tuple[np.ndarray, ...]:
    """Heads, each (100, 80) float32."""
    rows = [row * 255 for row in skimage.data.lfw_subset()[:40]]
    heads = [cv2.cvtColor(skimage.data.astronaut()[30:190, 160:290], cv2.COLOR_RGB2GRAY), *rows]
    return tuple(cv2.resize(np.float32(head), (80, 100), interpolation=cv2.INTER_CUBIC) for head in heads)


@cache
def person(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Head and shoulders (200, 200) float32, and how much of each pixel they cover."""
    rng = np.random.default_rng([3, seed])
    image, cover = np.zeros((200, 200), np.float32), np.zeros((200, 200), np.float32)
    cv2.ellipse(cover, (100, 210), (90, 95), 0, 0, 360, 1, -1)
    image[:] = rng.uniform(15, 220)
    head = np.zeros((200, 200), np.float32)
    cv2.ellipse(head, (100, 70), (38, 50), 0, 0, 360, 1, -1)
    face = np.zeros((200, 200), np.float32)
    face[20:120, 60:140] = faces()[seed % len(faces())]
    image = np.where(head > 0, face, image)
    return image, cv2.GaussianBlur(np.maximum(cover, head), (0, 0), 1.5)


@dataclass(frozen=True)
class View:
    """What a camera shows of a set: the centre, as shares of the set's size, and how much it is enlarged."""

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0


def seen(backdrop: np.ndarray, view: View) -> np.ndarray:
    """The set as the camera shows it; beyond its edges it is mirrored."""
    scale = view.zoom * WIDTH / backdrop.shape[1] * 1.25
    left, top = view.x * backdrop.shape[1] * scale - WIDTH / 2, view.y * backdrop.shape[0] * scale - HEIGHT / 2
    matrix = np.float32([[scale, 0, -left], [0, scale, -top]])
    smooth = cv2.GaussianBlur(backdrop, (0, 0), max(0.1, 0.4 / scale))
    return cv2.warpAffine(smooth, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def before(image: np.ndarray, who: int, x: float, y: float, height: float) -> np.ndarray:
    """The image with a person in it: the middle of the head and its height, as shares of the image's height."""
    figure, cover = person(who)
    scale = height * HEIGHT / 100
    matrix = np.float32([[scale, 0, x * WIDTH - 100 * scale], [0, scale, y * HEIGHT - 70 * scale]])
    figure, cover = (cv2.warpAffine(layer, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA) for layer in (figure, cover))
    return image * (1 - cover) + figure * cover


def talk(seed: int, height: float = 0.5, liveliness: float = 1.0, x: float = 0.5, where: int | None = None) -> Draw:
    """Somebody who talks before a set, and is never quite still."""
    rng = np.random.default_rng([4, seed])
    backdrop = some_set(seed if where is None else where)
    phases = rng.uniform(0, 2 * pi, 4)
    tremble = rng.uniform(0.0, 0.004)

    def draw(t: float) -> np.ndarray:
        view = View(0.5 + tremble * sin(5 * t), 0.5 + tremble * cos(7 * t))
        sway = liveliness * height * 0.12 * sin(2 * pi * 0.31 * t + phases[0])
        nod = liveliness * height * 0.08 * sin(2 * pi * 0.7 * t + phases[1])
        return before(seen(backdrop, view), seed, x + sway * HEIGHT / WIDTH, 0.42 + nod, height)

    return draw


def sway(seed: int) -> Draw:
    """A close-up of somebody who sits still, then rocks fast and far, and sits still again."""
    rng = np.random.default_rng([5, seed])
    backdrop, height = some_set(seed), rng.uniform(0.7, 1.6)
    begin, pace, far = rng.uniform(0.5, 2), rng.uniform(0.5, 1.2), rng.uniform(0.1, 0.25)

    def draw(t: float) -> np.ndarray:
        moving = ramp(t, begin, 0.2) - ramp(t, begin + 2.5, 0.3)
        x = 0.5 + moving * far * sin(2 * pi * pace * (t - begin))
        y = 0.5 + moving * far * 0.5 * sin(2 * pi * 1.3 * pace * (t - begin))
        return before(seen(backdrop, View()), seed, x, y, height)

    return draw


def blurred(draw: Draw, shutter: float = 0.02) -> Draw:
    """The same with the blur of a camera's shutter."""
    return lambda t: sum(draw(t + shutter * share) for share in (0.0, 0.25, 0.5, 0.75)) / 4


def ramp(t: float, start: float, seconds: float) -> float:
    """From 0 before the start to 1 after so many seconds, gently at both ends."""
    share = min(1.0, max(0.0, (t - start) / seconds))
    return share * share * (3 - 2 * share)


def whip(seed: int) -> Draw:
    """A camera that turns to another part of the set in a fifth to half of a second, and back later."""
    rng = np.random.default_rng([6, seed])
    wide = np.concatenate([some_set(seed), some_set(seed + 1000)], axis=1)
    quick, far = rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.5)

    def draw(t: float) -> np.ndarray:
        turned = ramp(t, 1.0, quick) - ramp(t, 3.2, 2 * quick)
        image = seen(wide, View(0.25 + far * turned, 0.5, 2.0))
        return before(image, seed, 0.5 - 4 * far * turned, 0.5, 0.5)

    return blurred(draw)


def pan(seed: int) -> Draw:
    """A camera that turns slowly, one way and back."""
    rng = np.random.default_rng([7, seed])
    wide, pace = np.concatenate([some_set(seed), some_set(seed + 1)], axis=1), rng.uniform(0.05, 0.25)
    return blurred(lambda t: seen(wide, View(0.5 + 0.25 * sin(2 * pi * pace * t), 0.5, 2.0)))


def zoom(seed: int) -> Draw:
    """A camera that zooms in within .15 to 1 s, and out again."""
    rng = np.random.default_rng([8, seed])
    backdrop, quick, far = some_set(seed), rng.uniform(0.15, 1.0), rng.uniform(0.6, 1.5)

    def draw(t: float) -> np.ndarray:
        near = 1 + far * (ramp(t, 1.0, quick) - ramp(t, 3.0, quick))
        return before(seen(backdrop, View(zoom=near)), seed, 0.5, 0.45, 0.35 * near)

    return blurred(draw)


def handheld(seed: int) -> Draw:
    """Somebody who records themselves while walking."""
    rng = np.random.default_rng([9, seed])
    wide, phases = np.concatenate([some_set(seed), some_set(seed + 7)], axis=1), rng.uniform(0, 2 * pi, 4)
    shake, pace = rng.uniform(0.01, 0.05), rng.uniform(1.5, 2.5)

    def draw(t: float) -> np.ndarray:
        x = 0.3 + 0.03 * t + shake / 2 * sin(2 * pi * pace * t + phases[0]) + shake / 3 * sin(2 * pi * 3.1 * t)
        y = 0.5 + shake * sin(4 * pi * pace * t + phases[1])
        return before(
            seen(wide, View(x, y, 2.0)), seed, 0.5 + shake * sin(5 * t + phases[2]), 0.5 + shake * sin(9 * t), 0.7
        )

    return blurred(draw)


def passers(seed: int) -> Draw:
    """Somebody talks while others cross the picture close to the camera."""
    rng = np.random.default_rng([10, seed])
    talking = talk(seed, 0.4)
    walks = [(rng.uniform(0.3, 4), rng.uniform(0.5, 1.6), rng.uniform(0.8, 2.4), rng.random() < 0.5) for _ in range(4)]

    def draw(t: float) -> np.ndarray:
        image = talking(t)
        for index, (start, seconds, height, leftwards) in enumerate(walks):
            share = (t - start) / seconds
            if 0 <= share <= 1:
                across = 1 - share if leftwards else share
                image = before(image, seed + index + 1, -0.7 * height + across * (1 + 1.4 * height), 0.5, height)
        return image

    return blurred(draw)


def lights(seed: int) -> Draw:
    """Light that goes off and on, at once or slowly, in the whole room or from one side."""
    rng = np.random.default_rng([11, seed])
    talking, dark, slow = talk(seed, 0.5), rng.uniform(0.3, 0.7), rng.choice([0.02, 0.02, 0.5, 1.5])
    side = np.linspace(rng.uniform(0.7, 1), 1, WIDTH, dtype=np.float32)

    def draw(t: float) -> np.ndarray:
        off = ramp(t, 1.0, slow) - ramp(t, 3.0, slow)
        return talking(t) * (1 - off * (1 - dark) * side)

    return draw


def flashes(seed: int) -> Draw:
    """Photographers: the picture is white, or nearly so, for one to five frames, once and in bursts."""
    rng = np.random.default_rng([12, seed])
    talking = talk(seed, 0.5)
    times = [*rng.uniform(0.5, 1.5, 2), *(2.0 + np.cumsum(rng.uniform(0.2, 0.5, 5)))]
    length, strength = rng.uniform(0.03, 0.16), rng.uniform(0.5, 1.0)

    def draw(t: float) -> np.ndarray:
        lit = any(time <= t < time + length for time in times)
        return talking(t) * (1 - strength * lit) + 255 * strength * lit

    return draw


def exposure(seed: int) -> Draw:
    """A camera whose exposure jumps, then adapts, with white and black cut off."""
    rng = np.random.default_rng([13, seed])
    talking, steps, slow = talk(seed, 0.6), rng.uniform(0.5, 1.8, 6), rng.uniform(0.3, 0.7)

    def draw(t: float) -> np.ndarray:
        step = int(t / 0.9) % 6
        gain = 1 + (steps[step] - 1) * (1 - ramp(t % 0.9, 0.1, slow))
        return np.clip(talking(t) * gain, 0, 255)

    return draw


def gallery(seed: int, tiles: int = 3) -> Draw:
    """A video call: several people, each in a tile of their own, one of whom leans forward now and then."""
    talks = [talk(100 * seed + tile, 0.6, 1.5) for tile in range(tiles * tiles)]
    noise = np.random.default_rng([14, seed]).uniform(0, 2 * pi, tiles * tiles)

    def draw(t: float) -> np.ndarray:
        small = [
            cv2.resize(talking(t + noise[tile]), (WIDTH // tiles, HEIGHT // tiles), interpolation=cv2.INTER_AREA)
            for tile, talking in enumerate(talks)
        ]
        image = np.full((HEIGHT, WIDTH), 20, np.float32)
        for tile, part in enumerate(small):
            top, left = tile // tiles * (HEIGHT // tiles), tile % tiles * (WIDTH // tiles)
            image[top : top + part.shape[0], left : left + part.shape[1]] = part
        return image

    return draw


def turning(seed: int) -> Draw:
    """A close-up of a head that comes near, hides the set, and goes away."""
    rng = np.random.default_rng([15, seed])
    backdrop, quick = some_set(seed), rng.uniform(0.3, 1.0)

    def draw(t: float) -> np.ndarray:
        near = ramp(t, 1.0, quick) - ramp(t, 3.0, quick)
        return before(seen(backdrop, View()), seed, 0.5 + 0.1 * sin(3 * t), 0.5, 0.4 + 2.2 * near)

    return blurred(draw)


CONTINUOUS: dict[str, Callable[[int], Draw]] = {
    "sway": sway,
    "talk": lambda seed: talk(seed, 0.3 + 0.2 * (seed % 5)),
    "whip": whip,
    "pan": pan,
    "zoom": zoom,
    "handheld": handheld,
    "passers": passers,
    "lights": lights,
    "flashes": flashes,
    "exposure": exposure,
    "gallery": gallery,
    "turning": turning,
}
"""Shots of 5 s in which nothing is cut."""


def joins(rng: np.random.Generator) -> list[Shot]:
    """Shots of different people in different places, still and moving."""
    kinds = [talk, talk, talk, handheld, pan, passers, gallery]
    return [Shot(rng.uniform(1.0, 3.0), kinds[rng.integers(len(kinds))](int(rng.integers(1 << 30)))) for _ in range(6)]


def quick_joins(rng: np.random.Generator) -> list[Shot]:
    """Shots of a third of a second to a second."""
    return [Shot(rng.uniform(0.33, 1.0), talk(int(rng.integers(1 << 30)), 0.5)) for _ in range(12)]


def reverse_shots(rng: np.random.Generator) -> list[Shot]:
    """Two people who talk to each other, each in a set-up of their own that is filmed again and again."""
    one, other = (talk(int(rng.integers(1 << 30)), 0.5, 1.0, x) for x in (0.35, 0.65))
    return [Shot(rng.uniform(0.8, 2.0), (one, other)[index % 2]) for index in range(8)]


def same_room(rng: np.random.Generator) -> list[Shot]:
    """Two people in one room, filmed from two sides."""
    where = int(rng.integers(1 << 30))
    one = talk(int(rng.integers(1 << 30)), 0.55, 1.0, 0.35, where)
    other = talk(int(rng.integers(1 << 30)), 0.55, 1.0, 0.65, where)
    return [Shot(rng.uniform(0.8, 2.0), (one, lambda t: other(t)[:, ::-1])[index % 2]) for index in range(6)]


def punch_ins(rng: np.random.Generator) -> list[Shot]:
    """The same picture, suddenly enlarged."""
    talking, far = talk(int(rng.integers(1 << 30)), 0.4), rng.uniform(1.3, 2.0)

    def near(t: float) -> np.ndarray:
        matrix = np.float32([[far, 0, WIDTH / 2 * (1 - far)], [0, far, HEIGHT * 0.45 * (1 - far)]])
        return cv2.warpAffine(talking(t), matrix, (WIDTH, HEIGHT))

    return [Shot(rng.uniform(1.0, 2.0), (talking, near)[index % 2]) for index in range(5)]


def jumps(rng: np.random.Generator) -> list[Shot]:
    """The same picture a moment later: something was left out."""
    who = int(rng.integers(1 << 30))
    return [Shot(rng.uniform(0.8, 2.0), talk(who, 0.7, 1.5, rng.uniform(0.4, 0.6))) for _ in range(5)]


def _blended(rng: np.random.Generator, blend: str, seconds: tuple[float, float]) -> list[Shot]:
    kinds = [talk, talk, handheld, sway]

    def shot() -> Shot:
        draw = kinds[rng.integers(len(kinds))](int(rng.integers(1 << 30)))
        return Shot(rng.uniform(2.5, 3.5), draw, blend, rng.uniform(*seconds))

    return [shot() for _ in range(4)]


EDITED: dict[str, Callable[[np.random.Generator], list[Shot]]] = {
    "joins": joins,
    "quick joins": quick_joins,
    "reverse shots": reverse_shots,
    "same room": same_room,
    "punch-ins": punch_ins,
    "jump cuts": jumps,
    "dissolves": partial(_blended, blend="dissolve", seconds=(0.4, 2.0)),
    "fades": partial(_blended, blend="fade", seconds=(0.5, 2.0)),
    "white flashes": partial(_blended, blend="flash", seconds=(0.05, 0.2)),
}
"""Videos of several shots. In punch-ins and jump cuts the set stays the same."""


def continuous(kind: str, seed: int, fps: float = 25.0, seconds: float = 5.0, camera: int = 0) -> DrawnVideo:
    """A video of one shot."""
    return _filmed(kind, [Shot(seconds, CONTINUOUS[kind](seed))], seed, fps, camera)


def edited(kind: str, seed: int, fps: float = 25.0, camera: int = 0) -> DrawnVideo:
    """A video of several shots."""
    return _filmed(kind, EDITED[kind](np.random.default_rng([16, seed])), seed, fps, camera)


def _filmed(kind: str, shots: Sequence[Shot], seed: int, fps: float, camera: int) -> DrawnVideo:
    """``camera`` chooses noise, compression and black bars."""
    rng = np.random.default_rng([17, seed])
    taken = _Camera(rng, camera)
    cuts, blends, scenes = [], [], []
    for image, mark in _frames(shots, fps):
        if mark == "cut":
            cuts.append(len(scenes))
        elif mark == "blend" and not (blends and blends[-1][1] == len(scenes)):
            blends.append((len(scenes), len(scenes) + 1))
        elif mark == "blend":
            blends[-1] = (blends[-1][0], len(scenes) + 1)
        scenes.append(scene(Luma(taken(image))))
    seconds = np.arange(len(scenes)) / fps
    return DrawnVideo(f"{kind}/{seed}", seconds, np.stack(scenes), tuple(cuts), tuple(blends))


def _frames(shots: Sequence[Shot], fps: float) -> Iterator[tuple[np.ndarray, str]]:
    """Each image, and whether it is the first one after a cut, or between two shots."""
    for index, shot in enumerate(shots):
        following = shots[index + 1] if index + 1 < len(shots) else None
        blending = round(shot.blend_seconds * fps) if following is not None else 0
        for number in range(max(1, round(shot.seconds * fps))):
            yield shot.draw(number / fps), "cut" if number == 0 and index and not shots[index - 1].blend else ""
        for number in range(blending):
            assert following is not None
            share = (number + 1) / (blending + 1)
            old, new = shot.draw(shot.seconds + number / fps), following.draw((number - blending) / fps)
            yield _between(shot.blend, old, new, share), "blend"


def _between(blend: str, old: np.ndarray, new: np.ndarray, share: float) -> np.ndarray:
    if blend == "dissolve":
        return old * (1 - share) + new * share
    if blend == "fade":
        return old * max(0, 1 - 2 * share) + new * max(0, 2 * share - 1)
    return np.full_like(old, 250.0)


class _Camera:
    """Noise, compression and black bars: what a camera and an encoder do to every image of a video."""

    def __init__(self, rng: np.random.Generator, kind: int) -> None:
        self._rng = rng
        self._noise = (1.5, 4.0, 2.0, 6.0)[kind % 4]
        self._quality = (0, 0, 12, 30)[kind % 4]
        """Of JPEG; 0: not compressed."""
        self._bar = (0, 0, 0, HEIGHT // 7)[kind % 4]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        noisy = np.clip(image + self._rng.normal(0, self._noise, image.shape), 0, 255).astype(np.uint8)
        if self._bar:
            noisy[: self._bar] = noisy[-self._bar :] = 16
        if self._quality:
            _, jpeg = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
            return cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)
        return noisy
