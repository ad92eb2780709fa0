"""Properties of any messages in any batches: one reading per sensor and time, the latest."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from traffic_platform.errors import LedgerMovedError
from traffic_platform.event_tables.batch import Batch, build_batch
from traffic_platform.event_tables.deduplicate import deduplicate
from traffic_platform.event_tables.order_times import Provenance, clamp, raise_to_floors
from traffic_platform.events.columns import Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.events.measures import Measures
from traffic_platform.events.rules import Rules
from traffic_platform.ingest.writer import BatchWriter
from traffic_platform.kafka.messages import MISSING_TIMESTAMP, Fetched, PartitionKey, Reached
from traffic_platform.ledger.offsets import LedgerAdvance, read_ledger
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.ledger.reconcile import EPOCH
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.postgres.connections import connect
from traffic_platform.reprocess import backfill_dates, reprocess_rejected
from traffic_platform.settings import Settings
from traffic_platform.verify.event_rows import check_audit, check_references, check_rows
from traffic_platform.verify.ledger_sums import check_ledger, read_generations
from traffic_platform.verify.order import OrderTimes
from traffic_platform.verify.snapshot import open_snapshot
from traffic_platform.verify.stored_rows import raw_chunks
from traffic_platform.verify.verify_report import VerifyReport

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
# Times of brokers and of our clock are from now on: a backfill looks for arrivals near the commits.
START_US = time.time_ns() // 1000
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
    """A message: a detector's event, and the broker's timestamp (None: missing).

    The event is rejected if it is `naive`, until a backfill or reprocessing knows its zone.
    """

    sensor: str
    minute: int
    speed: float | None
    broker_ms: int | None
    naive: bool = False

    @property
    def value(self) -> bytes:
        """The event; broken where the speed is missing, so that no measure is left."""
        moment = NOON + timedelta(minutes=self.minute)
        timestamp = moment.replace(tzinfo=None if self.naive else UTC).isoformat()
        return json.dumps(
            {"sensor_id": self.sensor, "timestamp": timestamp, "speed": self.speed}
        ).encode()

    @property
    def broker_us(self) -> int:
        """The broker's time as a fetch gives it."""
        return MISSING_TIMESTAMP if self.broker_ms is None else START_US + self.broker_ms * 1000


messages = st.builds(
    Told,
    sensor=st.sampled_from("ab"),
    minute=st.integers(0, 2),
    speed=st.sampled_from([40.0, 50.0, None]),
    broker_ms=st.integers(0, 4) | st.none(),
)
logs = st.lists(
    st.lists(st.tuples(messages, st.booleans()).map(lambda pair: replace(pair[0], naive=pair[1]))),
    min_size=3,
    max_size=3,
)
# The number of messages of each partition in the next batch, our clock, and what happens then. Our
# clock is early, among the brokers' times, or late.
steps = st.lists(
    st.tuples(
        st.tuples(*[st.integers(0, 5)] * 3),
        st.sampled_from([-1_000, 2_000, 1_800_000_000]),
        st.sampled_from(["nothing", "session", "backfill", "damage", "reprocess"]),
    ),
    max_size=8,
)


class Stage:
    """A database with a topic of three partitions, and batches that go into it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.topic_no = self._begin_topic()
        self.reached = {0: 0, 1: 0, 2: 0}
        self._order_times = dict.fromkeys(self.reached, EPOCH)
        self._arrivals = 0
        self._storer = self._new_storer()
        self._decoder = Decoder(RULES)

    def batch(self, parts: dict[int, Sequence[Told]], clock_us: int = 1_800_000_000) -> Batch:
        """The next messages of each partition, as a batch that is not stored yet.

        Our clock shows START_US plus `clock_us`, and no time twice.
        """
        told = [(p, message) for p, part in sorted(parts.items()) for message in part]
        moves = {
            ("t", p): LedgerAdvance(
                self.topic_no,
                p,
                self.reached[p],
                self.reached[p] + len(part),
                leader_epoch=0,
                seen_end=None,
                order_floor=self._order_times[p],
                order_time=self._order_times[p],
            )
            for p, part in parts.items()
        }
        offsets = [
            self.reached[p] + n for p, part in sorted(parts.items()) for n in range(len(part))
        ]
        self._arrivals += 1
        arrival_us = START_US + clock_us + self._arrivals
        fetched = _fetched(told, offsets, moves)
        return build_batch(
            fetched,
            moves,
            self._decoder.decode(fetched.values, arrival_us),
            self._storer.newest,
            timezone="UTC",
            batch_id=self._storer.next_batch_id(),
            ingested_at_us=arrival_us,
        )

    def store(self, batch: Batch) -> None:
        """Write a batch as an ingest run does. Raises the writer's error."""
        self._storer.submit(batch, {})
        self._storer.settle()
        for audit in batch.audits:
            partition, order_time = audit.advance.partition, audit.advance.order_time
            self.reached[partition] = audit.advance.next_offset
            assert order_time is not None
            self._order_times[partition] = order_time

    def new_session(self) -> None:
        """Start again as an ingest run does after an error, from the ledger."""
        self._order_times = {
            number: row.order_time for number, row in read_ledger(self.connection, "t").items()
        }
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
            " next_offset) select %s, p, 't', 0, 0 from generate_series(0, 2) p",
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
                " traffic.detector_health, traffic.sensors, traffic.sensor_periods,"
                " traffic.rebuilt_events, traffic.rebuilds,"
                " traffic.replayed_events, traffic.reading_counts, traffic.reading_changes"
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


