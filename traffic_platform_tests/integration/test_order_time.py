"""Clocks that step back: the later offset of a partition wins, and the audit says who lost."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from confluent_kafka import Producer

from traffic_platform.reprocess import backfill_dates
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.integration.once import (
    NOON,
    assert_proven,
    drain,
    event,
    rows,
    step_our_clock,
)

MakeTopic = Callable[..., str]


def test_a_later_offset_wins_although_our_clock_steps_back(
    settings: Settings, make_topic: MakeTopic, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topic(partitions=1, message_timestamp_type="LogAppendTime")
    for speed, step in ((50.0, 0), (60.0, -120)):
        step_our_clock(monkeypatch, step)
        producer.produce(settings.raw_topic, event("a", speed=speed))
        assert producer.flush(30) == 0
        totals = drain(settings)
    assert rows(settings, 'select speed, "offset" from traffic.traffic_readings') == [(60.0, 1)]
    assert (totals.inserted, totals.updated, totals.unchanged) == (0, 1, 0)
    assert_proven(settings)


def test_a_later_offset_wins_although_the_producers_clock_steps_back(
    settings: Settings, make_topic: MakeTopic, producer: Producer
) -> None:
    make_topic(partitions=1, message_timestamp_type="CreateTime")
    for speed, timestamp in ((50.0, 1_759_579_200_500), (60.0, 1_759_579_200_000)):
        producer.produce(settings.raw_topic, event("a", speed=speed), timestamp=timestamp)
        assert producer.flush(30) == 0
        drain(settings)
    assert rows(settings, "select speed from traffic.traffic_readings") == [(60.0,)]
    assert_proven(settings)


def test_raw_that_is_read_again_keeps_its_order_time_between_its_neighbours(
    settings: Settings, make_topic: MakeTopic, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topic(partitions=1, message_timestamp_type="LogAppendTime")
    for step in (0, -120, -60, 0):
        step_our_clock(monkeypatch, step)
        for minute in range(3):
            producer.produce(settings.raw_topic, event("a", minute, speed=50.0 + minute))
        assert producer.flush(30) == 0
        drain(settings)
    stored = 'select "offset", order_time from traffic.raw_events order by 1'
    before = rows(settings, stored)
    assert [order is not None for _, order in before] == [False] * 3 + [True] * 6 + [False] * 3
    with psycopg.connect(settings.endpoints().owner_url) as owner:
        # The second batch loses its arrival with its rows, the others keep a row each.
        owner.execute('delete from traffic.raw_events where "offset" not in (0, 8, 10)')
    report = backfill_dates(settings, [NOON.date()])
    assert report.dates[0].raw_restored == 9
    assert rows(settings, stored) == before
    assert verify(settings, deep=True).findings == []
