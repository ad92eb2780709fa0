"""Results of a backfill, or of a dry run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date


@dataclass
class DateReport:
    """Rows of one date that a backfill added, changed and removed; a dry run counts them only.

    - `entered`: messages that left quarantine as events
    - `left`: messages that were events and are rejected now
    - `moved`: events that belong to another date than before
    - `rejudged`: messages that stay in quarantine with another reason or detail
    """

    date: date
    raw_restored: int = 0
    events_added: int = 0
    events_changed: int = 0
    events_removed: int = 0
    entered: int = 0
    left: int = 0
    moved: int = 0
    rejudged: int = 0
    readings_added: int = 0
    readings_changed: int = 0
    readings_removed: int = 0
    events_compared: int = 0
    seconds: float = 0.0

    @property
    def changes(self) -> int:
        """The number of changed rows in all tables."""
        return (
            self.raw_restored
            + self.events_added
            + self.events_changed
            + self.events_removed
            + self.rejudged
            + self.readings_added
            + self.readings_changed
            + self.readings_removed
        )

    def figures(self) -> dict[str, int | float | str]:
        """Return the report as plain values, with the date in ISO form."""
        return {**asdict(self), "date": self.date.isoformat()}


@dataclass
class BackfillReport:
    """All dates of a backfill, in order."""

    dry_run: bool
    rules_version: str
    dates: list[DateReport] = field(default_factory=list[DateReport])
    messages_decoded: int = 0

    @property
    def changes(self) -> int:
        """The number of changed rows of all dates."""
        return sum(day.changes for day in self.dates)
