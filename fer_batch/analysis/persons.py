"""Pure: what is known of one person from several films, or several folders of photographs, becomes one summary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_batch.types import Kind, Summary


@dataclass(frozen=True)
class Person:
    """One person in one role and group, in all films, or in all photographs."""

    files: int
    """Films, or folders."""
    summary: Summary
    """Of them all; its ``file`` is empty, and it has no times that mean something in one film only."""


def together(summaries: Iterable[Summary]) -> list[Person]:
    """One Person for each name, role, group and kind of source among the summaries that have a name, sorted."""
    parts: dict[tuple[str, str, str, Kind], list[Summary]] = {}
    for one in summaries:
        if one.person:
            parts.setdefault((one.person, one.role, one.group, one.kind), []).append(one)
    return [Person(len({one.file for one in parts[key]}), _sum(parts[key])) for key in sorted(parts)]


def _sum(parts: Sequence[Summary]) -> Summary:
    """Films weigh the seconds in which the person is visible, photographs their faces.

    Films without times weigh nothing beside others.
    """
    seconds = [one.seconds_visible or 0.0 for one in parts]
    timed = any(seconds)
    weights = np.array(seconds if timed else [one.faces for one in parts], dtype=np.float64)
    counted = [one.episodes for one in parts if one.episodes is not None]
    return Summary(
        file="",
        kind=parts[0].kind,
        face_id=None,
        person=parts[0].person,
        faces=sum(one.faces for one in parts),
        first_seen=None,
        last_seen=None,
        seconds_visible=sum(seconds) if timed else None,
        gaps=None,
        seconds_missing=None,
        means=np.average([one.means for one in parts], axis=0, weights=weights),
        strongest=np.average([one.strongest for one in parts], axis=0, weights=weights),
        valence=float(np.average([one.valence for one in parts], weights=weights)),
        episodes=sum(counted) if counted else None,
        role=parts[0].role,
        group=parts[0].group,
        changes=_average([one.changes for one in parts], weights),
        valence_change=_average([one.valence_change for one in parts], weights),
    )


def _average(values: Sequence[Any], weights: np.ndarray) -> Any:
    """Of those that are known; None where none is."""
    known = [at for at, value in enumerate(values) if value is not None]
    if not known or weights[known].sum() == 0:
        return None
    return np.average([values[at] for at in known], axis=0, weights=weights[known])
