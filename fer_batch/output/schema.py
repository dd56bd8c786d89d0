"""Every table's columns and what they mean. Tables are written, read and described from here."""

from collections.abc import Sequence
from dataclasses import dataclass

from fer_batch.analysis.timeline import SECONDS_DECIMALS, SHARE_DECIMALS
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
    """Digits after the point; None: a whole number, or no number."""


@dataclass(frozen=True)
class Table:
    """A table of the output folder, as datapackage.json describes it."""

    name: str
    title: str
    path: str
    """Relative to the output folder."""
    columns: tuple[Column, ...]
    """All that it may have."""
    key: tuple[str, ...] = ()
    """Columns that together tell its rows apart; empty: there are none."""
    refers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names of other tables with columns whose values each of its rows shares with a row there."""


def _seconds(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, "s", SECONDS_DECIMALS)


def _of_each(
    name: str, meaning: str, unit: str = "share, 0 to 1", emotions: Sequence[str] = EMOTIONS
) -> tuple[Column, ...]:
    """A column for each emotion, whose name takes the place of the braces."""
    return tuple(
        Column(name.format(emotion), "number", meaning.format(emotion), unit, SHARE_DECIMALS) for emotion in emotions
    )


SIX: tuple[str, ...] = tuple(name for index, name in enumerate(EMOTIONS) if index != NEUTRAL)
"""The expressions: all emotions but neutral."""

MEANS: tuple[str, ...] = tuple(f"mean_{name}" for name in EMOTIONS)
"""Columns of the mean shares, in the order of EMOTIONS."""

SOURCE = Column("source", "string", "Name of the video or of the folder of photos: one in all tables.")

TIMELINE: tuple[Column, ...] = (
    SOURCE,
    Column("file", "string", "Name of the video, or of the photo within its folder."),
    Column("frame", "integer", "Rank of the frame in presentation order, or of the photo in its folder; from 0."),
    _seconds("timestamp", "Time of the frame, counted from the start of the video's earliest stream."),
    _seconds("duration", "Time from this frame to the next sampled one."),
    Column("face_id", "integer", "Track of a face within one video; position from the left in a photo; from 0."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("success", "boolean", "1: a face. 0: this frame was sampled and no face was found."),
    Column(
        "damaged",
        "boolean",
        "1: the photo, or this frame of the video, is damaged, so that the row may be wrong. errors.csv says more.",
    ),
    Column("face_confidence", "number", "The detector's score for the face.", "0 to 1", SHARE_DECIMALS),
    Column(
        "quality",
        "number",
        "How well the model can read the face: an estimate of how much of its accuracy above chance the face's "
        "size, sharpness, exposure and turn leave. It says nothing of the expression.",
        "0 to 1",
        SHARE_DECIMALS,
    ),
    Column(
        "spurious",
        "boolean",
        "1: seen in one frame only, and in none around it, so likely no face: left out of all summaries.",
    ),
    Column(
        "left_out",
        "string",
        "Why this face is in no summary, episode or mean: spurious, or quality (below --min-quality). Empty: it is in "
        "all of them, or there is no face.",
    ),
    Column("x", "integer", "Left edge of the face's box in the upright frame.", "px"),
    Column("y", "integer", "Top edge of the face's box in the upright frame.", "px"),
    Column("width", "integer", "Width of the face's box.", "px"),
    Column("height", "integer", "Height of the face's box.", "px"),
    *_of_each("{}", "How much the expression looks like {}; the seven sum to 1."),
    Column("emotion", "string", "The emotion with the largest share."),
)

PLACE: tuple[Column, ...] = (
    Column("role", "string", "The person's role, as people.csv says."),
    Column("group", "string", "The person's group, as people.csv says."),
)
"""What people.csv says of a person beside the name."""

NAMED: tuple[Column, ...] = (
    Column("track", "integer", "The face_id that the face has without --people, which joins tracks of one name."),
    *PLACE,
)
"""Columns that --people adds to a timeline."""

SMOOTHED: tuple[Column, ...] = (
    *_of_each(
        "smooth_{}", "Share of {}, averaged over a window of --smooth seconds about the frame; the seven sum to 1."
    ),
    Column("smooth_emotion", "string", "The emotion with the largest smoothed share."),
)
"""Columns that --smooth adds to a video's timeline."""

