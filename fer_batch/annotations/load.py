"""What the researcher knows about the inputs, and writes down in files of their own."""

from dataclasses import dataclass, field

from fer_batch.annotations import events, people
from fer_batch.annotations.events import Events
from fer_batch.annotations.people import NOBODY, People
from fer_batch.media.sources import FoundMedia
from fer_batch.options import Options


@dataclass(frozen=True)
class Annotations:
    """All of it."""

    people: People = NOBODY
    events: Events = field(default_factory=Events)

    @classmethod
    def read(cls, options: Options, found: FoundMedia) -> "Annotations":
        """Read what the options name, before any medium is opened.

        Raises:
            UsageError: something in it is wrong.
        """
        return cls(
            people=people.read(options.people, found) if options.people else NOBODY,
            events=events.read(options.events, found) if options.events else Events(),
        )
