"""How well faces keep their identity: IDF1 against a known truth (Ristani et al. 2016, arXiv:1609.01775)."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_batch.types import Box

LEAST_OVERLAP = 0.5
"""Intersection over union from which what was found is what was there."""


@dataclass(frozen=True)
class Identities:
    """What became of the people of a video."""

    idf1: float
    """Of all faces that are there or were found, the share that the best pairing of people and face_ids gets right."""
    ids: dict[Hashable, set[Hashable]]
    """The face_ids under which each person was found, in at least one frame."""


def judge(frames: Iterable[tuple[Mapping[Hashable, Box], Mapping[Hashable, Box]]]) -> Identities:
    """From each frame's people and where they are, and each frame's face_ids and where they were found."""
    there: Counter[Hashable] = Counter()
    found: Counter[Hashable] = Counter()
    both: Counter[tuple[Hashable, Hashable]] = Counter()
    for people, faces in frames:
        there.update(people.keys())
        found.update(faces.keys())
        both.update(
            (person, face)
            for person, box in people.items()
            for face, other in faces.items()
            if box.overlap(other) >= LEAST_OVERLAP
        )
    right = np.array([[both[person, face] for face in found] for person in there])
    pairs = linear_sum_assignment(-right.reshape(len(there), len(found)))
    ids = {person: {face for face in found if both[person, face]} for person in there}
    return Identities(2 * right[pairs].sum() / (there.total() + found.total()), ids)
