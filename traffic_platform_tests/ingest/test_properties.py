"""Properties of any messages in any batches: one reading per sensor and time, the latest."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from traffic_platform.errors import LedgerMovedError
from traffic_platform.event_tables.batch import Batch, build_batch
from traffic_platform.event_tables.deduplicate import Provenance, deduplicate
from traffic_platform.events.columns import Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.events.measures import Measures
from traffic_platform.events.rules import Rules
from traffic_platform.ingest.writer import BatchWriter
from traffic_platform.kafka.messages import MISSING_TIMESTAMP, Fetched, PartitionKey, Reached
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000
RULES = Rules(first_date=date(2010, 1, 1), naive_timezone=None, timezone="UTC")

# On real servers an example costs some 50 ms, and a smaller one is found soon or not at all.
on_a_server = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)


@dataclass(frozen=True)
class Told:
    """A message: a detector's event, and the broker's timestamp (None: missing)."""

    sensor: str
    minute: int
    speed: float | None
    broker_ms: int | None

    @property
    def value(self) -> bytes:
        """The event; broken where the speed is missing, so that no measure is left."""
        timestamp = (NOON + timedelta(minutes=self.minute)).isoformat()
        return json.dumps(
            {"sensor_id": self.sensor, "timestamp": timestamp, "speed": self.speed}
        ).encode()

    @property
    def broker_us(self) -> int:
        """The broker's time as a fetch gives it."""
        return MISSING_TIMESTAMP if self.broker_ms is None else NOON_US + self.broker_ms * 1000


messages = st.builds(
    Told,
    sensor=st.sampled_from("ab"),
    minute=st.integers(0, 2),
    speed=st.sampled_from([40.0, 50.0, None]),
    broker_ms=st.integers(0, 4) | st.none(),
)
logs = st.tuples(st.lists(messages, max_size=12), st.lists(messages, max_size=12))
# How many messages of each partition the next batch holds, and whether a new session begins.
steps = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=8)


class Stage:
    """A database with a topic of two partitions, and batches that go into it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.topic_no = self._begin_topic()
        self.reached = {0: 0, 1: 0}
        self._clock_us = NOON_US + 3_600_000_000
        self._storer = self._new_storer()
        self._decoder = Decoder(RULES)

    def batch(self, parts: dict[int, Sequence[Told]]) -> Batch:
        """The next messages of each partition, as a batch that is not stored yet."""
        told = [(p, message) for p, part in sorted(parts.items()) for message in part]
        moves = {
            ("t", p): LedgerAdvance(
                self.topic_no, p, self.reached[p], self.reached[p] + len(part), 0, None
            )
            for p, part in parts.items()
        }
        offsets = [
            self.reached[p] + n for p, part in sorted(parts.items()) for n in range(len(part))
        ]
        self._clock_us += 1
        fetched = _fetched(told, offsets, moves)
        return build_batch(
            fetched,
            moves,
            self._decoder.decode(fetched.values, self._clock_us),
            self._storer.newest,
            timezone="UTC",
            batch_id=self._storer.next_batch_id(),
            ingested_at_us=self._clock_us,
        )

    def store(self, batch: Batch) -> None:
        """Write a batch as an ingest run does. Raises the writer's error."""
        self._storer.submit(batch, {})
        self._storer.settle()
        for audit in batch.audits:
            self.reached[audit.advance.partition] = audit.advance.next_offset

    def new_session(self) -> None:
        """Start again as an ingest run does after an error, without memory."""
        self._storer.close()
        self._storer = self._new_storer()

    def close(self) -> None:
        """End the storing thread."""
        self._storer.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(query.encode()).fetchall()

    def _new_storer(self) -> BatchWriter:
        locks = PartitionLocks(self.connection, None, 10)
        return BatchWriter(self.connection, locks, lambda _: lambda: None, run_id=None, rules=RULES)

    def _begin_topic(self) -> int:
        row = self.connection.execute(
            "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('t', 'i', 'c')"
            " returning topic_no"
        ).fetchone()
        assert row is not None
        self.connection.execute(
            "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset,"
            " next_offset) select %s, p, 't', 0, 0 from generate_series(0, 1) p",
            row,
        )
        return row[0]


