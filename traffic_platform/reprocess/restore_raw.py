"""Missing raw rows, read again from Kafka while Kafka retains them. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from confluent_kafka import Message

from traffic_platform.event_tables.encode import encode_raw
from traffic_platform.event_tables.order_times import (
    MINUS_INFINITY,
    Provenance,
    clamp,
    received,
)
from traffic_platform.event_tables.write import Tables, copy_rows
from traffic_platform.events.dates import to_microseconds
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.kafka.messages import broker_times, headers_of
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.postgres.connections import Connection
from traffic_platform.reprocess.ranges import Range
from traffic_platform.reprocess.stored_messages import Ints, Messages
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

_OFFSETS = 100_000  # compared together
_PLUS_INFINITY = int(np.iinfo(np.int64).max)


class RawRestorer:
    """Insertion of missing raw rows, with their former batch and arrival.

    Rows of a topic that was deleted or recreated stay missing, as do messages that Kafka's
    retention has deleted. Raises KafkaException, TransientError and PermanentError as reading Kafka
    does.
    """

    def __init__(self, connection: Connection, settings: Settings, signer: Signer) -> None:
        self._connection = connection
        self._config = settings.kafka_config()
        self._tables = Tables(connection, settings.unknown_sensors)
        self._signer = signer
        self._broker = Broker(self._config)
        self._topics: dict[str, BrokerTopic | None] = {}

    def restore(self, item: Range) -> Iterator[Messages]:
        """Restore a range, and yield the restored messages in pieces."""
        query = statement("reprocess/generation_identity")
        row = self._connection.execute(query, vars(item)).fetchone()
        if row is None:
            return
        name, kafka_topic_id, dropped_to = str(row[0]), str(row[1]), int(row[2])
        if name not in self._topics:
            self._topics[name] = self._broker.describe(name)
        topic = self._topics[name]
        if topic is None or topic.topic_id != kafka_topic_id:
            return
        ends = topic.partitions.get(item.partition)
        if ends is None:
            return
        first = max(item.first_offset, ends.low, dropped_to)
        if first >= min(item.next_offset, ends.end):
            return
        with LogReader(self._config, "traffic-backfill") as kafka:
            kafka.seek(name, item.partition, first)
            for begin in range(first, item.next_offset, _OFFSETS):
                end = min(begin + _OFFSETS, item.next_offset)
                yield from self._restore_part(
                    replace(item, first_offset=begin, next_offset=end), kafka
                )

    def _restore_part(self, item: Range, kafka: LogReader) -> Iterator[Messages]:
        query = statement("reprocess/raw_offsets")
        rows = self._connection.execute(query, vars(item), binary=True).fetchall()
        held = {int(row[0]) for row in rows}
        batches = _Batches(self._connection, item, _OrderTimes.of(rows))
        for messages in kafka.read_below(item.next_offset):
            restored = self._insert(item, messages, held, batches)
            if restored is not None:
                yield restored

    def _insert(
        self, item: Range, messages: list[Message], held: set[int], batches: _Batches
    ) -> Messages | None:
        offsets = [message.offset() or 0 for message in messages]
        pairs = headers_of(messages)
        missing = [
            row
            for row, headers in enumerate(pairs)
            if offsets[row] not in held
            and (headers is None or self._signer.origin(headers, messages[row].value()) is None)
        ]
        if not missing:
            return None
        chosen = [messages[row] for row in missing]
        offset = np.array([offsets[row] for row in missing], dtype=np.int64)
        batch_id, arrival_us = batches.locate(offset)
        count = len(chosen)
        broker_us = broker_times(chosen)
        clamped_us = clamp(broker_us, arrival_us)
        found = Messages(
            topic_no=np.full(count, item.topic_no),
            partition=np.full(count, item.partition),
            offset=offset,
            batch_id=batch_id,
            broker_us=broker_us,
            arrival_us=arrival_us,
            clamped_us=clamped_us,
            order_us=batches.order_times(offset, clamped_us),
            keys=[message.key() for message in chosen],
            values=[message.value() for message in chosen],
        )
        rows = encode_raw(
            Provenance(
                found.topic_no, found.partition, offset, broker_us, clamped_us, found.order_us
            ),
            found.keys,
            found.values,
            [pairs[row] for row in missing],
            arrival_us,
            batch_id,
        )
        self._tables.prepare_arrivals(set(arrival_us.tolist()))
        with self._connection.transaction():
            copy_rows(self._connection.cursor(), "event_tables/copy_raw", rows)
        return found


class _Batches:
    """The batches of a range, with their offsets and the arrival of their messages.

    `stored` are the order times of the messages of the range that raw still holds.
    """

    def __init__(self, connection: Connection, item: Range, stored: _OrderTimes) -> None:
        self._stored = stored
        self._restored_us = MINUS_INFINITY  # the largest order time restored so far
        rows = connection.execute(
            statement("reprocess/batches_of_range"), vars(item), binary=True
        ).fetchall()
        self._first = np.array([row[0] for row in rows], dtype=np.int64)
        self._audited: list[tuple[int, int]] = [(row[1], to_microseconds(row[3])) for row in rows]
        self._kept = np.array([row[4] is not None for row in rows], dtype=np.bool_)
        self._floor_us, self._ceiling_us = (
            received([row[column] for row in rows]) for column in (4, 5)
        )
        numbers = {
            "first_batch": min(row[1] for row in rows),
            "last_batch": max(row[2] for row in rows),
        }
        of_range = {**vars(item), **numbers}
        found = connection.execute(statement("reprocess/batches_of_outcomes"), of_range).fetchall()
        self._by_offset: dict[int, int] = {row[0]: row[1] for row in found}
        kept = connection.execute(statement("reprocess/arrivals_of_batches"), of_range).fetchall()
        self._arrivals = {int(row[0]): to_microseconds(row[1]) for row in kept}

    def locate(self, offset: Ints) -> tuple[Ints, Ints]:
        """Return (batch id, arrival in microseconds since 1970 UTC) of each offset.

        The time of the commit serves as the arrival where no row of a batch is left.
        """
        at = np.searchsorted(self._first, offset, side="right") - 1
        batch_ids: list[int] = []
        arrivals: list[int] = []
        numbers: list[int] = offset.tolist()
        rows: list[int] = at.tolist()
        for number, row in zip(numbers, rows, strict=True):
            audited, committed_us = self._audited[row]
            batch_id = self._by_offset.get(number, audited)
            batch_ids.append(batch_id)
            arrivals.append(self._arrivals.get(batch_id, committed_us))
        return np.array(batch_ids, dtype=np.int64), np.array(arrivals, dtype=np.int64)

    def order_times(self, offset: Ints, clamped_us: Ints) -> Ints:
        """Return order times between those of the messages before and after each.

        `offset` rises from call to call. Of batches stored before order times were kept, the
        clamped broker timestamps are returned.
        """
        at = np.searchsorted(self._first, offset, side="right") - 1
        before_us, after_us = self._stored.around(offset)
        lowest = np.maximum(self._floor_us[at], before_us)
        highest = np.minimum(self._ceiling_us[at], after_us)
        bounded = np.minimum(np.maximum(clamped_us, lowest), highest)
        bounded = np.where(self._kept[at], bounded, MINUS_INFINITY)
        raised = np.maximum.accumulate(np.maximum(bounded, self._restored_us))
        self._restored_us = int(raised[-1])
        return np.where(self._kept[at], raised, clamped_us)


@dataclass(frozen=True)
class _OrderTimes:
    """Order times of stored messages (microseconds since 1970 UTC), by offset."""

    offset: Ints
    order_us: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[int, bytes | None]]) -> _OrderTimes:
        """Return those of rows in the order of offsets."""
        offsets = np.array([offset for offset, _ in rows], dtype=np.int64)
        return cls(offsets, received([order for _, order in rows]))

    def around(self, offset: Ints) -> tuple[Ints, Ints]:
        """Return the order times of the stored messages before and after missing ones."""
        at = np.searchsorted(self.offset, offset)
        bounded = np.concatenate(([MINUS_INFINITY], self.order_us, [_PLUS_INFINITY]))
        return bounded[at], bounded[at + 1]
