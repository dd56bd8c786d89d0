"""Everything that users write about their media: who the people are, and what happens when."""

from dataclasses import dataclass, field

from fer_batch.annotations import events, people
from fer_batch.annotations.events import Events
from fer_batch.annotations.people import People
from fer_batch.media.sources import FoundMedia
from fer_batch.options import Options


@dataclass(frozen=True)
class Annotations:
    """What people.csv and events.csv say; empty where they are not given."""

    people: People = field(default_factory=People)
    events: Events = field(default_factory=Events)

    @classmethod
    def read(cls, options: Options, found: FoundMedia) -> "Annotations":
        """Read the files that ``options.people`` and ``options.events`` name. No video or photo is opened.

        Raises:
            UsageError: something in them is wrong.
        """
        return cls(
            people=people.read(options.people, found) if options.people else People(),
            events=events.read(options.events, found) if options.events else Events(),
        )