def _fetched(
    told: Sequence[tuple[int, Told]],
    offsets: Sequence[int],
    moves: dict[PartitionKey, LedgerAdvance],
) -> Fetched:
    keys = sorted({("t", partition) for partition, _ in told})
    return Fetched(
        partition_keys=keys,
        key_index=np.array([keys.index(("t", p)) for p, _ in told], dtype=np.int64),
        offset=np.array(offsets, dtype=np.int64),
        broker_us=np.array([message.broker_us for _, message in told], dtype=np.int64),
        keys=[None] * len(told),
        values=[message.value for _, message in told],
        headers=[None] * len(told),
        reached={
            where: Reached(move.next_offset, move.next_offset - move.first_offset, 0, None)
            for where, move in moves.items()
        },
    )


@pytest.fixture
def stage(settings: Settings) -> Callable[[], Any]:
    """stage(): a context with empty tables."""

    @contextmanager
    def empty() -> Generator[Stage]:
        with psycopg.connect(settings.endpoints().owner_url) as owner:
            owner.execute(
                "truncate traffic.raw_events, traffic.processed_events, traffic.traffic_readings,"
                " traffic.quarantined_events, traffic.micro_batches, traffic.kafka_offsets,"
                " traffic.detector_health, traffic.sensors"
            )
        connection = connect(
            settings.endpoints().ingest_url, application_name="properties", autocommit=True
        )
        with connection:
            new = Stage(connection)
            try:
                yield new
            finally:
                new.close()

    return empty


READINGS = (
    'select s.external_id, r."timestamp", r.speed, r.broker_timestamp, r.partition, r."offset"'
    " from traffic.traffic_readings r join traffic.sensors s using (sensor_id) order by 1, 2"
)


@on_a_server
@given(both=logs, steps=steps)
def test_any_interleaving_of_two_partitions_gives_the_latest_reading_of_each_time(
    stage: Callable[[], Any],
    both: tuple[list[Told], list[Told]],
    steps: list[tuple[int, int, bool]],
) -> None:
    with stage() as tables:
        for first, second, again in [*steps, (99, 99, True)]:
            parts = {
                p: both[p][tables.reached[p] : tables.reached[p] + count]
                for p, count in ((0, first), (1, second))
            }
            if again:
                tables.new_session()
            if any(parts.values()):
                tables.store(tables.batch({p: part for p, part in parts.items() if part}))
        # psycopg has no datetime for -infinity.
        readings = tables.rows(READINGS.replace("r.broker_timestamp", "r.broker_timestamp::text"))
        assert [(row[0], row[1], row[2], row[4], row[5]) for row in readings] == _latest(both)
        [(processed, quarantined, inserted)] = tables.rows(
            "select coalesce(sum(inserted + updated + unchanged), 0)::int,"
            " coalesce(sum(quarantined), 0)::int, coalesce(sum(inserted), 0)::int"
            " from traffic.micro_batches"
        )
        told = [*both[0], *both[1]]
        assert processed == sum(message.speed is not None for message in told)
        assert quarantined == sum(message.speed is None for message in told)
        assert inserted == len(readings)


def _latest(both: tuple[list[Told], list[Told]]) -> list[tuple[Any, ...]]:
    """Sensor, time, speed, partition and offset of the readings, by a plain look at each."""
    winners: dict[tuple[str, int], tuple[Any, ...]] = {}
    for partition, log in enumerate(both):
        for offset, told in enumerate(log):
            if told.speed is not None:
                order = (-1 if told.broker_ms is None else told.broker_ms, partition, offset)
                key = told.sensor, told.minute
                winners[key] = max(winners.get(key, order), (*order, told.speed))
    return [
        (sensor, NOON + timedelta(minutes=minute), speed, partition, offset)
        for (sensor, minute), (_, partition, offset, speed) in sorted(winners.items())
    ]


