"""Required contents of the tables after any fault, computed in plain Python from the messages sent.

It shares no code with the platform's own verification, which runs too: each checks the other.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import psycopg

from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.faults.feed import Feed, Sent
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until

Rows = Callable[[LiteralString], list[tuple[Any, ...]]]


class Raw(NamedTuple):
    """A row of raw_events."""

    topic_no: int
    partition: int
    offset: int
    value: bytes
    broker_timestamp: datetime
    ingested_at: datetime
    batch_id: int

    @property
    def position(self) -> tuple[int, int, int]:
        """Topic number, partition and offset."""
        return self.topic_no, self.partition, self.offset

    @property
    def event(self) -> tuple[tuple[str, datetime], float, int] | None:
        """Sensor and time, speed and volume; None for a broken message."""
        try:
            body = json.loads(self.value)
        except ValueError:
            return None
        data = body.get("traffic_data")
        speed = data["speed_mph"] if data else body["speed"]
        volume = data["volume_vehicles_per_hour"] if data else body["volume"]
        return (body["sensor_id"], datetime.fromisoformat(body["timestamp"])), speed, volume


def assert_exactly_once(
    settings: Settings, sent: Sequence[Sent], perhaps_lost: Sequence[Sent] = ()
) -> None:
    """Assert that the tables hold every message of `sent` once.

    For each message of `perhaps_lost` they hold it once, or a lost range covers it.
    """
    with psycopg.connect(settings.endpoints().read_url) as connection:

        def rows(query: LiteralString) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        raw = [
            Raw(*row)
            for row in rows(
                'select topic_no, partition, "offset", value, broker_timestamp, ingested_at,'
                " batch_id from traffic.raw_events"
            )
        ]
        _assert_stored_once(rows, raw, sent, perhaps_lost)
        _assert_processed_or_quarantined(rows, raw)
        _assert_readings(rows, raw)
        _assert_ranges_follow_one_another(rows)
        _assert_audit_rows(rows, raw)
    _assert_verified(settings)


def lost_ranges(settings: Settings) -> list[tuple[int, int, int | None, str]]:
    """Return (partition, first offset, next offset, cause) of every recorded loss, in order."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return connection.execute(
            "select partition, first_offset, next_offset, cause from traffic.lost_ranges"
            " order by topic_no, partition, first_offset"
        ).fetchall()


