"""How high a face must be to be seen in a source: users are told once per run, and by ``--dry-run``."""

from collections.abc import Sequence

from fer_batch.detection import looks
from fer_batch.detection.looks import Region
from fer_batch.options import DEFAULT_MIN_FACE, Options
from fer_batch.types import Outcome, Severity, Skipped, Source

FACT = "smallest_face"
"""Name of this height among the facts of a source in run.json."""


def height(source: Source, size: tuple[int, int], options: Options) -> int | None:
    """The height in pixels below which most faces are missed in frames of this width and height.

    None: they are not searched.
    """
    if options.cropped and source.in_photo_files:
        return None
    part = Region(*options.region).within(*size) if options.region else Region(0, 0, *size)
    return None if part is None else looks.smallest_seen(source.kind, part.width, part.height, options.min_face)


def note(outcomes: Sequence[Outcome], options: Options) -> Skipped | None:
    """A line about the source in which the largest faces are missed; None: no face that is wanted is too small."""
    wanted = options.min_face or DEFAULT_MIN_FACE
    limited = [outcome for outcome in outcomes if outcome.facts.get(FACT, 0) > wanted]
    if not limited:
        return None
    worst = max(limited, key=lambda outcome: outcome.facts[FACT])
    if options.min_face is None:
        cause = "large frames are shrunk to be searched fast."
        cause += f" --min-face {wanted} searches them closely, which takes longer."
    else:
        cause = f"frames are enlarged {looks.MAX_ENLARGEMENT:g} times at most, whatever --min-face says."
    others = ""
    if len(limited) > 1:
        others = f" The same is true, with other heights, of {len(limited) - 1} more: see {FACT} in run.json."
    text = f"Most faces below {worst.facts[FACT]} pixels of height are missed here: {cause}{others}"
    return Skipped(worst.source.name, text, Severity.NOTE)
