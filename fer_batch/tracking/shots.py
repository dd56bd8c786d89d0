"""Where a video is cut into shots, seen from the scenes of all its decoded frames: the light in 16x16 fields.

At a cut the scene differs much from the one before, also if one of them is shifted; and it changes much more than from
frame to frame just before or just after: people and cameras that move change it for longer. A flash is no cut: soon
after it the scene is as before. A dissolve counts as a cut, too: its frames are mixtures of two scenes. Cuts are looked
for in every decoded frame, however few of them are searched for faces.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from math import inf
from statistics import median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fer_batch.types import FrameTime, Scenes

CUT_CHANGE, CUT_MEDIAN_CHANGE = 6.0, 3.0
"""The least mean change of a field at a cut, and the least change of half of the fields, in grey levels of 8x8 fields:
cuts between two dull walls."""

CUT_RATIO = 2.0
"""At a cut the change is at least so many times the change just before or after, whichever is larger (plus one grey
level). Of 394 cuts in videos the lowest ratio was 2.6; with 1.5, 97 videos without one have four false cuts."""

NEIGHBOUR_CHANGES = 3
"""The change just before a cut, or after it, is the median of so many changes from frame to frame."""

CUT_LIKENESS = 0.83
"""Scenes before and after a cut are less alike than this. In videos the most alike scenes at a cut reached .79, those
of frames that follow each other without one had .88 or more, unless the ratio told them apart."""

MAX_SHIFT = 3
"""Fields by which a scene may be shifted along each axis and still be alike: the camera turns."""

FLASH_SECONDS = 0.25
"""Longest time from a flash until the scene is as before."""

NEAR_FRAMES = 2
"""Of cuts so few frames apart, within FLASH_SECONDS, only the one with the largest change counts."""

SPARSE_SECONDS = 0.08
"""Where decoded frames are further apart than this, what moves changes as much as at a cut, and in most fields. But it
goes on to change, while shots stay as they are:"""

SPARSE_LIKENESS = 0.7
"""then a cut has less than this likeness,"""

STEADY_LIKENESS, STEADY_MARGIN, STILL_LIKENESS = 0.75, 0.2, 0.9
"""and the two frames before it are as alike as the first says, and by the second more than those at the cut; so are the
two after it; and one of these pairs is as alike as the third says. In 60 drawn videos of one shot with 2, 4, 5, 7, 10
and 12 frames a second this left 14, 7, 5, 2, 0 and 0 false cuts; likeness and CUT_RATIO alone, 47, 28, 32, 30, 12 and
9. Of 80 cuts this missed 1 to 4, those 0 or 1. Camera movements that are over between two frames are taken for cuts."""

RARE_SECONDS, RARE_LIKENESS = 0.6, 0.3
"""Frames further apart than the first, and less alike than the second, are in two shots in any case, as in a series of
photos: where nothing is as it was, places cannot tell who is who."""

LEVEL_NOISE = 4.0
"""Variance of a scene's fields, in grey levels squared, that says nothing: of two plain scenes."""

LEAST_PICTURE = 0.2
"""Least share of the frame between black bars: a telephone's video, held upright, fills .32 of a wide frame."""

BAR_RANGE, BAR_DIFFERENCE = 3, 2
"""Rows and columns at a scene's edges are black bars if their fields differ by at most the first, and from the other
scene's by at most the second, in grey levels."""

BLEND_SECONDS = 1.0, 2.0
"""Lengths of time at whose ends the images of two shots are compared, where one gives way to the other slowly."""

BLEND_CHANGE, BLEND_MEDIAN_CHANGE = 8.0, 5.0
"""The least mean change of a field in that time, and the least change of half of the fields, in grey levels."""

BLEND_CONTRAST, PLAIN_CONTRAST = 8.0, 4.0
"""The least standard deviation of the fields of both images; and the one below which an image is plain: black or white
between two shots that fade."""

BLEND_LIKENESS = 0.6
"""The two images are less alike than this."""

BLEND_RESIDUAL = 0.35
"""In a dissolve frames are mixtures of the two images: they differ from them by at most this share of the change. All
fields of a mixture change at once; where a camera turns or zooms, or somebody passes, they change one after the other:
in videos that were drawn for the tests, that share was .39 or more in zooms and where somebody passes."""

BLEND_FALLBACK = 0.15
"""By how much the share of the second image may become less on the way."""