CHANGED: tuple[Column, ...] = _of_each(
    "change_{}", "Share of {} less its mean in the face's own baseline (--baseline).", "-1 to 1"
)
"""Columns that --baseline adds to a video's timeline."""

WIDEST: tuple[Column, ...] = (*TIMELINE, *NAMED, *SMOOTHED, *CHANGED)
"""All columns that a timeline may have."""

MEASURES: tuple[Column, ...] = (
    *_of_each(
        "mean_{}",
        "Mean of the share of {}: over time in a video (each row weighs its duration), over faces in photos; "
        "the seven sum to 1.",
    ),
    Column("emotion", "string", "The emotion with the largest mean share."),
    *_of_each(
        "strongest_{}",
        "Part of the visible time in a video, or of the faces in photos, in which {} has the largest share of the "
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
        "derived_valence_of_means",
        "number",
        "mean_happiness less the largest of mean_anger, mean_disgust, mean_fear and mean_sadness. Noise in single "
        "frames lowers derived_valence, which looks for the strongest in each of them, but not this.",
        "-1 to 1",
        4,
    ),
    Column(
        "episodes_per_minute",
        "number",
        "Episodes (see episodes.csv) in a minute of visible time. Empty for photos, and where times are unknown.",
        "1/min",
        4,
    ),
)
"""Measures of any rows that are summed up."""

CHANGES: tuple[Column, ...] = (
    *_of_each(
        "change_{}",
        "mean_{0} less the same mean in the face's own baseline (--baseline). Empty: it is not visible there.",
        "-1 to 1",
    ),
    Column("derived_valence_change", "number", "The same of derived_valence.", "-2 to 2", 4),
)
"""Measures that --baseline adds."""

SUMMARY: tuple[Column, ...] = (
    SOURCE,
    Column("file", "string", "Name of the video or of the folder of photos."),
    Column("kind", "string", "video or photos."),
    Column("face_id", "integer", "Track of a face within one video; empty for photos, summed up by folder."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("faces_left_out", "integer", "Rows of the same that it leaves out: the timeline says why."),
    _seconds("first_seen", "Time of the face's first row."),
    _seconds("last_seen", "End of the face's last row."),
    _seconds("seconds_visible", "Sum of the rows' durations."),
    _seconds("seconds_left_out", "Sum of the durations of the rows that are left out."),
    Column(
        "gaps",
        "integer",
        "Stretches between first_seen and last_seen in which the face is not seen. Nothing is interpolated there.",
    ),
    _seconds("seconds_missing", "Sum of the lengths of these stretches."),
    *MEASURES,
)

BY_PERSON: tuple[Column, ...] = (
    Column("person", "string", "A name in people.csv; the same name is the same person, in whatever files."),
    *PLACE,
    Column("kind", "string", "video or photos; the two are not mixed."),
    Column("files", "integer", "Videos, or folders of photos, in which the person is seen."),
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("faces_left_out", "integer", "Rows of the same that it leaves out: the timeline says why."),
    _seconds("seconds_visible", "Sum of the rows' durations; time in which two videos show the person counts in both."),
    _seconds("seconds_left_out", "Sum of the durations of the rows that are left out."),
    *MEASURES,
)

_INTERVAL: tuple[Column, ...] = (
    Column("low", "number", "Lower end of its 95 % interval over persons. Empty: fewer than 5 persons.", "", 4),
    Column("high", "number", "Upper end of its 95 % interval.", "", 4),
)

BY_GROUP: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; the two are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column("persons", "integer", "Persons of the group who have a value; each counts once."),
    Column("mean", "number", "Mean of the measure over persons.", "that of the measure", 4),
    *_INTERVAL,
    Column("values", "string", "Below 5 persons: the value of each, in the order of their names, with ; between."),
)

