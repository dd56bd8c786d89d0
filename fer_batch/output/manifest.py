"""run.json: everything that another person needs to know to check, or repeat, a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from fer_batch.analysis import groups
from fer_batch.detection import crop
from fer_batch.emotions import FERPLUS_PARTS
from fer_batch.options import Options
from fer_batch.output.files import MadeInTurn
from fer_batch.output.software import Software
from fer_batch.types import Kind, Outcome, Reason, Severity, Skipped


@dataclass(frozen=True)
class Manifest:
    """What run.json is made of."""

    started: datetime
    finished: datetime
    options: Options
    model: Mapping[str, Any]
    detector: Mapping[str, Any]
    runtime: str | None
    """What computed the shares; None where no new face had to be classified."""
    seconds: Mapping[str, float]
    chunks: Mapping[str, int]
    outcomes: Sequence[Outcome]
    skipped: Sequence[Skipped]
    ignored: Sequence[str]
    persons: int | None = None
    """How many people.csv names; None: there is no people.csv."""
    groups: Sequence[str] = ()
    """The groups that they are in, in the order of people.csv."""
    title: str | None = None
    """Title of the report; None: it has its folder's name."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """Seconds of the events' clock at which each video begins, by its name; 0 for others."""
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Copies of people.csv and events.csv in the output folder, and their digests."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where options come from that do not have their defaults: the command line, or a file of this name."""
    division: str | None = None
    """Of a run on a shard: digest of all sources, those of the other shards too."""
    software: Mapping[str, Software] = field(default_factory=dict)
    """What computed each source, by its name."""


def as_json(manifest: Manifest) -> dict[str, Any]:
    """The content of run.json: no absolute path, no user's name."""
    outcomes, software = manifest.outcomes, Software.joined(manifest.software.values())
    photos = [outcome for outcome in outcomes if outcome.source.kind is Kind.PHOTOS]
    return {
        "fer_batch": software.fer_batch,
        **({"title": manifest.title} if manifest.title else {}),
        "started": manifest.started.isoformat(timespec="seconds"),
        "finished": manifest.finished.isoformat(timespec="seconds"),
        "seconds": {
            **{name: round(value, 3) for name, value in manifest.seconds.items()},
            "total": round((manifest.finished - manifest.started).total_seconds(), 3),
        },
        "versions": dict(software.versions),
        "platform": software.platform,
        "options": manifest.options.as_json(),
        "inputs": {name: dict(copy) for name, copy in manifest.inputs.items()},
        "options_from": dict(manifest.origins),
        "view": _view(manifest.options.view),
        "model": {**manifest.model, "runtime": manifest.runtime},
        "detector": dict(manifest.detector),
        "crop": {"side": crop.CROP_SIDE, "scale": crop.CROP_SCALE},
        "statistics_over_people": _statistics(manifest),
        "counts": {
            "sources": len(outcomes),
            "videos": len(outcomes) - len(photos),
            "photos": sum(outcome.frames for outcome in photos),
            "frames": sum(outcome.frames for outcome in outcomes),
            "frames_with_face": sum(outcome.frames_with_face for outcome in outcomes),
            "faces": sum(outcome.faces for outcome in outcomes),
            "faces_left_out": {
                reason: sum(part.faces for outcome in outcomes for part in outcome.left_out if part.reason is reason)
                for reason in Reason
            },
            "left_out": files_with(Severity.LOST, manifest.skipped),
            "degraded": files_with(Severity.PARTIAL, manifest.skipped),
            **manifest.chunks,
        },
        "sources": MadeInTurn(
            _source(outcome)
            | _clock(outcome, manifest)
            | _software(manifest.software.get(outcome.source.name), software)
            for outcome in outcomes
        ),
        "ignored": list(manifest.ignored),
        "division": manifest.division,
    }


def files_with(severity: Severity, lines: Sequence[Skipped]) -> int:
    """Number of files that have a line of this severity."""
    return len({line.file for line in lines if line.severity is severity})


def _view(name: str) -> dict[str, Any]:
    """Which view the tables show, and the part of each of the model's two outputs in it."""
    part = FERPLUS_PARTS[name]
    return {"name": name, "parts": {"fer2013": 1 - part, "ferplus": part}}


def _statistics(manifest: Manifest) -> str | dict[str, Any]:
    if manifest.persons is None:
        return "none: a face_id is a track in one video, not a person; name them with --people"
    return {
        "persons": manifest.persons,
        "groups": len(manifest.groups),
        "order_of_groups": list(manifest.groups),
        "intervals": "Student's t over persons; Welch's t between different persons",
        "confidence": groups.CONFIDENCE,
        "fewest_persons": groups.FEWEST,
    }


def _clock(outcome: Outcome, manifest: Manifest) -> dict[str, Any]:
    """A video's offset, and the baseline by the clock of events.csv and in seconds of the video, if any are given."""
    options, offset = manifest.options, manifest.offsets.get(outcome.source.name, 0.0)
    if outcome.source.kind is Kind.PHOTOS or (options.events is None and options.baseline is None):
        return {}
    baseline = options.baseline and {
        "clock": list(options.baseline),
        "video": [round(seconds - offset, 6) for seconds in options.baseline],
    }
    return {"offset": offset, "baseline": baseline}


def _software(of_source: Software | None, of_all: Software) -> dict[str, Any]:
    """What computed a source, where that is not what computed all of them."""
    return {} if of_source in (None, of_all) else {"software": asdict(of_source)}


def _source(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.source.name,
        "kind": outcome.source.kind,
        "output": outcome.source.output,
        "timeline": outcome.timeline,
        "frames": outcome.frames,
        "frames_with_face": outcome.frames_with_face,
        "faces": outcome.faces,
        "faces_left_out": {
            part.reason: {
                "faces": part.faces,
                "seconds": None if part.seconds is None else round(part.seconds, 6),
                "tracks": part.tracks,
            }
            for part in outcome.left_out
        },
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 6),
        "perhaps": {str(face): earlier for face, earlier in outcome.perhaps},
        "facts": outcome.facts,
        "notes": [line.reason for line in outcome.skipped],
    }