ASSUMED_FPS = 25.0
"""Frames per second of videos whose times are unknown."""

SAME_PLACE_DIFFERENCE = 12.0
"""Grey levels by which at least half of the fields differ at most, apart from the light, where the camera is still."""

_CONTEXT_FRAMES = NEAR_FRAMES + NEIGHBOUR_CHANGES + 2
_CONTEXT_SECONDS = 2 * FLASH_SECONDS + 1.5 * max(BLEND_SECONDS)
"""Whether a frame is a cut depends on so many frames before it and after it, and on frames so long before those."""


def find_cuts(parts: Iterable[Scenes]) -> list[int]:
    """The numbers of the frames at which a new shot begins, sorted; a video's first frame is not among them.

    Only one part and some frames around it are held in memory. How a video is divided into parts does not matter.

    Args:
        parts: the scenes of a video's decoded frames.
    """
    cuts: list[int] = []
    held: Scenes | None = None
    decided = 0  # of the frames that are held
    for part in chain(parts, [None]):
        if part is not None:
            held = part if held is None else _joined(held, part)
        if held is None or not len(held.numbers):
            continue
        seconds = _known_seconds(held)
        until = len(seconds)
        if part is not None:
            until = int(np.searchsorted(seconds, seconds[-1] - _CONTEXT_SECONDS)) - _CONTEXT_FRAMES
        if until > decided:
            found = _cuts(seconds, held.images)
            cuts.extend(held.numbers[[index for index in found if decided <= index < until]].tolist())
            needed = seconds[max(0, until - _CONTEXT_FRAMES)] - _CONTEXT_SECONDS
            first = int(np.searchsorted(seconds, needed))
            held = Scenes(held.numbers[first:], held.seconds[first:], held.images[first:])
            decided = until - first
    return cuts


def show_same_place(scene: np.ndarray, other: np.ndarray) -> bool:
    """Whether two scenes of a shot show the same place: the camera has not moved, but people may have.

    A change of the light in the whole frame does not count, nor do changes in less than half of the fields.

    Args:
        scene: (16, 16) uint8.
        other: (16, 16) uint8.
    """
    coarse, other_coarse = _coarse(np.stack([scene, other]))
    changes = coarse - other_coarse
    return float(np.median(np.abs(changes - np.median(changes)))) <= SAME_PLACE_DIFFERENCE


def seconds_between(early: FrameTime, late: FrameTime) -> float:
    """Seconds from one frame of a video to a later one; where times are unknown, as many as at ASSUMED_FPS."""
    if early.seconds is None or late.seconds is None:
        return (late.number - early.number) / ASSUMED_FPS
    return late.seconds - early.seconds


