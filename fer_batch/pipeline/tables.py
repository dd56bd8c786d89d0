"""The tables over all sources, from what became of each."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fer_batch.analysis import groups, persons
from fer_batch.analysis.event_time import event_time_means
from fer_batch.analysis.summary import SourceSummary
from fer_batch.output import folder as outfolder
from fer_batch.output import manifest, study
from fer_batch.output.csv import (
    write_by_event,
    write_differences,
    write_episodes,
    write_event_time,
    write_events,
    write_files,
    write_groups,
    write_long,
    write_people,
    write_skipped,
    write_summary,
)
from fer_batch.output.datapackage import write_datapackage
from fer_batch.output.files import write_json
from fer_batch.output.results import Results
from fer_batch.output.schema import CHANGES, ERRORS_TABLE, FILES_TABLE, OPTIONAL, SUMMARY_TABLE
from fer_batch.output.timelines import PARQUET


def write_tables(folder: Path, facts: manifest.Manifest, summaries: Sequence[SourceSummary]) -> None:
    """Write every table but the timelines, and remove those of an earlier run that this run does not write.

    What became of each source is written down in the folder already.

    Raises:
        OutputError: one cannot be written.
    """
    options = facts.options
    in_events = [event for summary in summaries for event in summary.events]
    timelines = {outcome.source.name: outcome.timeline for outcome in facts.outcomes}
    outfolder.sweep(folder / "timelines", keep=(folder / path for path in timelines.values()))
    for table in OPTIONAL:
        outfolder.remove(folder / table.path)
    changes = CHANGES if options.baseline else ()
    write_summary(folder / SUMMARY_TABLE.path, (line for summary in summaries for line in summary.summaries), changes)
    write_episodes(folder / "episodes.csv", (episode for summary in summaries for episode in summary.episodes))
    if options.people is not None:
        people = [person for summary in summaries for person in summary.people]
        write_people(folder / "summary_by_person.csv", persons.summarize_persons(people), changes)
        means, differences = groups.compare(people, facts.groups)
        write_groups(folder / "summary_by_group.csv", means)
        write_differences(folder / "group_differences.csv", differences)
        write_long(folder / "summary_long.csv", people, in_events)
    if options.events is not None:
        write_events(folder / "events.csv", dict.fromkeys(one.event for one in in_events))
        write_by_event(folder / "summary_by_event.csv", in_events, changes)
        around = (one for summary in summaries for one in summary.around_events)
        write_event_time(folder / "summary_by_event_time.csv", event_time_means(around, facts.groups))
    write_skipped(folder / ERRORS_TABLE.path, facts.skipped, timelines)
    write_files(folder / FILES_TABLE.path, study.read_files(folder, (outcome.source for outcome in facts.outcomes)))
    finished = facts.finished.isoformat(timespec="seconds")
    write_datapackage(folder / "datapackage.json", timelines, finished, parquet=options.parquet)
    write_json(folder / "run.json", manifest.as_json(facts))
    _write_parquet(folder, wanted=options.parquet)


def _write_parquet(folder: Path, *, wanted: bool) -> None:
    """Write the timelines as Parquet, too; or remove those of an earlier run."""
    paths = []
    if wanted:
        from fer_batch.output.parquet import write_timelines

        paths = write_timelines(Results.read(folder), folder / PARQUET)
    outfolder.sweep(folder / PARQUET, keep=paths)
    if not paths:
        with suppress(OSError):  # it is not there, or what is in it is in use
            (folder / PARQUET).rmdir()
