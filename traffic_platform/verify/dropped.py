"""Rows of a generation that retention dropped: they may be missing without a difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.stored_rows import Ints, Outcomes, Quarantine
from traffic_platform.verify.verify_report import BySums


@dataclass(frozen=True)
class DroppedMonth:
    """Dropped events: from `begin_us` to before `end_us` (µs since 1970), below an offset."""

    begin_us: int
    end_us: int
    next_offset: int


@dataclass(frozen=True)
class Dropped:
    """Dropped rows of one generation: raw messages below `raw_to`, and events of `months`."""

    raw_to: int = 0
    months: tuple[DroppedMonth, ...] = ()

    @property
    def events_to(self) -> int:
        """The offset below which an event may be dropped, whatever its time."""
        return max((month.next_offset for month in self.months), default=0)

    def may_lack_raw(self, offset: int) -> bool:
        """Return True if retention may have dropped the message from raw."""
        return offset < self.raw_to

    def may_lack_event(self, offset: int, timestamp_us: int) -> bool:
        """Return True if retention may have dropped the event from processed."""
        return any(
            offset < month.next_offset and month.begin_us <= timestamp_us < month.end_us
            for month in self.months
        )

    def with_raw(
        self, processed: Outcomes, quarantined: Quarantine, raw: Ints
    ) -> tuple[Outcomes, Quarantine]:
        """Return the outcomes without those whose message was dropped and cannot be decoded again.

        `raw` are the offsets that raw holds.
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
        """Return decided events, without those that are not stored because they were dropped."""
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


def read_dropped(connection: Connection, generation: PartitionGeneration) -> Dropped:
    """Return the dropped rows of a generation."""
    rows = connection.execute(statement("verify/dropped_log"), vars(generation)).fetchall()
    return dropped_of(rows)


def dropped_of(rows: Iterable[tuple[str, datetime, datetime, int]]) -> Dropped:
    """Return the dropped rows from (table, lower bound, upper bound, offset)."""
    raw_to, months = 0, list[DroppedMonth]()
    for table, lower, upper, offset in rows:
        if table == "raw_events":
            raw_to = max(raw_to, offset)
        elif table == "processed_events":
            months.append(DroppedMonth(_microseconds(lower), _microseconds(upper), offset))
    return Dropped(raw_to, tuple(months))


def read_by_sums(connection: Connection) -> BySums:
    """Return the numbers of rows that only sums can prove."""
    row = connection.execute(statement("verify/by_sums")).fetchone()
    assert row is not None
    return BySums(*row)


def _microseconds(time: datetime) -> int:
    return round(time.timestamp()) * 1_000_000
