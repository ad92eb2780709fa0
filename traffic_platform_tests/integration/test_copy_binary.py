"""Binary COPY streams, read by the real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from traffic_platform.postgres import copy_binary as pg
from traffic_platform_tests.conftest import PostgresServer

SENSOR = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
NOON_US = 1_759_579_200_000_000


def round_trip(postgres: PostgresServer, types: str, rows: bytes) -> list[tuple[object, ...]]:
    """Return the rows that PostgreSQL reads from a stream."""
    with postgres.superuser() as connection:
        connection.execute("set timezone to 'UTC'")
        connection.execute(f"create temp table t ({types})")  # pyright: ignore[reportArgumentType]
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.write(rows)
        return connection.execute("select * from t").fetchall()


def test_every_type_and_its_null_survive_the_round_trip(postgres: PostgresServer) -> None:
    null = np.array([False, True, False])
    rows = pg.encode_rows(
        3,
        (
            pg.integers([1, -2, 32_767], 2),
            pg.integers([1, 2, -(2**31)], 4, null),
            pg.nullable_integers(np.array([np.nan, 5.0, 100_000.0]), 4),
            pg.integers([2**62, 0, -1], 8),
            pg.doubles(np.array([0.1, np.nan, -1e300])),
            pg.timestamps(np.array([NOON_US, 0, NOON_US + 1]), null),
            pg.uuids(np.frombuffer(SENSOR.bytes * 3, dtype=np.uint8).reshape(3, 16)),
        ),
    )
    types = "a smallint, b int, c int, d bigint, e double precision, f timestamptz, g uuid"
    noon = datetime(2025, 10, 4, 12, tzinfo=UTC)
    assert round_trip(postgres, types, rows) == [
        (1, 1, None, 2**62, 0.1, noon, SENSOR),
        (-2, None, 5, 0, None, None, SENSOR),
        (32_767, -(2**31), 100_000, -1, -1e300, noon.replace(microsecond=1), SENSOR),
    ]


def test_variable_and_fixed_columns_mix_with_nulls_anywhere(postgres: PostgresServer) -> None:
    null = np.array([True, False])
    rows = pg.encode_rows(
        2,
        (
            pg.integers([1, 2], 4),
            pg.Variable([b"\x00\xff", None]),
            pg.Variable([None, b""]),
            pg.timestamps(np.array([0, NOON_US]), null),
            pg.Variable([b"end", b"a" * 100_000]),
        ),
    )
    types = "a int, b bytea, c bytea, d timestamptz, e text"
    assert round_trip(postgres, types, rows) == [
        (1, b"\x00\xff", None, None, "end"),
        (2, None, b"", datetime(2025, 10, 4, 12, tzinfo=UTC), "a" * 100_000),
    ]


def test_the_smallest_int64_is_minus_infinity(postgres: PostgresServer) -> None:
    rows = pg.encode_rows(1, (pg.timestamps(np.array([np.iinfo(np.int64).min])),))
    with postgres.superuser() as connection:
        connection.execute("create temp table t (a timestamptz)")
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.write(rows)
        assert connection.execute("select a = '-infinity' from t").fetchone() == (True,)
