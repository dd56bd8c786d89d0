"""Pure: one summary of each person, from the summaries of several videos or several folders of photos."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_batch.natural_order import natural
from fer_batch.types import Kind, Summary


@dataclass(frozen=True)
class Person:
    """One person in one role and group, in all videos, or in all photos."""

    files: int
    """Videos, or folders."""
    summary: Summary
    """Of them all; its ``file`` is empty, and times that are those of a single video are None."""


def summarize_persons(summaries: Iterable[Summary]) -> list[Person]:
    """One Person for each name, role, group and kind of source among the summaries that have a name, sorted."""
    parts: dict[tuple[str, str, str, Kind], list[Summary]] = {}
    for summary in summaries:
        if summary.person:
            parts.setdefault((summary.person, summary.role, summary.group, summary.kind), []).append(summary)
    return [Person(len({part.file for part in parts[key]}), _merge(parts[key])) for key in sorted(parts, key=_order)]


def _order(key: tuple[str, ...]) -> Any:
    return [natural(part) for part in key]


def _merge(parts: Sequence[Summary]) -> Summary:
    """One summary of all ``parts``, averaged.

    A video weighs the seconds in which the person is visible, a folder of photos the number of the person's faces.
    Videos without times weigh nothing beside others.
    """
    seconds = [part.seconds_visible or 0.0 for part in parts]
    timed = any(seconds)
    weights = np.array(seconds if timed else [part.faces for part in parts], dtype=np.float64)
    counted = [part.episodes for part in parts if part.episodes is not None]
    return Summary(
        file="",
        kind=parts[0].kind,
        face_id=None,
        person=parts[0].person,
        faces=sum(part.faces for part in parts),
        first_seen=None,
        last_seen=None,
        seconds_visible=sum(seconds) if timed else None,
        gaps=None,
        seconds_missing=None,
        means=np.average([part.means for part in parts], axis=0, weights=weights),
        strongest=np.average([part.strongest for part in parts], axis=0, weights=weights),
        valence=float(np.average([part.valence for part in parts], weights=weights)),
        episodes=sum(counted) if counted else None,
        role=parts[0].role,
        group=parts[0].group,
        changes=_average([part.changes for part in parts], weights),
        valence_change=_average([part.valence_change for part in parts], weights),
        faces_left_out=sum(part.faces_left_out for part in parts),
        seconds_left_out=sum(part.seconds_left_out or 0.0 for part in parts) if timed else None,
    )


def _average(values: Sequence[Any], weights: np.ndarray) -> Any:
    """Weighted mean of the values that are known; None where none is."""
    known = [index for index, value in enumerate(values) if value is not None]
    if not known or weights[known].sum() == 0:
        return None
    return np.average([values[index] for index in known], axis=0, weights=weights[known])