DIFFERENCES: tuple[Column, ...] = (
    Column("kind", "string", "video or photos; the two are not mixed."),
    Column("group", "string", "A group in people.csv."),
    Column("other_group", "string", "The group that it is compared with."),
    Column("measure", "string", "A column of summary_by_person.csv."),
    Column(
        "design",
        "string",
        "paired: persons who are in both groups, each with themselves. unpaired: those who are only in one group with "
        "those who are only in the other.",
    ),
    Column("persons", "integer", "Persons of the group who are compared in this line."),
    Column("other_persons", "integer", "Persons of the other group who are; paired: the same persons."),
    Column("difference", "number", "Mean over these persons less that over the others.", "that of the measure", 4),
    *_INTERVAL,
    Column(
        "hedges_g",
        "number",
        "The difference in units of the persons' standard deviation, corrected for few persons (Hedges' g).",
        "standard deviations",
        4,
    ),
    Column("values", "string", "Below 5 persons: the value of each, in the order of their names, with ; between."),
    Column("other_values", "string", "The same of the other group; paired: in the same order of persons."),
)

LONG: tuple[Column, ...] = (
    SOURCE,
    Column("person", "string", "A name in people.csv."),
    *PLACE,
    Column("kind", "string", "video or photos."),
    Column("file", "string", "Name of the video or of the folder of photos."),
    Column("event", "string", "An event of events.csv. Empty: the whole video, or the folder."),
    _seconds("start", "When the event begins, which tells events of the same name apart. Empty: no event."),
    Column("emotion", "string", "One of the seven."),
    Column("value", "number", "Mean of the emotion's share, as in summary.csv.", "share, 0 to 1", SHARE_DECIMALS),
    Column("faces", "integer", "Rows with a face that the value is a mean of."),
    _seconds("seconds_visible", "Sum of the rows' durations. Empty for photos, and where times are unknown."),
)

EVENTS: tuple[Column, ...] = (
    Column("file", "string", "Name of the video."),
    Column("label", "string", "What happens, as events.csv says."),
    _seconds("start", "When it begins, in seconds of the video: its offset is subtracted."),
    _seconds("stop", "When it ends."),
)

