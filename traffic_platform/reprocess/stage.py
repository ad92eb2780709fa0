"""What the messages of some dates turn into by today's rules, side by side in a temporary table.

The raw rows of a date are those of the batches that hold messages of it, and all that waits in
quarantine (docs/architecture.md). They are decoded in pieces, so that memory stays bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.batch import order_times, quarantine_days
from traffic_platform.event_tables.write import copy_rows
from traffic_platform.events.columns import Decoded
from traffic_platform.events.dates import local_days
from traffic_platform.events.measures import MEASURES
from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.postgres import copy_binary as pg
from traffic_platform.reprocess.stored_messages import (
    Connection,
    Ints,
    Messages,
    archived_messages,
    read_messages,
)
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.statements import statement

# A batch's messages arrive before it commits: seconds, or the two minutes of an outage's retries.
_ARRIVAL_SLACK = timedelta(hours=1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

Restore = Callable[["Range"], "Iterator[Messages]"]  # what raw lacked of a range, and has now
Progress = Callable[[int], None]  # gets the number of messages just decoded


@dataclass(frozen=True)
class Range:
    """Offsets of one log that batches of the dates hold, and how many raw rows they stored.

    `by_others`: rules other than today's decided messages there.
    """

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int
    by_others: bool
    raw: int


class Ranges:
    """The ranges of a rebuild, and when their messages arrived."""

    def __init__(self, ranges: Sequence[Range], arrived: tuple[datetime, datetime] | None) -> None:
        self._by_log: dict[int, tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]] = {}
        self._ranges = ranges
        self._found = np.zeros(len(ranges), dtype=np.int64)
        self.arrived = arrived
        places = np.array([item.topic_no << 32 | item.partition for item in ranges], dtype=np.int64)
        for place in np.unique(places).tolist():
            numbers = np.flatnonzero(places == place)
            mine = [ranges[number] for number in numbers.tolist()]
            self._by_log[place] = (
                np.array([item.first_offset for item in mine], dtype=np.int64),
                np.array([item.next_offset for item in mine], dtype=np.int64),
                np.array([item.by_others for item in mine], dtype=np.bool_),
                numbers,
            )

    def locate(self, messages: Messages) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which messages lie in a range, and which of these other rules decided; counts them."""
        inside = np.zeros(len(messages), dtype=np.bool_)
        by_others = np.zeros(len(messages), dtype=np.bool_)
        places = messages.topic_no << 32 | messages.partition
        for place in np.unique(places).tolist():
            if place not in self._by_log:
                continue
            first, following, others, numbers = self._by_log[place]
            rows = np.flatnonzero(places == place)
            at = np.searchsorted(first, messages.offset[rows], side="right") - 1
            found = (at >= 0) & (messages.offset[rows] < following[at])
            inside[rows] = found
            by_others[rows] = found & others[at]
            self._found += np.bincount(numbers[at[found]], minlength=len(self._found))
        return inside, by_others

    def incomplete(self) -> list[Range]:
        """The ranges of which fewer messages were located than were stored."""
        return [
            item
            for item, found in zip(self._ranges, self._found.tolist(), strict=True)
            if found < item.raw
        ]


