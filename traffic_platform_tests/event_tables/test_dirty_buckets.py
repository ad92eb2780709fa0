"""Buckets that a batch marks as dirty."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import psycopg
import pytest

from traffic_platform.event_tables.dirty_buckets import encode_dirty
from traffic_platform.events.columns import Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.statements import statement

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000


def decoded(moments: list[tuple[str, int]]) -> Processed:
    """Events of sensors so many microseconds after noon."""
    values = [
        f'{{"sensor_id":"{sensor}","speed":55,"timestamp":'
        f'"{(NOON + timedelta(microseconds=us)).isoformat()}"}}'.encode()
        for sensor, us in moments
    ]
    return Decoder(Rules(date(2025, 1, 1), None, "UTC")).decode(values, NOON_US + 10**12).processed


@pytest.mark.parametrize("seed", range(5))
def test_each_sensor_and_five_minutes_is_in_it_once(owner: psycopg.Connection, seed: int) -> None:
    random = np.random.default_rng(seed)
    spans = [1, 299_999_999, 300_000_000, 300_000_001, 2_000_000_000]
    moments = [
        (f"s{random.integers(0, 4)}", int(random.integers(-spans[seed], spans[seed] + 1)))
        for _ in range(200)
    ]
    events = decoded(moments)
    halves = events.sensor_id.view(">u8").reshape(-1, 2)
    order = np.lexsort((events.timestamp_us, halves[:, 1], halves[:, 0]))
    with owner.cursor().copy(statement("event_tables/copy_dirty_buckets")) as copy:
        copy.write(encode_dirty(events, order) or b"")
    row = owner.execute("select sensor_ids, buckets, pairs from traffic.dirty_buckets").fetchone()
    assert row is not None
    sensors, buckets, pairs = row
    found = list(zip(sensors, buckets, strict=True))
    wanted = {
        (sensor_uuid(sensor), NOON + timedelta(minutes=5) * (us // 300_000_000))
        for sensor, us in moments
    }
    assert len(found) == pairs == len(wanted)
    assert set(found) == wanted


def test_a_batch_without_an_event_marks_nothing() -> None:
    assert encode_dirty(decoded([]), np.zeros(0, dtype=np.int64)) is None