def stored(settings: Settings) -> int:
    """Return the number of stored messages according to the audit rows."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(
            "select coalesce(sum(raw), 0)::bigint from traffic.micro_batches"
        ).fetchone()
        assert row is not None
        return row[0]


def assert_goes_on(settings: Settings, feed: Feed, ingest_run: RunProcess) -> None:
    """Wait until the run has stored each sent message once and ends cleanly."""
    before = stored(settings)
    wait_until(lambda: stored(settings) > before, "the ingest run continues")
    sent = feed.stop()
    wait_until(lambda: stored(settings) == len(sent), "every message is stored")
    ingest_run.end()
    assert lost_ranges(settings) == []
    assert_exactly_once(settings, sent)


def _assert_stored_once(
    rows: Rows, raw: Sequence[Raw], sent: Sequence[Sent], perhaps_lost: Sequence[Sent]
) -> None:
    assert not _more_than_once(row.position for row in raw)
    stored_values = Counter(row.value for row in raw)
    assert not _more_than_once(row.value for row in raw)
    missing = [message for message in sent if message.value not in stored_values]
    assert not missing, f"{len(missing)} messages are not stored: {missing[:3]}"
    surplus = stored_values.keys() - {message.value for message in (*sent, *perhaps_lost)}
    assert not surplus, f"{len(surplus)} messages were never sent: {list(surplus)[:3]}"
    ranges = rows("select topic_no, partition, first_offset, next_offset from traffic.lost_ranges")
    for message in perhaps_lost:
        named = any(
            partition == message.partition
            and first <= message.offset
            and (following is None or message.offset < following)
            for _, partition, first, following in ranges
        )
        assert named != (message.value in stored_values), f"{message}; lost ranges: {ranges}"
    for topic_no, partition, first, following in ranges:
        inside = [
            row.offset
            for row in raw
            if (row.topic_no, row.partition) == (topic_no, partition)
            and first <= row.offset
            and (following is None or row.offset < following)
        ]
        assert not inside, f"stored and yet recorded as lost: {inside[:3]}"


def _assert_processed_or_quarantined(rows: Rows, raw: Sequence[Raw]) -> None:
    processed = rows('select topic_no, partition, "offset" from traffic.processed_events')
    quarantined = rows(
        'select topic_no, partition, "offset", reason, value from traffic.quarantined_events'
    )
    assert sorted(processed) == sorted(row.position for row in raw if row.event is not None)
    assert sorted(quarantined) == sorted(
        (*row.position, "malformed_json", row.value) for row in raw if row.event is None
    )


def _assert_readings(rows: Rows, raw: Sequence[Raw]) -> None:
    latest: dict[tuple[str, datetime], tuple[Any, ...]] = {}
    largest: dict[tuple[int, int], datetime] = {}
    for row in sorted(raw, key=lambda row: row.position):
        clamped = min(row.broker_timestamp, row.ingested_at)
        order_time = max(largest.get(row.position[:2], clamped), clamped)
        largest[row.position[:2]] = order_time
        if row.event is not None:
            key, speed, volume = row.event
            order = (order_time, *row.position)
            latest[key] = max(latest.get(key, order), (*order, clamped, speed, volume))
    readings = rows(
        'select s.external_id, r."timestamp", coalesce(r.order_time, r.broker_timestamp),'
        ' r.topic_no, r.partition, r."offset", r.broker_timestamp, r.speed, r.volume'
        " from traffic.traffic_readings r join traffic.sensors s using (sensor_id)"
    )
    assert {(sensor, when): rest for sensor, when, *rest in readings} == {
        key: list(value) for key, value in latest.items()
    }
    assert len(readings) == len(latest)


def _assert_ranges_follow_one_another(rows: Rows) -> None:
    """Assert that audit rows and lost ranges cover each generation up to the ledger just once."""
    covered: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for topic_no, partition, first, following in rows(
        "select topic_no, partition, first_offset, next_offset from traffic.micro_batches"
        " union all select topic_no, partition, first_offset, next_offset from traffic.lost_ranges"
        " where cause = 'retention'"
    ):
        covered[topic_no, partition].append((first, following))
    for topic_no, partition, begun, reached in rows(
        "select topic_no, partition, start_offset, next_offset from traffic.kafka_offsets"
    ):
        at = begun
        for first, following in sorted(covered.pop((topic_no, partition), [])):
            assert first == at, f"{topic_no} [{partition}]: {first} does not follow {at}"
            at = following
        assert at == reached, f"{topic_no} [{partition}]: ledger {reached}, audit {at}"
    assert not covered


def _assert_audit_rows(rows: Rows, raw: Sequence[Raw]) -> None:
    counted = {
        (batch, topic_no, partition): number
        for batch, topic_no, partition, number in rows(
            "select batch_id, topic_no, partition, raw from traffic.micro_batches where raw > 0"
        )
    }
    assert counted == Counter((row.batch_id, row.topic_no, row.partition) for row in raw)
    uneven = rows(
        "select * from traffic.micro_batches where delivered <> raw + echoes"
        " or raw <> processed + quarantined"
        " or processed <> inserted + updated + unchanged + superseded"
        " or raw <> (select coalesce(sum((value ->> 'raw')::bigint), 0)"
        " from jsonb_each(date_counts))"
    )
    assert not uneven, uneven[0]
    assert rows("select coalesce(sum(inserted), 0)::bigint from traffic.micro_batches") == rows(
        "select count(*) from traffic.traffic_readings"
    )


def _assert_verified(settings: Settings) -> None:
    """Assert that the platform's own verification finds only the recorded losses."""
    report = verify(settings, deep=True)
    losses = [finding for finding in report.findings if finding.table == "lost_ranges"]
    assert report.findings == losses, [finding.sentence for finding in report.findings]
    assert len(losses) == len(lost_ranges(settings))


def _more_than_once(items: Any) -> list[Any]:
    return [item for item, number in Counter(items).items() if number > 1]
