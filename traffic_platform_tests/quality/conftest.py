"""Fixtures of checks: a database that tests may break, and a CheckContext to check it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import psycopg
import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer

DAY = date(2025, 10, 14)  # a Tuesday
MIDNIGHT = datetime.combine(DAY, time(), UTC)


@pytest.fixture
def reading(postgres: PostgresServer, database: str, tmp_path: Path) -> Settings:
    """Settings with the database and without Kafka."""
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        home=tmp_path / "home",
        database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
        read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
    )


@pytest.fixture
def context(reader: psycopg.Connection, reading: Settings) -> CheckContext:
    """A context for DAY on the next morning."""
    return context_at(reader, reading)


def context_at(
    reader: psycopg.Connection,
    reading: Settings,
    now: datetime = MIDNIGHT + timedelta(days=1, hours=6),
    timezone: str = "UTC",
) -> CheckContext:
    """Return a context for DAY at another time."""
    return CheckContext(reader, reading.reading_url(), DAY, timezone, now)


class Table:
    """A table of readings to which tests add stretches of time."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self.owner = owner
        for day in (DAY - timedelta(days=31), DAY):
            owner.execute("select traffic.ensure_partition('traffic_readings', %s)", [day])

    def add(
        self,
        sensor: str,
        *,
        days_ago: int = 0,
        hours: tuple[float, float] = (0, 24),
        every_s: int = 600,
        speed: str = "55 + extract(hour from t) / 10 + random()",
        volume: str = "900 + (100 * random())::int",
        occupancy: str = "7 + random()",
        score: float = 1.0,
        delay_s: str = "3 + random()",
    ) -> None:
        """Add a sensor's readings of some hours of DAY, or of a day before it.

        Measures and the delay from a reading's time `t` to its arrival (s) are SQL.
        """
        begin = MIDNIGHT - timedelta(days=days_ago)
        name = sensor_uuid(sensor)
        self.owner.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin) values (%s, %s, 'seen')"
            " on conflict do nothing",
            [name, sensor],
        )
        self.owner.execute(
            'insert into traffic.traffic_readings (sensor_id, "timestamp", speed, volume, '
            "occupancy, quality_score, quality_flags, broker_timestamp, topic_no, partition, "
            f'"offset", created_at, updated_at) '
            f"select %s, t, {speed}, {volume}, {occupancy}, %s, 0, arrival, 1, 0, "
            f"(random() * 1e15)::bigint, arrival, arrival "
            "from generate_series(%s::timestamptz, %s::timestamptz - interval '1 s', "
            "make_interval(secs => %s)) t "
            f"cross join lateral (select t + make_interval(secs => {delay_s}) as arrival) a",
            [
                name,
                score,
                begin + timedelta(hours=hours[0]),
                begin + timedelta(hours=hours[1]),
                every_s,
            ],
        )  # pyright: ignore[reportCallIssue, reportArgumentType]

    def add_history(self, sensor: str, *, days: int = 13, **measures: object) -> None:
        """Add such readings on each of the days before DAY."""
        for days_ago in range(1, days + 1):
            self.add(sensor, days_ago=days_ago, **measures)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def table(owner: psycopg.Connection) -> Table:
    """The empty table of readings."""
    return Table(owner)