BY_EVENT: tuple[Column, ...] = (
    SOURCE,
    *EVENTS,
    Column("face_id", "integer", "A face that is visible in the event; empty: there is none."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    *PLACE,
    Column("faces", "integer", "Rows with a face that this line sums up."),
    Column("faces_left_out", "integer", "Rows of the same that it leaves out: the timeline says why."),
    _seconds("seconds_visible", "Time of the event in which the face is seen."),
    _seconds("seconds_left_out", "Time of the event in which it is seen, but left out."),
    _seconds("seconds_missing", "Time of the event in which it is not. Nothing is interpolated there."),
    _seconds("seconds_outside", "Time of the event before the first analysed frame of the video, or after the last."),
    *MEASURES,
)

BY_EVENT_TIME: tuple[Column, ...] = (
    Column("label", "string", "An event of events.csv; all events with this label are put on one axis."),
    Column("group", "string", "A group in people.csv. Empty: everybody."),
    _seconds("seconds", "Where a bin of half a second begins, counted from the event's start; below 0: before it."),
    Column("emotion", "string", "One of the seven."),
    Column("over", "string", "What is one case: persons, or videos where nobody in a video is named."),
    Column("cases", "integer", "Persons, or videos, who are visible in the bin; each counts once."),
    Column("mean", "number", "Mean over them of the emotion's mean share in the bin.", "share, 0 to 1", 4),
    *_INTERVAL,
    Column(
        "change",
        "number",
        "Mean over them of the share less their own mean in the 5 s before the start. Empty: nobody is visible there.",
        "-1 to 1",
        4,
    ),
    Column("change_low", "number", "Lower end of its 95 % interval. Empty: fewer than 5 cases.", "", 4),
    Column("change_high", "number", "Upper end of its 95 % interval.", "", 4),
)

EPISODES: tuple[Column, ...] = (
    SOURCE,
    Column("file", "string", "Name of the video."),
    Column("face_id", "integer", "The face, as in the video's timeline."),
    Column("person", "string", "Who the face is, as people.csv says; empty: it does not say."),
    Column("emotion", "string", "The expression, one of the six other than neutral."),
    _seconds("start", "When it begins, counted from the start of the video's earliest stream."),
    _seconds("stop", "When it ends."),
    _seconds("duration", "From start to stop."),
    Column("mean", "number", "Mean of the emotion's share in it, over time.", "share, 0 to 1", 4),
    Column("peak", "number", "The emotion's largest share in it.", "share, 0 to 1", 4),
    _seconds("peak_time", "When the first frame with that share begins."),
)

ERRORS: tuple[Column, ...] = (
    Column("source", "string", "The video or folder of photos that it is about. Empty: it has no timeline."),
    Column("file", "string", "What the line is about: one of those, a photo, or another file."),
    Column(
        "severity",
        "string",
        "lost: nothing of it is in the tables. partial: something is missing. note: nothing is missing.",
    ),
    Column("rows_kept", "boolean", "1: what could be read is in the timeline. 0: left out altogether (lost)."),
    Column("reason", "string", "Why, or what there is to know."),
)

FILES: tuple[Column, ...] = (
    SOURCE,
    Column("file", "string", "Name of the video, or name of the photo within its folder."),
    Column("sha256", "string", "SHA-256 of all its bytes, hexadecimal. Empty: it could not be read."),
)

_PERSON = ("person", "role", "group", "kind")

SUMMARY_TABLE = Table(
    "summary",
    "Summary of every face, or folder of photos",
    "summary.csv",
    (*SUMMARY, *CHANGES),
    key=("file", "kind", "face_id"),
)
ERRORS_TABLE = Table("errors", "What was left out or is not whole, and notes", "errors.csv", ERRORS)
FILES_TABLE = Table("files", "Every file that was analysed, with its digest", "files.csv", FILES)

OPTIONAL: tuple[Table, ...] = (
    Table("summary-by-person", "Summary of every person", "summary_by_person.csv", (*BY_PERSON, *CHANGES), _PERSON),
    Table(
        "summary-by-group",
        "Means of every group of persons",
        "summary_by_group.csv",
        BY_GROUP,
        key=("kind", "group", "measure"),
        refers=(("summary-by-person", ("group",)),),
    ),
    Table(
        "group-differences",
        "Differences between groups of persons",
        "group_differences.csv",
        DIFFERENCES,
        key=("kind", "group", "other_group", "measure", "design"),
        refers=(("summary-by-person", ("group",)),),
    ),
    Table(
        "summary-long",
        "A mean share in each line, for mixed models",
        "summary_long.csv",
        LONG,
        key=(*_PERSON, "file", "event", "start", "emotion"),
        refers=(("summary-by-person", _PERSON),),
    ),
    Table(
        "summary-by-event",
        "Summary of every face in every event",
        "summary_by_event.csv",
        (*BY_EVENT, *CHANGES),
        key=("file", "label", "start", "face_id"),
        refers=(("events", ("file", "label", "start")),),
    ),
    Table("summary-by-event-time", "Means in the seconds around events", "summary_by_event_time.csv", BY_EVENT_TIME),
    Table("events", "Events, in the time of each video", "events.csv", EVENTS, key=("file", "label", "start")),
    Table(
        "episodes",
        "Episodes: when each face shows an expression",
        "episodes.csv",
        EPISODES,
        key=("file", "face_id", "start"),
        refers=(("summary", ("file", "face_id")),),
    ),
)
"""Tables that not every run writes."""
