"""Outcomes of stored messages under today's rules, in temporary tables of one connection.

A backfill stages the messages of its dates: the raw rows of the batches that hold them, and all
rejected messages. Reprocessing stages a chunk of rejected messages. Messages are decoded in pieces,
so that memory stays bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.audit import quarantine_days
from traffic_platform.event_tables.batch import months_of
from traffic_platform.event_tables.write import copy_rows
from traffic_platform.events.columns import EVENT_NO, Decoded
from traffic_platform.events.dates import local_days
from traffic_platform.events.measures import MEASURES
from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.postgres import copy_binary as pg
from traffic_platform.postgres.connections import Connection
from traffic_platform.reprocess.ranges import Range, Ranges
from traffic_platform.reprocess.stored_messages import (
    Ints,
    Messages,
    archived_messages,
    read_messages,
)
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.statements import statement

_EPOCH_DAY = date(1970, 1, 1).toordinal()

Restore = Callable[[Range], Iterator[Messages]]
"""Yields the messages of a range that raw had lost, after it has written them to raw."""
Progress = Callable[[int], None]
"""Gets the number of decoded messages."""


class Stage:
    """Fills the temporary tables of one connection in autocommit.

    `dates` are those of a backfill; None keeps the outcomes of every date. After a fill, `sensors`
    holds the external id of each sensor by the bytes of its UUID, and `months` the first days of
    the months of the events.
    """

    def __init__(
        self,
        connection: Connection,
        decoder: StoredMessageDecoder,
        timezone: str,
        dates: Sequence[date] | None = None,
    ) -> None:
        self._connection = connection
        self._decoder = decoder
        self._timezone = timezone
        self._days = None
        if dates is not None:
            days = [day.toordinal() - _EPOCH_DAY for day in dates]
            self._days = np.array(days, dtype=np.int64)
        self.sensors: dict[bytes, str] = {}
        self.months: set[date] = set()
        self.messages = 0
        self.restored: Counter[date] = Counter()
        connection.execute(statement("reprocess/create_stage"))

    def fill_stored(self, first: datetime, until: datetime) -> None:
        """Stage only the stored events from `first` to before `until`, with their stored values."""
        self._connection.execute(statement("reprocess/create_stage"))
        bounds = {"first": first, "until": until, "timezone": self._timezone}
        days = [] if self._days is None else self._days.tolist()
        dates = [date.fromordinal(day + _EPOCH_DAY) for day in days]
        self._connection.execute(statement("reprocess/stage_stored"), bounds | {"dates": dates})
        self._connection.execute(statement("reprocess/index_stage"))

    def fill(
        self,
        ranges: Ranges,
        progress: Progress,
        *,
        restore: Restore | None,
        archive: Path | None,
    ) -> None:
        """Decode and stage all messages of the dates.

        `restore` brings back the messages of a range that raw has lost; `restored` counts them by
        date. Days that retention has dropped from raw are read from `archive`, where they exist.
        """
        if ranges.arrived is not None:
            arrived = {"first": ranges.arrived[0], "last": ranges.arrived[1]}
            with self._connection.transaction():
                for messages in read_messages(self._connection, "reprocess/read_raw", arrived):
                    self._add_located(ranges, messages, progress)
            for messages in archived_messages(self._connection, archive, *ranges.arrived):
                self._add_located(ranges, messages, progress)
        # In pieces, so that no transaction that ingest runs wait for is open during Kafka's reads.
        if restore is not None:
            self._restore(ranges, restore, progress)
        with self._connection.transaction():
            for messages in read_messages(self._connection, "reprocess/read_waiting", {}):
                self._add(messages, np.zeros(len(messages), dtype=np.bool_), waiting=True)
                progress(len(messages))
        self._connection.execute(statement("reprocess/index_stage"))

    def fill_rejected(self, messages: Messages) -> None:
        """Stage these rejected messages, and remove those before."""
        self.sensors, self.months = {}, set()
        self._connection.execute("truncate pg_temp.rebuilt_outcomes")
        self._add(messages, np.zeros(len(messages), dtype=np.bool_), waiting=True)
        self._connection.execute("analyze pg_temp.rebuilt_outcomes")

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
        events = decoded.processed
        event_days = local_days(events.timestamp_us, self._timezone).astype(np.int64)
        kept = self._of_dates(event_days, by_others[events.index], waiting=waiting)
        days = quarantine_days(decoded, messages.broker_us, self._timezone)
        rejected = np.array([item.index for item in decoded.quarantined], dtype=np.int64)
        kept_rejected = self._of_dates(days, by_others[rejected], waiting=waiting)
        cursor = self._connection.cursor()
        for rows in (
            _encode_events(messages, decoded, by_others, event_days, kept, waiting),
            _encode_quarantined(messages, decoded, by_others, days, kept_rejected, waiting),
        ):
            copy_rows(cursor, "reprocess/copy_outcomes", rows)
        for key, name in decoded.sensors.items():
            self.sensors.setdefault(key, name)
        if self._days is None:
            self.months |= months_of(events.timestamp_us)

    def _of_dates(self, days: Ints, by_others: npt.NDArray[np.bool_], *, waiting: bool) -> Ints:
        """Return the positions of the outcomes to stage.

        These are the outcomes of the dates. Outcomes of other dates are staged, too, where other
        rules had decided the message: under those it may have belonged to one of the dates.
        """
        if self._days is None:
            return np.arange(len(days))
        kept = np.isin(days, self._days)
        return np.flatnonzero(kept if waiting else kept | by_others)


def _shared(
    messages: Messages, by_others: npt.NDArray[np.bool_], rows: Ints, days: Ints, waiting: bool
) -> tuple[pg.Column, ...]:
    return (
        pg.integers(messages.topic_no[rows], 2),
        pg.integers(messages.partition[rows], 4),
        pg.integers(messages.offset[rows], 8),
        pg.integers(np.full(len(rows), EVENT_NO), 2),
        pg.integers(messages.batch_id[rows], 8),
        pg.booleans(by_others[rows]),
        pg.booleans(np.full(len(rows), waiting)),
        pg.timestamps(messages.clamped_us[rows]),
        pg.timestamps(messages.order_us[rows]),
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
            *[pg.nulls(len(kept))] * 7,
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
            pg.nulls(len(kept)),
        ),
    )
