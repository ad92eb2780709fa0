"""What retention dropped of a log: rows that may be missing, and are no difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from traffic_platform.statements import statement
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.snapshot import Connection
from traffic_platform.verify.stored_rows import Ints, Outcomes, Quarantine
from traffic_platform.verify.verify_report import BySums


@dataclass(frozen=True)
class DroppedMonth:
    """Events from `begin_us` to before `end_us` (µs since 1970) below an offset were dropped."""

    begin_us: int
    end_us: int
    next_offset: int


@dataclass(frozen=True)
class Dropped:
    """Of one log: messages below `raw_to` may be gone from raw, events from `months`."""

    raw_to: int = 0
    months: tuple[DroppedMonth, ...] = ()

    @property
    def events_to(self) -> int:
        """Below this offset an event may be gone, whatever its time."""
        return max((month.next_offset for month in self.months), default=0)

    def may_lack_raw(self, offset: int) -> bool:
        """Whether the message may be gone from raw."""
        return offset < self.raw_to

    def may_lack_event(self, offset: int, timestamp_us: int) -> bool:
        """Whether the event may be gone from processed."""
        return any(
            offset < month.next_offset and month.begin_us <= timestamp_us < month.end_us
            for month in self.months
        )

    def with_raw(
        self, processed: Outcomes, quarantined: Quarantine, raw: Ints
    ) -> tuple[Outcomes, Quarantine]:
        """The outcomes without those whose message is gone, so that nothing can decode it again.

        `raw` are the offsets whose messages are there.
        """
        if not self.raw_to:
            return processed, quarantined
        kept = (processed.offset >= self.raw_to) | np.isin(processed.offset, raw)
        there = set(raw.tolist())
        return (
            processed.take(kept),
            {
                key: why
                for key, why in quarantined.items()
                if key[0] >= self.raw_to or key[0] in there
            },
        )

    def without_events(self, decided: Outcomes, stored: Ints) -> Outcomes:
        """What was decided, without events that are neither stored nor missed."""
        if not self.months:
            return decided
        missing = np.flatnonzero(~np.isin(decided.offset, stored))
        gone = [
            row
            for row in missing.tolist()
            if self.may_lack_event(int(decided.offset[row]), int(decided.timestamp_us[row]))
        ]
        kept = np.ones(len(decided.offset), dtype=np.bool_)
        kept[gone] = False
        return decided.take(kept)


def read_dropped(connection: Connection, log: PartitionGeneration) -> Dropped:
    """What was dropped of a log."""
    rows = connection.execute(statement("verify/dropped_log"), vars(log)).fetchall()
    return dropped_of(rows)


def dropped_of(rows: Iterable[tuple[str, datetime, datetime, int]]) -> Dropped:
    """From rows of `dropped_rows`: table, bounds, offset."""
    raw_to, months = 0, list[DroppedMonth]()
    for table, lower, upper, offset in rows:
        if table == "raw_events":
            raw_to = max(raw_to, offset)
        elif table == "processed_events":
            months.append(DroppedMonth(_microseconds(lower), _microseconds(upper), offset))
    return Dropped(raw_to, tuple(months))


def read_by_sums(connection: Connection) -> BySums:
    """What only sums can prove any more."""
    row = connection.execute(statement("verify/by_sums")).fetchone()
    assert row is not None
    return BySums(*row)


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp()) * 1_000_000
