"""What each column of each table means: the data dictionary, from which tables are written, read and described."""

from collections.abc import Sequence
from dataclasses import dataclass

from fer_batch.emotions import EMOTIONS, NEUTRAL


@dataclass(frozen=True)
class Column:
    """One column of a table, as datapackage.json describes it."""

    name: str
    type: str
    """A Frictionless type: string, integer, number or boolean."""
    meaning: str
    unit: str = ""
    decimals: int | None = None
    """Digits after the point; None: not a fraction."""


def _of_each(
    name: str, meaning: str, unit: str = "share, 0 to 1", emotions: Sequence[str] = EMOTIONS
) -> tuple[Column, ...]:
    """A column for each emotion, whose name stands in for the braces."""
    return tuple(Column(name.format(one), "number", meaning.format(one), unit, 4) for one in emotions)


SIX: tuple[str, ...] = tuple(name for at, name in enumerate(EMOTIONS) if at != NEUTRAL)
"""The expressions: all emotions but neutral."""

MEANS: tuple[str, ...] = tuple(f"mean_{name}" for name in EMOTIONS)
"""Columns of the mean shares, in the order of EMOTIONS."""

TIMELINE: tuple[Column, ...] = (
    Column("file", "string", "Name of the film, or of the photograph within its folder."),
    Column("frame", "integer", "Rank of the frame in presentation order, or of the photograph in its folder; from 0."),
    Column("timestamp", "number", "Time of the frame, counted from the start of the film's earliest stream.", "s", 6),
    Column("duration", "number", "Time from this frame to the next one that was looked at.", "s", 6),
    Column("face_id", "integer", "Track of a face within one film; position from the left in a photograph; from 0."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("success", "boolean", "1: a face. 0: this frame was looked at and no face was found."),
    Column("face_confidence", "number", "The detector's score for the face.", "0 to 1", 4),
    Column(
        "quality",
        "number",
        "How good the face's picture is to read: an estimate of how much of the model's accuracy above chance its "
        "size, sharpness, exposure and turn leave. It says nothing of the expression.",
        "0 to 1",
        4,
    ),
    Column(
        "spurious",
        "boolean",
        "1: seen in one frame only, and in none around it, so likely no face: left out of whatever is summed up.",
    ),
    Column("x", "integer", "Left edge of the face's box in the upright frame.", "px"),
    Column("y", "integer", "Top edge of the face's box in the upright frame.", "px"),
    Column("width", "integer", "Width of the face's box.", "px"),
    Column("height", "integer", "Height of the face's box.", "px"),
    *_of_each("{}", "How much the expression looks like {}; the seven sum to 1."),
    Column("emotion", "string", "The emotion with the largest share."),
)

SMOOTHED: tuple[Column, ...] = (
    *_of_each(
        "smooth_{}", "Share of {}, averaged over a window of --smooth seconds about the frame; the seven sum to 1."
    ),
    Column("smooth_emotion", "string", "The emotion with the largest smoothed share."),
)
"""Columns that --smooth adds to a film's timeline."""

CHANGED: tuple[Column, ...] = _of_each(
    "change_{}", "Share of {} less its mean in the face's own baseline (--baseline).", "-1 to 1"
)
"""Columns that --baseline adds to a film's timeline."""

WIDEST: tuple[Column, ...] = (*TIMELINE, *SMOOTHED, *CHANGED)
"""All columns that a timeline may have."""

MEASURES: tuple[Column, ...] = (
    *_of_each(
        "mean_{}",
        "Mean of the share of {}: over time in a film (each row weighs its duration), over faces in photographs; "
        "the seven sum to 1.",
    ),
    Column("emotion", "string", "The emotion with the largest mean share."),
    *_of_each(
        "strongest_{}",
        "Part of the visible time in a film, or of the faces in photographs, in which {} has the largest share of the "
        "seven; the seven parts sum to 1.",
        "part, 0 to 1",
    ),
    *_of_each(
        "strongest_{}_without_neutral",
        "The same, of the time (or faces) in which another emotion than neutral has the largest share; the six parts "
        "sum to 1. Empty: it is always neutral.",
        "part, 0 to 1",
        SIX,
    ),
    Column(
        "derived_valence",
        "number",
        "Mean of happiness less the strongest of anger, disgust, fear and sadness: derived from the shares, not "
        "recognised by the model.",
        "-1 to 1",
        4,
    ),
    Column(
        "episodes_per_minute",
        "number",
        "Episodes (see episodes.csv) in a minute of visible time. Empty for photographs, and where times are unknown.",
        "1/min",
        4,
    ),
)
"""What is said of any rows that are summed up."""

CHANGES: tuple[Column, ...] = (
    *_of_each(
        "change_{}",
        "mean_{0} less the same mean in the face's own baseline (--baseline). Empty: it is not visible there.",
        "-1 to 1",
    ),
    Column("derived_valence_change", "number", "The same of derived_valence.", "-2 to 2", 4),
)
"""Measures that --baseline adds."""

PLACE: tuple[Column, ...] = (
    Column("role", "string", "The person's role, as people.csv says."),
    Column("group", "string", "The person's group, as people.csv says."),
)
"""What people.csv says of a person beside the name."""

SUMMARY: tuple[Column, ...] = (
    Column("file", "string", "Name of the film or of the folder of photographs."),
    Column("kind", "string", "video or photos."),
    Column("face_id", "integer", "Track of a face within one film; empty for photographs, summed up by folder."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("first_seen", "number", "Time of the face's first row.", "s", 6),
    Column("last_seen", "number", "End of the face's last row.", "s", 6),
    Column("seconds_visible", "number", "Sum of the rows' durations.", "s", 6),
    Column(
        "gaps",
        "integer",
        "Stretches between first_seen and last_seen in which the face is not seen. Nothing is interpolated there.",
    ),
    Column("seconds_missing", "number", "Length of these stretches together.", "s", 6),
    *MEASURES,
)

BY_PERSON: tuple[Column, ...] = (
    Column("person", "string", "A name in people.csv; the same name is the same person, in whatever files."),
    *PLACE,
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("files", "integer", "Films, or folders of photographs, in which the person is seen."),
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column(
        "seconds_visible",
        "number",
        "Sum of the rows' durations; time in which two films show the person counts in both.",
        "s",
        6,
    ),
    *MEASURES,
)

BY_GROUP: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column("persons", "integer", "Persons of the group who have a value; each counts once."),
    Column("mean", "number", "Mean of the measure over persons.", "that of the measure", 4),
    Column("low", "number", "Lower end of its 95 % interval, from resampling persons. Empty: one person.", "", 4),
    Column("high", "number", "Upper end of its 95 % interval.", "", 4),
)

DIFFERENCES: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; films and photographs are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("other_group", "string", "The group that it is compared with."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column("persons", "integer", "Persons of the group who have a value; each counts once."),
    Column("other_persons", "integer", "Persons of the other group who have a value."),
    Column("persons_in_both", "integer", "Persons who are in both groups: their values are resampled together."),
    Column("difference", "number", "The group's mean over persons less the other's.", "that of the measure", 4),
    Column("low", "number", "Lower end of its 95 % interval, from resampling persons. Empty: one person.", "", 4),
    Column("high", "number", "Upper end of its 95 % interval.", "", 4),
)

EVENTS: tuple[Column, ...] = (
    Column("file", "string", "Name of the film."),
    Column("label", "string", "What happens, as events.csv says."),
    Column("start", "number", "When it begins, in seconds of the film: its offset is taken off.", "s", 6),
    Column("stop", "number", "When it ends.", "s", 6),
)

BY_EVENT: tuple[Column, ...] = (
    *EVENTS,
    Column("face_id", "integer", "A face that is visible in the event; empty: there is none."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("seconds_visible", "number", "Time of the event in which the face is seen.", "s", 6),
    Column("seconds_missing", "number", "Time of the event in which it is not. Nothing is interpolated there.", "s", 6),
    *MEASURES,
)

EPISODES: tuple[Column, ...] = (
    Column("file", "string", "Name of the film."),
    Column("face_id", "integer", "The face, as in the film's timeline."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("emotion", "string", "The expression, one of the six other than neutral."),
    Column("start", "number", "When it begins, counted from the start of the film's earliest stream.", "s", 6),
    Column("stop", "number", "When it ends.", "s", 6),
    Column("duration", "number", "From start to stop.", "s", 6),
    Column("mean", "number", "Mean of the emotion's share in it, over time.", "share, 0 to 1", 4),
    Column("peak", "number", "The emotion's largest share in it.", "share, 0 to 1", 4),
    Column("peak_time", "number", "When the first frame with that share begins.", "s", 6),
)

ERRORS: tuple[Column, ...] = (
    Column("file", "string", "What was left out, or is not whole."),
    Column("rows_kept", "boolean", "1: what could be read is in the timeline. 0: left out altogether."),
    Column("reason", "string", "Why."),
)

OPTIONAL: tuple[tuple[str, str, str, tuple[Column, ...]], ...] = (
    ("summary-by-person", "Summary of every person", "summary_by_person.csv", (*BY_PERSON, *CHANGES)),
    ("summary-by-group", "Means of every group of persons", "summary_by_group.csv", BY_GROUP),
    ("group-differences", "Differences between groups of persons", "group_differences.csv", DIFFERENCES),
    ("summary-by-event", "Summary of every face in every event", "summary_by_event.csv", (*BY_EVENT, *CHANGES)),
    ("events", "Events, in the time of each film", "events.csv", EVENTS),
    ("episodes", "Episodes: when each face shows an expression", "episodes.csv", EPISODES),
)
"""Name, title, path and columns of tables that datapackage.json describes where they are there."""