DAMAGE = (
    "update traffic.traffic_readings"
    " set speed = 99, broker_timestamp = '-infinity', order_time = null"
)
READINGS = (
    'select s.external_id, r."timestamp", r.speed, r.partition, r."offset"'
    " from traffic.traffic_readings r join traffic.sensors s using (sensor_id) order by 1, 2"
)


@on_a_server
@given(logs=logs, steps=steps)
def test_any_order_of_batches_backfills_and_clocks_gives_the_latest_reading_of_each_time(
    stage: Callable[[], Any],
    settings: Settings,
    logs: list[list[Told]],
    steps: list[tuple[tuple[int, ...], int, str]],
) -> None:
    zoned = settings.model_copy(update={"naive_timezone": "UTC", "publish": False})
    model = Model(logs)
    with stage() as tables:
        for counts, clock_us, then in [*steps, ((99, 99, 99), 0, "reprocess")]:
            parts = model.next_parts(counts)
            if parts:
                batch = tables.batch(parts, clock_us)
                tables.store(batch)
                model.arrived(parts, batch.ingested_at_us)
            if then == "session":
                tables.new_session()
            elif then == "reprocess":
                reprocess_rejected(zoned, QuarantineFilter())
            elif then != "nothing":
                if then == "damage":
                    tables.connection.execute(DAMAGE)
                report = backfill_dates(zoned, [NOON.date()], tables=["processed_events"])
                assert then == "damage" or report.dates[0].readings_removed == 0
            if then in ("backfill", "damage", "reprocess"):
                model.resolved()
            assert tables.rows(READINGS) == model.readings()
        assert differences(settings) == []


class Model:
    """A plain look at each message: order times that never fall, and the latest event wins."""

    def __init__(self, logs: list[list[Told]]) -> None:
        self._logs = logs
        self._order_us: list[list[int]] = [[] for _ in logs]
        self._events: list[tuple[int, int, int, Told]] = []  # order time, partition, offset
        self._waiting: list[tuple[int, int, int, Told]] = []

    def next_parts(self, counts: Sequence[int]) -> dict[int, Sequence[Told]]:
        """Return the next messages of each partition, where there are any."""
        parts = {
            partition: log[len(reached) : len(reached) + count]
            for partition, (log, reached, count) in enumerate(
                zip(self._logs, self._order_us, counts, strict=True)
            )
        }
        return {partition: part for partition, part in parts.items() if part}

    def arrived(self, parts: dict[int, Sequence[Told]], arrival_us: int) -> None:
        """Add messages that arrived at a time."""
        for partition, part in parts.items():
            for told in part:
                before = self._order_us[partition]
                own = [] if told.broker_ms is None else [min(told.broker_us, arrival_us)]
                before.append(max([0, *before, *own]))
                row = before[-1], partition, len(before) - 1, told
                if told.speed is not None:
                    (self._waiting if told.naive else self._events).append(row)

    def resolved(self) -> None:
        """Let the rejected messages with a measure be events."""
        self._events += self._waiting
        self._waiting.clear()

    def readings(self) -> list[tuple[Any, ...]]:
        """Return sensor, time, speed, partition and offset of each reading."""
        winners: dict[tuple[str, int], tuple[int, int, int, Told]] = {}
        for row in sorted(self._events, key=lambda row: row[:3]):
            winners[row[3].sensor, row[3].minute] = row
        return [
            (sensor, NOON + timedelta(minutes=minute), told.speed, partition, offset)
            for (sensor, minute), (_, partition, offset, told) in sorted(winners.items())
        ]


def differences(settings: Settings) -> list[str]:
    """Return what a verification of the tables finds, with the order of all raw messages."""
    report = VerifyReport(deep=True, snapshot_at=NOON, rules_version="")
    with open_snapshot(settings.endpoints().read_url) as reader:
        check_ledger(reader, report)
        check_rows(reader, report)
        check_audit(reader, report, "UTC", settings.raw_topic)
        check_references(reader, report)
        for generation in read_generations(reader):
            order = OrderTimes(reader, generation)
            for chunk in raw_chunks(reader, generation):
                report.add(order.differences(chunk))
    return [finding.sentence for finding in report.findings]


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
    winners = deduplicate(events, source)
    latest: dict[tuple[bytes, int], int] = {}
    for number, (sensor, minute, _, broker, topic_no, partition) in enumerate(rows):
        best = latest.get((sensor, minute))
        if best is None or rows[best][3:] <= (broker, topic_no, partition):
            latest[sensor, minute] = number
    assert winners.tolist() == [latest[key] for key in sorted(latest)]


@given(
    logs=st.lists(st.lists(st.integers(-1, 9), max_size=9), min_size=1, max_size=4),
    floors=st.lists(st.integers(0, 9), min_size=4, max_size=4),
    shuffle=st.randoms(),
)
def test_order_times_of_a_partition_never_fall(
    logs: list[list[int]], floors: list[int], shuffle: random.Random
) -> None:
    # The messages of partitions come mixed, those of one partition in order.
    partitions = [key for key, log in enumerate(logs) for _ in log]
    shuffle.shuffle(partitions)
    unread = [iter(log) for log in logs]
    times = [next(unread[key]) for key in partitions]
    clamped = clamp(np.array(times, dtype=np.int64), 7)
    order_us, largest = raise_to_floors(
        clamped, np.array(partitions, dtype=np.int64), floors[: len(logs)]
    )
    reached = floors[: len(logs)]
    for key, stamp, order in zip(partitions, times, order_us.tolist(), strict=True):
        reached[key] = max(reached[key], min(stamp, 7))
        assert order == reached[key]
    assert largest == reached


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
        clamped_us=broker,
        order_us=broker,
    )
