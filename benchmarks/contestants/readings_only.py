"""The platform's building blocks with one table: no raw, no processed, no foreign key.

It is as durable as an ingest run: the ledger advances in the transaction of the rows. Like an
ingest run it stores a batch while it fetches the next one, and copies readings that must be new.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.ingest_run import settings_of
from benchmarks.stream import FIRST
from traffic_platform.decoding_rules import rules_of
from traffic_platform.event_tables.encode import encode_readings
from traffic_platform.event_tables.newest_readings import NewestReadings
from traffic_platform.event_tables.order_times import Provenance
from traffic_platform.events.columns import Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.kafka.admin import Broker
from traffic_platform.kafka.consumer import BatchConsumer
from traffic_platform.kafka.messages import Fetched, PartitionKey
from traffic_platform.ledger.offsets import (
    LedgerAdvance,
    advance_ledger,
    read_ledger,
    reconcile_with_broker,
)
from traffic_platform.ledger.reconcile import EPOCH
from traffic_platform.postgres.connections import connect
from traffic_platform.run_clock import wall_clock_us
from traffic_platform.statements import statement

Ints = npt.NDArray[np.int64]


def prepare(task: Task) -> None:
    """Make the monthly partitions of the stream, and drop the foreign key."""
    with psycopg.connect(task.owner_url, autocommit=True) as connection:
        for days in (0, 31):
            connection.execute(
                "select traffic.ensure_partition('traffic_readings', %s)",
                (FIRST.date() + timedelta(days=days),),
            )
        query = (
            "select conname from pg_constraint where contype = 'f'"
            " and conrelid = 'traffic.traffic_readings'::regclass and conparentid = 0"
        )
        for (name,) in connection.execute(query).fetchall():
            drop = sql.SQL("alter table traffic.traffic_readings drop constraint {}")
            connection.execute(drop.format(sql.Identifier(name)))


def drain(task: Task, committed: Committed) -> None:
    """Fetch and encode a batch while another thread stores the one before."""
    prepare_interpreter()
    settings = settings_of(task)
    fetcher = BatchConsumer(
        settings.kafka_config(), task.group, settings.batch_messages, settings.batch_bytes
    )
    with (
        connect(task.ingest_url, application_name="readings-only", autocommit=True) as connection,
        ThreadPoolExecutor(1) as storing,
    ):
        connection.execute(statement("event_tables/create_incoming"))
        ledger = _begin(connection, task, fetcher)
        encoder, store = _Encoder(Decoder(rules_of(settings)), ledger), _Store(connection)
        read, stored = 0, storing.submit(int)
        while read < task.events:
            for fetched in fetcher.columns(fetcher.poll(settings.batch_linger_ms / 1000)):
                batch = encoder.encode(fetched, store.newest)
                _settle(stored, committed)
                stored = storing.submit(store.store, batch)
                read += len(fetched)
            fetcher.commit_to_group(store.positions, wait=False)
        _settle(stored, committed)
    fetcher.close()


def _settle(stored: Future[int], committed: Committed) -> None:
    events = stored.result()
    if events:
        committed(events)


@dataclass
class _PartitionGeneration:
    """A partition generation and the next offset to fetch from it."""

    topic_no: int
    next_offset: int


@dataclass(frozen=True)
class _Batch:
    """Encoded readings (None: no rows) and the new offsets of the ledger."""

    topic: str
    events: int
    decoded_at: datetime
    new: bytes | None
    known: bytes | None
    sensors: dict[bytes, str]
    advances: list[LedgerAdvance]


def _begin(
    connection: psycopg.Connection[Any], task: Task, fetcher: BatchConsumer
) -> dict[PartitionKey, _PartitionGeneration]:
    """Position the consumer at the offsets of the ledger, and return them."""
    broker = Broker(settings_of(task).kafka_config())
    topic = broker.describe(task.topic)
    assert topic is not None
    reconcile_with_broker(connection, broker, topic, mine=lambda _partition: True)
    ledger = {(task.topic, p): row for p, row in read_ledger(connection, task.topic).items()}
    fetcher.assign({key: (row.next_offset, row.leader_epoch) for key, row in ledger.items()})
    return {key: _PartitionGeneration(row.topic_no, row.next_offset) for key, row in ledger.items()}


@dataclass
class _Encoder:
    """Encoder of fetched messages into batches."""

    decoder: Decoder
    ledger: dict[PartitionKey, _PartitionGeneration]

    def encode(self, fetched: Fetched, newest: NewestReadings) -> _Batch:
        now = wall_clock_us()
        decoded = self.decoder.decode(fetched.values, now)
        events = decoded.processed
        order = _latest(events, fetched)
        is_new = newest.split(events.sensor_id[order], events.timestamp_us[order])
        return _Batch(
            topic=next(iter(fetched.reached), ("", 0))[0],
            events=len(fetched),
            decoded_at=datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now),
            new=self._rows(fetched, events, order[is_new], now),
            known=self._rows(fetched, events, order[~is_new], now),
            sensors=decoded.sensors,
            advances=[self._advance(key, fetched) for key in fetched.reached],
        )

    def _advance(self, key: PartitionKey, fetched: Fetched) -> LedgerAdvance:
        reached, generation = fetched.reached[key], self.ledger[key]
        first, generation.next_offset = generation.next_offset, reached.next_offset
        return LedgerAdvance(
            topic_no=generation.topic_no,
            partition=key[1],
            first_offset=first,
            next_offset=reached.next_offset,
            leader_epoch=reached.leader_epoch,
            seen_end=reached.seen_end,
            order_time=EPOCH,
        )

    def _rows(self, fetched: Fetched, events: Processed, order: Ints, now: int) -> bytes | None:
        topic_no = np.array([self.ledger[key].topic_no for key in fetched.partition_keys])
        partition = np.array([key[1] for key in fetched.partition_keys])
        source = Provenance(
            topic_no=topic_no[fetched.key_index],
            partition=partition[fetched.key_index],
            offset=fetched.offset,
            broker_us=fetched.broker_us,
            clamped_us=fetched.broker_us,
            order_us=fetched.broker_us,
        )
        return encode_readings(events, source, order, now)


def _latest(events: Processed, fetched: Fetched) -> Ints:
    """Return the latest event of each key, in key order; a statement may upsert a key only once."""
    halves = events.sensor_id.view(">u8").reshape(-1, 2)
    keys = (events.timestamp_us, halves[:, 1], halves[:, 0])
    order = np.lexsort((fetched.offset[events.index], fetched.broker_us[events.index], *keys))
    differs = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    return order[np.append(differs, True)[: len(order)]]


@dataclass
class _Store:
    """Writer of batches, one transaction each; `positions` holds the committed offsets."""

    connection: psycopg.Connection[Any]
    newest: NewestReadings = field(default_factory=NewestReadings)
    positions: dict[PartitionKey, int] = field(default_factory=dict[PartitionKey, int])

    def store(self, batch: _Batch) -> int:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            advance_ledger(self.connection, batch.advances)
            self._copy(cursor, "event_tables/copy_readings", batch.new)
            if batch.known is not None:
                self._copy(cursor, "event_tables/copy_incoming", batch.known)
                cursor.execute(statement("event_tables/upsert_readings"), {"now": batch.decoded_at})
        self.newest.look_up(self.connection, self.newest.unknown(batch.sensors))
        for advance in batch.advances:
            self.positions[batch.topic, advance.partition] = advance.next_offset
        return batch.events

    @staticmethod
    def _copy(cursor: psycopg.Cursor[Any], name: LiteralString, rows: bytes | None) -> None:
        if rows is not None:
            with cursor.copy(statement(name)) as copy:
                copy.write(rows)


if __name__ == "__main__":
    take_part(prepare, drain)
