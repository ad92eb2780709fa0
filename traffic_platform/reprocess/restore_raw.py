"""Missing raw rows, read again from Kafka while Kafka retains them. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from confluent_kafka import Message

from traffic_platform.event_tables.deduplicate import Provenance
from traffic_platform.event_tables.encode import encode_raw
from traffic_platform.event_tables.write import Tables, copy_rows
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.kafka.messages import broker_times, headers_of
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.postgres.connections import Connection
from traffic_platform.reprocess.ranges import Range
from traffic_platform.reprocess.stored_messages import Ints, Messages
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OFFSETS = 100_000  # compared together


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
        rows = self._connection.execute(statement("reprocess/raw_offsets"), vars(item)).fetchall()
        held = {int(row[0]) for row in rows}
        batches = _Batches(self._connection, item)
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
        found = Messages(
            topic_no=np.full(count, item.topic_no),
            partition=np.full(count, item.partition),
            offset=offset,
            batch_id=batch_id,
            broker_us=broker_times(chosen),
            arrival_us=arrival_us,
            keys=[message.key() for message in chosen],
            values=[message.value() for message in chosen],
        )
        rows = encode_raw(
            Provenance(found.topic_no, found.partition, offset, found.broker_us, arrival_us),
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
    """The batches of a range, with their offsets and the arrival of their messages."""

    def __init__(self, connection: Connection, item: Range) -> None:
        rows = connection.execute(statement("reprocess/batches_of_range"), vars(item)).fetchall()
        self._first = np.array([row[0] for row in rows], dtype=np.int64)
        self._audited: list[tuple[int, int]] = [(row[1], _microseconds(row[3])) for row in rows]
        numbers = {
            "first_batch": min(row[1] for row in rows),
            "last_batch": max(row[2] for row in rows),
        }
        of_range = {**vars(item), **numbers}
        found = connection.execute(statement("reprocess/batches_of_outcomes"), of_range).fetchall()
        self._by_offset: dict[int, int] = {row[0]: row[1] for row in found}
        kept = connection.execute(statement("reprocess/arrivals_of_batches"), of_range).fetchall()
        self._arrivals = {int(row[0]): _microseconds(row[1]) for row in kept}

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


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
