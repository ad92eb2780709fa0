"""The platform's building blocks into one table: no raw, no processed, no foreign key.

As durable as a window: the ledger moves in the transaction of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.window import settings_of
from benchmarks.stream import FIRST
from traffic_platform.events.columns import Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.ingest import copy_binary as pg
from traffic_platform.ingest.broker import Broker
from traffic_platform.ingest.connections import connect
from traffic_platform.ingest.fetch import Fetched, Fetcher, Where, wall_clock_us
from traffic_platform.ingest.ledger import Advance, advance, agree_with_broker, read_ledger
from traffic_platform.ingest.session import rules_of
from traffic_platform.statements import statement

Ints = npt.NDArray[np.int64]


def prepare(task: Task) -> None:
    """Make the months that the stream needs, and drop the foreign key."""
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
            drop = psycopg.sql.SQL("alter table traffic.traffic_readings drop constraint {}")
            connection.execute(drop.format(psycopg.sql.Identifier(name)))


def drain(task: Task, committed: Committed) -> None:
    """Fetch, decode, COPY, upsert, move the ledger and commit, a batch at a time."""
    settings = settings_of(task)
    fetcher = Fetcher(
        settings.kafka_config(), task.group, settings.batch_messages, settings.batch_bytes
    )
    with connect(task.ingest_url, application_name="readings-only", autocommit=True) as connection:
        connection.execute(statement("ingest/create_incoming"))
        store = _Store(connection, Decoder(rules_of(settings)), *_begin(connection, task, fetcher))
        stored = 0
        while stored < task.events:
            for fetched in fetcher.columns(fetcher.fetch(settings.batch_linger_ms / 1000)):
                if len(fetched):
                    store(fetched)
                    stored += len(fetched)
                    committed(len(fetched))
            fetcher.commit_to_group(store.positions, wait=False)
    fetcher.close()


def _begin(
    connection: psycopg.Connection[Any], task: Task, fetcher: Fetcher
) -> tuple[dict[Where, int], dict[Where, int]]:
    """Position the consumer where the ledger is; topic_no and next offset of each partition."""
    broker = Broker(settings_of(task).kafka_config())
    topic = broker.describe(task.topic)
    assert topic is not None
    agree_with_broker(connection, broker, topic)
    ledger = {(task.topic, p): row for p, row in read_ledger(connection, task.topic).items()}
    fetcher.assign({where: (row.next_offset, row.leader_epoch) for where, row in ledger.items()})
    return (
        {where: row.topic_no for where, row in ledger.items()},
        {where: row.next_offset for where, row in ledger.items()},
    )


@dataclass
class _Store:
    """Stores one batch in one transaction."""

    connection: psycopg.Connection[Any]
    decoder: Decoder
    topic_no: dict[Where, int]
    positions: dict[Where, int]

    def __call__(self, fetched: Fetched) -> None:
        now = wall_clock_us()
        rows = self._encode(fetched, self.decoder.decode(fetched.values, now).processed)
        moves = [
            Advance(
                topic_no=self.topic_no[where],
                partition=where[1],
                first_offset=self.positions[where],
                next_offset=reached.next_offset,
                leader_epoch=reached.leader_epoch,
                seen_end=reached.seen_end,
            )
            for where, reached in fetched.reached.items()
        ]
        with self.connection.transaction(), self.connection.cursor() as cursor:
            advance(self.connection, moves)
            with cursor.copy(statement("ingest/copy_incoming")) as copy:
                copy.write(rows)
            moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now)
            cursor.execute(statement("ingest/upsert_readings"), {"now": moment})
        for where, reached in fetched.reached.items():
            self.positions[where] = reached.next_offset

    def _encode(self, fetched: Fetched, events: Processed) -> bytes:
        order = _latest(events, fetched)
        rows = events.index[order]
        return pg.encode_rows(
            len(order),
            (
                pg.uuids(events.sensor_id[order]),
                pg.timestamps(events.timestamp_us[order]),
                pg.doubles(events.speed[order]),
                pg.nullable_integers(events.volume[order], 4),
                pg.doubles(events.occupancy[order]),
                pg.doubles(events.quality_score[order]),
                pg.integers(events.quality_flags[order], 2),
                pg.timestamps(fetched.broker_us[rows]),
                pg.integers(_each(fetched, rows, lambda where: self.topic_no[where]), 2),
                pg.integers(_each(fetched, rows, lambda where: where[1]), 4),
                pg.integers(fetched.offset[rows], 8),
            ),
        )


def _each(fetched: Fetched, rows: Ints, number: Callable[[Where], int]) -> Ints:
    numbers = {where: number(where) for where in fetched.reached}
    places = fetched.where
    return np.fromiter((numbers[places[row]] for row in rows.tolist()), np.int64, len(rows))


def _latest(events: Processed, fetched: Fetched) -> Ints:
    """The latest event of each key, in key order: a key may be upserted once a statement."""
    halves = events.sensor_id.view(">u8").reshape(-1, 2)
    keys = (events.timestamp_us, halves[:, 1], halves[:, 0])
    order = np.lexsort((fetched.offset[events.index], fetched.broker_us[events.index], *keys))
    differs = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    return order[np.append(differs, True)[: len(order)]]


if __name__ == "__main__":
    take_part(prepare, drain)