def find_ranges(connection: Connection, dates: Sequence[date], rules_version: str) -> Ranges:
    """Where the messages of these dates lie."""
    parameters = {"dates": list(dates), "rules_version": rules_version}
    rows = connection.execute(statement("reprocess/ranges"), parameters).fetchall()
    arrived = None
    if rows:
        arrived = (
            min(row[6] for row in rows) - _ARRIVAL_SLACK,
            max(row[7] for row in rows) + _ARRIVAL_SLACK,
        )
    return Ranges([Range(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows], arrived)


class Stage:
    """Fills the temporary tables of one connection."""

    def __init__(
        self,
        connection: Connection,
        decoder: StoredMessageDecoder,
        dates: Sequence[date],
        timezone: str,
    ) -> None:
        self._connection = connection
        self._decoder = decoder
        self._timezone = timezone
        self._days = np.array([day.toordinal() - _EPOCH_DAY for day in dates], dtype=np.int64)
        self.sensors: dict[bytes, str] = {}
        self._begun = False
        self.messages = 0
        self.restored: Counter[date] = Counter()

    def fill_stored(self, first: datetime, until: datetime) -> None:
        """Take the events that are stored, undecoded, and nothing else.

        The dates lie from `first` to `until`.
        """
        self._begin()
        of_dates = {
            "first": first,
            "until": until,
            "timezone": self._timezone,
            "dates": [date.fromordinal(day + _EPOCH_DAY) for day in self._days.tolist()],
        }
        self._connection.execute(statement("reprocess/stage_stored"), of_dates)
        self._connection.execute(statement("reprocess/index_stage"))

    def fill(
        self,
        ranges: Ranges,
        progress: Progress,
        *,
        restore: Restore | None,
        archive: Path | None,
    ) -> None:
        """Decode all messages of the dates; `sensors` then names those of their events.

        `restore` brings back what raw lacks of a range; `restored` then counts that by date. Days
        that raw has dropped are read from `archive`, if they are there.
        """
        self._begin()
        if ranges.arrived is not None:
            arrived = {"first": ranges.arrived[0], "last": ranges.arrived[1]}
            with self._connection.transaction():
                for messages in read_messages(self._connection, "reprocess/read_raw", arrived):
                    self._add_located(ranges, messages, progress)
            for messages in archived_messages(self._connection, archive, *ranges.arrived):
                self._add_located(ranges, messages, progress)
        # Piece by piece: while Kafka is asked no transaction holds what windows wait for.
        if restore is not None:
            self._restore(ranges, restore, progress)
        with self._connection.transaction():
            for messages in read_messages(self._connection, "reprocess/read_waiting", {}):
                self._add(messages, np.zeros(len(messages), dtype=np.bool_), waiting=True)
                progress(len(messages))
        self._connection.execute(statement("reprocess/index_stage"))

    def _begin(self) -> None:
        if self._begun:
            self._connection.execute(
                "drop table pg_temp.rebuilt_outcomes, pg_temp.event_changes,"
                " pg_temp.reading_changes, pg_temp.neighbours"
            )
        self._begun = True
        self._connection.execute(statement("reprocess/create_stage"))

    def _add_located(self, ranges: Ranges, messages: Messages, progress: Progress) -> None:
        inside, by_others = ranges.locate(messages)
        rows = np.flatnonzero(inside)
        some = messages if len(rows) == len(messages) else messages.take(rows)
        self._add(some, by_others[rows], waiting=False)
        progress(len(some))

    def _restore(self, ranges: Ranges, restore: Restore, progress: Progress) -> None:
        for item in ranges.incomplete():
            for messages in restore(item):
                self._count_restored(messages)
                self._add(messages, np.full(len(messages), item.by_others), waiting=False)
                progress(len(messages))

    def _count_restored(self, messages: Messages) -> None:
        decoded = self._decoder.decode(messages.values, messages.arrival_us)
        for days in (
            local_days(decoded.processed.timestamp_us, self._timezone).astype(np.int64),
            quarantine_days(decoded, messages.broker_us, self._timezone),
        ):
            self.restored.update(date.fromordinal(day + _EPOCH_DAY) for day in days.tolist())

    def _add(self, messages: Messages, by_others: npt.NDArray[np.bool_], *, waiting: bool) -> None:
        if len(messages) == 0:
            return
        self.messages += len(messages)
        decoded = self._decoder.decode(messages.values, messages.arrival_us)
        # Of other dates only what may have belonged to these by other rules.
        cursor = self._connection.cursor()
        days = local_days(decoded.processed.timestamp_us, self._timezone).astype(np.int64)
        kept = np.isin(days, self._days)
        if not waiting:
            kept |= by_others[decoded.processed.index]
        copy_rows(
            cursor,
            "reprocess/copy_outcomes",
            _encode_events(messages, decoded, by_others, days, np.flatnonzero(kept), waiting),
        )
        days = quarantine_days(decoded, messages.broker_us, self._timezone)
        rows = np.array([item.index for item in decoded.quarantined], dtype=np.int64)
        kept = np.isin(days, self._days)
        if not waiting:
            kept |= by_others[rows]
        copy_rows(
            cursor,
            "reprocess/copy_outcomes",
            _encode_quarantined(messages, decoded, by_others, days, np.flatnonzero(kept), waiting),
        )
        for key, name in decoded.sensors.items():
            self.sensors.setdefault(key, name)


def _shared(
    messages: Messages, by_others: npt.NDArray[np.bool_], rows: Ints, days: Ints, waiting: bool
) -> tuple[pg.Column, ...]:
    order_us = order_times(messages.broker_us[rows], messages.arrival_us[rows])
    return (
        pg.integers(messages.topic_no[rows], 2),
        pg.integers(messages.partition[rows], 4),
        pg.integers(messages.offset[rows], 8),
        pg.integers(messages.batch_id[rows], 8),
        pg.booleans(by_others[rows]),
        pg.booleans(np.full(len(rows), waiting)),
        pg.timestamps(order_us),
        pg.dates(days),
    )


def _encode_events(
    messages: Messages,
    decoded: Decoded,
    by_others: npt.NDArray[np.bool_],
    days: Ints,
    kept: Ints,
    waiting: bool,
) -> bytes | None:
    if len(kept) == 0:
        return None
    events = decoded.processed
    rows = events.index[kept]
    return pg.encode_rows(
        len(kept),
        (
            *_shared(messages, by_others, rows, days[kept], waiting),
            pg.uuids(events.sensor_id[kept]),
            pg.timestamps(events.timestamp_us[kept]),
            *pg.measures(events.measures, kept),
            pg.doubles(events.quality_score[kept]),
            pg.integers(events.quality_flags[kept], 2),
            pg.integers(events.format[kept], 2),
            *[pg.nulls(len(kept))] * 6,
        ),
    )


def _encode_quarantined(
    messages: Messages,
    decoded: Decoded,
    by_others: npt.NDArray[np.bool_],
    days: Ints,
    kept: Ints,
    waiting: bool,
) -> bytes | None:
    if len(kept) == 0:
        return None
    items = [decoded.quarantined[row] for row in kept.tolist()]
    rows = np.array([item.index for item in items], dtype=np.int64)
    broker_us = messages.broker_us[rows]
    missing = broker_us == MISSING_TIMESTAMP
    return pg.encode_rows(
        len(kept),
        (
            *_shared(messages, by_others, rows, days[kept], waiting),
            *[pg.nulls(len(kept))] * (len(MEASURES) + 5),
            pg.Variable([item.reason.value.encode() for item in items]),
            pg.Variable([item.detail.encode() for item in items]),
            pg.variable([messages.keys[row] for row in rows.tolist()]),
            pg.variable([messages.values[row] for row in rows.tolist()]),
            pg.timestamps(broker_us, missing if missing.any() else None),
            pg.timestamps(messages.arrival_us[rows]),
        ),
    )