def likeness(scene: np.ndarray, other: np.ndarray, max_shift: int = 0) -> float:
    """How alike two scenes are, whatever their light: the correlation of their fields, -1 to 1, black bars left out.

    Args:
        scene: (16, 16) uint8.
        other: (16, 16) uint8.
        max_shift: by how many fields one may be shifted along each axis; the largest correlation counts.
    """
    picture = _picture(scene, other)
    one, two = (image[picture].astype(np.float64) for image in (scene, other))
    if not one.size:
        return 1.0  # nothing but bars that are alike
    height, width = one.shape
    down, across = min(max_shift, height // 2), min(max_shift, width // 2)
    powers = np.zeros((3, height + 2 * down, width + 2 * across))
    inside = powers[:, down : down + height, across : across + width]
    inside[0], inside[1], inside[2] = 1, one, one**2
    shifted = sliding_window_view(powers, one.shape, axis=(1, 2)).reshape(-1, one.size)
    sums = (shifted @ np.array([np.ones_like(two), two, two**2]).reshape(3, -1).T).reshape(3, -1, 3)
    sums /= sums[0, :, :1].copy()
    mean, other_mean = sums[1, :, 0], sums[0, :, 1]
    variance, other_variance = sums[2, :, 0] - mean**2, sums[0, :, 2] - other_mean**2
    covariance = sums[1, :, 1] - mean * other_mean
    return float((covariance / np.sqrt((variance + LEVEL_NOISE) * (other_variance + LEVEL_NOISE))).max())


def _cuts(seconds: np.ndarray, images: np.ndarray) -> list[int]:
    """The positions of cuts in (N,) float64 seconds and (N, 16, 16) uint8 scenes; near either end some may be wrong."""
    coarse = _coarse(images)
    change = [0.0, *np.abs(np.diff(coarse, axis=0)).mean(axis=(1, 2)).tolist()]  # from the frame before each
    found = [
        index
        for index, step in enumerate(change)
        if step >= CUT_CHANGE * LEAST_PICTURE
        and (seconds[index] - seconds[index - 1] > SPARSE_SECONDS or step >= CUT_RATIO * _activity(change, index))
        and _changes_as_at_a_cut(index, seconds, images, coarse)
        and not _is_flash(index, seconds, images)
    ]
    hard = [index for index in found if not any(_hides(other, index, seconds, change) for other in found)]
    return sorted(hard + _blends(seconds, images, coarse, hard))


def _changes_as_at_a_cut(index: int, seconds: np.ndarray, images: np.ndarray, coarse: np.ndarray) -> bool:
    """Whether a frame differs enough from the one before, black bars left out."""
    first = max(0, index - NEIGHBOUR_CHANGES - 1)
    inside = (slice((side.start + 1) // 2, side.stop // 2) for side in _picture(images[index - 1], images[index]))
    part = coarse[(slice(first, index + NEIGHBOUR_CHANGES + 1), *inside)]
    if part[0].size < LEAST_PICTURE * coarse[0].size:
        return False
    changes = np.abs(np.diff(part, axis=0)).reshape(len(part) - 1, -1)
    here = index - first - 1
    change = changes.mean(axis=1).tolist()
    if change[here] < CUT_CHANGE or np.median(changes[here]) < CUT_MEDIAN_CHANGE:
        return False
    gap = seconds[index] - seconds[index - 1]
    calmer = min(change[max(0, here - 1) : here] + change[here + 1 : here + 2], default=0.0)
    stands_out = change[here] >= CUT_RATIO * (calmer + 1)
    alike = likeness(images[index - 1], images[index], MAX_SHIFT)
    if gap <= SPARSE_SECONDS:
        return stands_out and change[here] >= CUT_RATIO * (_activity(change, here) + 1) and alike < CUT_LIKENESS
    if gap > RARE_SECONDS and alike < RARE_LIKENESS:
        return True
    return stands_out and alike < SPARSE_LIKENESS and _is_steady_around(index, images, alike)


def _is_steady_around(index: int, images: np.ndarray, alike: float) -> bool:
    """Whether the two frames before a possible cut are much more alike than those at it, and the two after it, too."""
    if not 2 <= index < len(images) - 1:
        return False  # a shot of a single frame
    sides = [likeness(images[at - 1], images[at], MAX_SHIFT) for at in (index - 1, index + 1)]
    return min(sides) >= max(STEADY_LIKENESS, alike + STEADY_MARGIN) and max(sides) >= STILL_LIKENESS


def _activity(change: Sequence[float], index: int) -> float:
    """How much frames change just before or just after a frame, whichever is more."""
    sides = change[max(0, index - NEIGHBOUR_CHANGES) : index], change[index + 1 : index + 1 + NEIGHBOUR_CHANGES]
    return max(median(side) if side else 0.0 for side in sides)


def _is_flash(index: int, seconds: np.ndarray, images: np.ndarray) -> bool:
    """Whether a scene soon after a frame is like that just before it, or one soon before like that of the frame."""
    last = np.searchsorted(seconds, seconds[index] + FLASH_SECONDS, side="right")
    first = np.searchsorted(seconds, seconds[index - 1] - FLASH_SECONDS)
    return any(likeness(images[index - 1], later) >= CUT_LIKENESS for later in images[index + 1 : last]) or any(
        likeness(earlier, images[index]) >= CUT_LIKENESS for earlier in images[first : index - 1]
    )


def _hides(other: int, index: int, seconds: np.ndarray, change: Sequence[float]) -> bool:
    """Whether another cut is so near that only the one with the larger change counts, and that is the other."""
    near = 0 < abs(other - index) <= NEAR_FRAMES and abs(seconds[other] - seconds[index]) <= FLASH_SECONDS
    return bool(near and (change[other], -other) > (change[index], -index))


def _blends(seconds: np.ndarray, images: np.ndarray, coarse: np.ndarray, hard: Sequence[int]) -> list[int]:
    """The middles of dissolves and fades, between which there is no hard cut."""
    contrast = coarse.std(axis=(1, 2))
    best: dict[int, tuple[float, int, int]] = {}  # residual, and the frames that are compared, by the middle
    for length in BLEND_SECONDS:
        first, last = (np.searchsorted(seconds, seconds + side * length / 2) for side in (-1, 1))
        middle = np.flatnonzero((seconds - seconds[0] >= length / 2) & (last < len(seconds)))
        middle = middle[np.minimum(contrast[first[middle]], contrast[last[middle]]) >= BLEND_CONTRAST]
        way = coarse[last[middle]] - coarse[first[middle]]
        changed = np.abs(way).mean(axis=(1, 2)) >= BLEND_CHANGE
        middle, way = middle[changed], way[changed]
        share = ((coarse[middle] - coarse[first[middle]]) * way).sum(axis=(1, 2)) / (way**2).sum(axis=(1, 2))
        plain = contrast[middle] < PLAIN_CONTRAST
        for index in middle[plain | (np.abs(share - 0.5) < 0.15)].tolist():
            begin, end = int(first[index]), int(last[index])
            residual = 0.0 if contrast[index] < PLAIN_CONTRAST else _blend_residual(images[begin : end + 1])
            if residual <= BLEND_RESIDUAL and not any(begin < cut <= end for cut in hard):
                best[index] = min((residual, begin, end), best.get(index, (inf, 0, 0)))
    in_order = sorted((residual, index) for index, (residual, _, _) in best.items())

    @cache
    def is_unlike(index: int) -> bool:
        _, begin, end = best[index]
        return likeness(images[begin], images[end], MAX_SHIFT) < BLEND_LIKENESS

    def is_hidden(residual: float, index: int) -> bool:
        better = (other for other in in_order if other < (residual, index))
        return any(
            abs(seconds[other] - seconds[index]) <= max(BLEND_SECONDS) / 2 and is_unlike(other) for _, other in better
        )

    return [index for residual, index in in_order if not is_hidden(residual, index) and is_unlike(index)]


def _blend_residual(images: np.ndarray) -> float:
    """How far the frames between the first and the last of (N, 16, 16) are from a mixture of those, as BLEND_RESIDUAL.

    Infinite: they are none, for another reason.
    """
    fields = images.reshape(len(images), -1).astype(np.float32)
    way, on_the_way = fields[-1] - fields[0], fields[1:-1] - fields[0]
    if np.median(np.abs(way)) < BLEND_MEDIAN_CHANGE:
        return inf
    square = float((way**2).sum())
    share = on_the_way @ way / square
    between = (share > 0.15) & (share < 0.85)
    if np.count_nonzero(between) < 3 or np.max(np.maximum.accumulate(share) - share) > BLEND_FALLBACK:
        return inf
    off = on_the_way[between] - share[between, np.newaxis] * way
    return float(np.sqrt((off**2).sum(axis=1).max() / square))


def _coarse(images: np.ndarray) -> np.ndarray:
    """(N, 16, 16) uint8 scenes as (N, 8, 8) float32: the means of 2x2 fields."""
    count, height, width = images.shape
    means: np.ndarray = images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4), dtype=np.float32)
    return means


def _picture(scene: np.ndarray, other: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of two scenes between black bars."""
    return _between_bars(scene, other), _between_bars(scene.T, other.T)


def _between_bars(scene: np.ndarray, other: np.ndarray) -> slice:
    """The rows between the bars at the top and at the bottom; next to a bar there is a row that it may fill in part."""
    pair = np.stack([scene, other]).astype(np.int16)
    flat = (np.ptp(pair, axis=2) <= BAR_RANGE).all(axis=0) & (np.abs(pair[0] - pair[1]).max(axis=1) <= BAR_DIFFERENCE)
    inside = np.flatnonzero(~flat)
    if not len(inside):
        return slice(0, 0)
    top, bottom = int(inside[0]), int(inside[-1]) + 1
    return slice(top + (top > 0), bottom - (bottom < len(flat)))


def _known_seconds(scenes: Scenes) -> np.ndarray:
    """When each frame begins; where times are unknown, as at ASSUMED_FPS."""
    return np.where(np.isnan(scenes.seconds), scenes.numbers / ASSUMED_FPS, scenes.seconds)


def _joined(one: Scenes, two: Scenes) -> Scenes:
    numbers, seconds = np.concatenate([one.numbers, two.numbers]), np.concatenate([one.seconds, two.seconds])
    return Scenes(numbers, seconds, np.concatenate([one.images, two.images]))