@on_a_server
@given(log=st.lists(messages, min_size=1, max_size=12), before=st.lists(messages, max_size=4))
def test_the_same_batch_twice_gives_the_same_tables(
    stage: Callable[[], Any], log: list[Told], before: list[Told]
) -> None:
    everything = (
        "select t::text from traffic.raw_events t union all"
        " select t::text from traffic.processed_events t union all"
        " select t::text from traffic.traffic_readings t union all"
        " select t::text from traffic.quarantined_events t union all"
        " select t::text from traffic.micro_batches t union all"
        " select t::text from traffic.kafka_offsets t order by 1"
    )
    with stage() as tables:
        if before:
            tables.store(tables.batch({1: before}))
        batch = tables.batch({0: log})
        tables.store(batch)
        stored = tables.rows(everything)
        with pytest.raises(LedgerMovedError):
            tables.store(batch)
        assert tables.rows(everything) == stored


@on_a_server
@given(log=st.lists(messages, min_size=1, max_size=12))
def test_the_same_messages_sent_again_change_no_reading(
    stage: Callable[[], Any], log: list[Told]
) -> None:
    measures = (
        'select sensor_id, "timestamp", speed, quality_score, quality_flags, created_at,'
        " updated_at from traffic.traffic_readings order by 1, 2"
    )
    later = [
        Told(told.sensor, told.minute, told.speed, 100 + (told.broker_ms or 0) + 1)
        if told.broker_ms is not None
        else Told(told.sensor, told.minute, told.speed, 100)
        for told in log
    ]
    with stage() as tables:
        tables.store(tables.batch({0: log}))
        before = tables.rows(measures)
        tables.store(tables.batch({0: later}))
        assert tables.rows(measures) == before
        assert tables.rows("select count(*) from traffic.raw_events") == [(2 * len(log),)]


measure = st.sampled_from([float("nan"), 1.0, 2.0])
event = st.tuples(
    st.sampled_from([b"\x00" * 16, b"\x00" * 15 + b"\x01", b"\xff" * 16]),  # sensor
    st.integers(0, 2),  # time
    st.tuples(measure, measure, measure, measure),
    st.integers(-1, 2),  # broker time
    st.integers(1, 2),  # topic_no
    st.integers(0, 1),  # partition
)


@given(rows=st.lists(event, max_size=30), gap=st.integers(0, 3))
def test_deduplicate_keeps_the_latest_event_of_each_sensor_and_time(
    rows: list[tuple[Any, ...]], gap: int
) -> None:
    events, source = _columns(rows, gap)
    winners, replaced = deduplicate(events, source)
    latest: dict[tuple[bytes, int], int] = {}
    for number, (sensor, time, _, broker, topic_no, partition) in enumerate(rows):
        best = latest.get((sensor, time))
        if best is None or rows[best][3:] <= (broker, topic_no, partition):
            latest[sensor, time] = number
    assert winners.tolist() == [latest[key] for key in sorted(latest)]
    assert sorted(replaced.tolist()) == [
        number
        for number, (sensor, time, measures, *_) in enumerate(rows)
        if repr(measures) != repr(rows[latest[sensor, time]][2])
    ]


def _columns(rows: list[tuple[Any, ...]], gap: int) -> tuple[Processed, Provenance]:
    """Events at every (gap + 1)th message of a batch; offsets rise with the messages."""
    count, step = len(rows), gap + 1
    index = np.arange(count, dtype=np.int64) * step
    sensors = np.frombuffer(b"".join(row[0] for row in rows), dtype=np.uint8).reshape(-1, 16)
    measures = np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4)
    events = Processed(
        index=index,
        sensor_id=sensors,
        timestamp_us=np.array([row[1] for row in rows], dtype=np.int64),
        measures=Measures(*measures[:, :3].T),
        quality_score=measures[:, 3],
        quality_flags=np.zeros(count, dtype=np.int16),
        format=np.ones(count, dtype=np.int16),
    )

    def spread(column: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        values = np.zeros(count * step, dtype=np.int64)
        values[index] = [row[column] for row in rows]
        return values

    broker = spread(3)
    return events, Provenance(
        topic_no=spread(4),
        partition=spread(5),
        offset=np.arange(count * step, dtype=np.int64),
        broker_us=broker,
        order_us=broker,
    )
