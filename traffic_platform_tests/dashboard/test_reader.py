"""The reader of the process, over a real database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer

from traffic_platform.api.database import Database
from traffic_platform.dashboard.reader import reader as reader_module
from traffic_platform.dashboard.reader import state_updates
from traffic_platform.dashboard.reader.marks import Band
from traffic_platform.dashboard.reader.reader import Reader
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import backfill_dates, reprocess_rejected
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.browser.world import describe, event
from traffic_platform_tests.conftest import as_environment
from traffic_platform_tests.integration.once import drain

MakeTopic = Callable[..., str]
Produce = Callable[..., None]


class Page:
    """An open page that waits for a change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._changed = asyncio.Event()
        self.changes = 0
        self.full: list[Change] = []
        reader.changed.subscribe(self.follow)

    def follow(self, change: Change) -> None:
        self.changes += 1
        if "sensors" in change.parts:
            self.full.append(change)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        self._reader.changed.unsubscribe(self.follow)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Reader]:
    async with Database.open(settings) as database:
        reader = Reader(settings, lambda: database)
        await reader.want(timeout=10)
        yield reader


def test_one_reader_serves_all_pages_and_stops_when_none_is_open(
    settings: Settings,
    make_topic: MakeTopic,
    produce: Produce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader_module, "_LINGER_S", 2.0)
    make_topic()
    facts = {"road": "A", "direction": "NORTH", "milepost": 1.0, "free_flow_mph": 60.0}
    store_sensors(settings, [describe("one", **facts), describe("two", **facts)])
    produce([event("one", 58.0)])
    drain(settings)

    async def scenario() -> None:
        async with reading(settings) as reader:
            pages = [Page(reader), Page(reader)]
            first = reader._task
            assert [sensor.external_id for sensor in reader.state.sensors] == ["one", "two"]
            assert [mark[1] for mark in reader.overview.marks] == [Band.FREE, Band.STALE]
            await reader.want(timeout=1)
            assert reader._task is first
            await asyncio.to_thread(produce, [event("two", 20.0), event("new", 33.0), b"broken"])
            await asyncio.to_thread(drain, settings)
            await pages[1].until(lambda: len(reader.state.newest) == 3)
            assert len(reader.state.sensors) == 3
            assert all(page.full for page in pages)  # they draw the new sensor
            assert reader.state.feed[0].speed in (20.0, 33.0)
            await pages[0].until(lambda: bool(reader.state.quarantine))
            assert reader.overview.marks[reader.state.index[reader.state.feed[0].sensor_id]]
            assert reader.state.pipeline is not None
            assert reader.state.pipeline.lag == 0
            for page in pages:
                page.close()
            assert first is not None
            await asyncio.wait_for(first, 10)
            assert not reader.is_reading

    asyncio.run(scenario())


def test_an_older_event_does_not_replace_a_newer_one(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([event("one", 58.0)])
    drain(settings)
    now = b'"timestamp": "20'
    late = event("one", 11.0).replace(now, b'"timestamp": "2025-10-04T12:00:00Z", "was": "20')

    async def scenario() -> None:
        async with reading(settings) as reader:
            page = Page(reader)
            await asyncio.to_thread(produce, [late, event("two", 40.0)])
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: len(reader.state.newest) == 2)
            speeds = sorted(reading.speed or 0.0 for reading in reader.state.newest.values())
            assert speeds == [40.0, 58.0]
            page.close()

    asyncio.run(scenario())


def event_at(sensor: str, timestamp: str, speed: float) -> bytes:
    return json.dumps({"sensor_id": sensor, "timestamp": timestamp, "speed": speed}).encode()


def shown(reader: Reader) -> dict[str, float | None]:
    """Return the newest speed of each sensor."""
    newest = reader.state.newest
    return {
        each.external_id: newest[each.sensor_id].speed
        for each in reader.state.sensors
        if each.sensor_id in newest
    }


def feed(reader: Reader) -> list[tuple[str, float | None]]:
    """Return sensor and speed of the feed's readings, by sensor."""
    names = {each.sensor_id: each.external_id for each in reader.state.sensors}
    return sorted((names[each.sensor_id], each.speed or 0.0) for each in reader.state.feed)


def test_events_with_the_same_time_show_the_reading_that_won(
    settings: Settings, make_topic: MakeTopic, produce: Produce, producer: Producer
) -> None:
    make_topic(partitions=2, message_timestamp_type="CreateTime")
    time = "2025-10-04T12:00:00Z"

    async def scenario() -> None:
        async with reading(settings) as reader:
            page = Page(reader)
            twice = [event_at("one", time, 99.0), event_at("one", time, 52.0)]
            await asyncio.to_thread(produce, twice, partition=0)
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: bool(reader.state.newest))
            assert shown(reader) == {"one": 52.0}
            # An older broker timestamp of another partition loses, although it arrives later.
            late = event_at("one", time, 11.0)
            producer.produce(settings.raw_topic, late, timestamp=1_600_000_000_000, partition=1)
            await asyncio.to_thread(produce, [event("two", 40.0)], partition=1)
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: len(reader.state.newest) == 2)
            assert shown(reader) == {"one": 52.0, "two": 40.0}
            # This event wins, and the reading that it replaces leaves the feed.
            await asyncio.to_thread(produce, [event_at("one", time, 47.0)], partition=0)
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: shown(reader)["one"] != 52.0)
            assert feed(reader) == [("one", 47.0), ("two", 40.0)]
            page.close()

    asyncio.run(scenario())


def test_a_backfill_replaces_and_removes_shown_readings(
    settings: Settings, make_topic: MakeTopic, produce: Produce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_updates, "SLOW_S", 0.0)
    make_topic(partitions=1)
    lenient = settings.model_copy(update={"naive_timezone": "Etc/GMT"})
    day = date(2025, 10, 4)
    produce(
        [
            event_at("altered", "2025-10-04T12:00:00Z", 40.0),
            event_at("back", "2025-10-04T12:00:00Z", 30.0),
            event_at("back", "2025-10-04T13:00:00", 10.0),
            event_at("gone", "2025-10-04T14:00:00", 20.0),
        ]
    )
    drain(lenient)
    execute(settings, "update traffic.traffic_readings set speed = 77 where speed = 40")

    async def scenario() -> None:
        async with reading(settings) as reader:
            page = Page(reader)
            assert shown(reader) == {"altered": 77.0, "back": 10.0, "gone": 20.0}
            # A backfill that changes only readings has no audit row.
            await asyncio.to_thread(backfill_dates, lenient, [day])
            await page.until(lambda: shown(reader)["altered"] == 40.0)
            assert shown(reader) == {"altered": 40.0, "back": 10.0, "gone": 20.0}
            await asyncio.to_thread(backfill_dates, settings, [day])
            await page.until(lambda: "gone" not in shown(reader))
            assert shown(reader) == {"altered": 40.0, "back": 30.0}
            assert feed(reader) == [("altered", 40.0), ("back", 30.0)]
            latest = reader.state.latest
            assert latest is not None
            assert latest.sensor_id in (sensor_uuid("altered"), sensor_uuid("back"))
            page.close()

    asyncio.run(scenario())


def execute(settings: Settings, command: str) -> None:
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as owner:
        owner.execute(command)  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_a_batch_with_a_lower_number_is_read(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    execute(settings, "select setval('traffic.batch_ids', 1000)")
    produce([event("one", 58.0)])
    drain(settings)

    async def scenario() -> None:
        async with reading(settings) as reader:
            page = Page(reader)
            # Another writer reserved this number earlier and commits it now.
            execute(settings, "select setval('traffic.batch_ids', 100)")
            await asyncio.to_thread(produce, [event("two", 40.0)])
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: len(reader.state.newest) == 2)
            page.close()

    asyncio.run(scenario())


def test_a_reprocessed_message_is_read(
    settings: Settings, make_topic: MakeTopic, produce: Produce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_updates, "SLOW_S", 0.0)
    make_topic()
    closed = settings.model_copy(update={"unknown_sensors": "quarantine"})
    produce([event("late", 33.0)])
    drain(closed)

    async def scenario() -> None:
        async with reading(settings) as reader:
            page = Page(reader)
            await page.until(lambda: bool(reader.state.quarantine))
            assert not reader.state.newest
            await asyncio.to_thread(store_sensors, settings, [describe("late", road="A")])
            await asyncio.to_thread(reprocess_rejected, closed, QuarantineFilter())
            await page.until(lambda: [one.speed for one in reader.state.feed] == [33.0])
            await page.until(lambda: not reader.state.quarantine)
            page.close()

    asyncio.run(scenario())


def test_the_reader_survives_errors_and_live_values_do_not_wait_for_health(
    settings: Settings, make_topic: MakeTopic, produce: Produce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "POLL_S", 0.0)
    make_topic()
    produce([event("one", 58.0)])
    drain(settings)

    async def scenario() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()
        real = state_updates.live_states

        async def slow(*arguments: Any) -> list[Any]:
            begun.set()
            await may_end.wait()
            return await real(*arguments)

        monkeypatch.setattr(state_updates, "live_states", slow)
        async with reading(settings) as reader:
            page = Page(reader)
            await asyncio.wait_for(begun.wait(), 20)
            await asyncio.to_thread(produce, [event("one", 40.0)])
            await asyncio.to_thread(drain, settings)
            await page.until(lambda: reader.state.feed[0].speed == 40.0)
            assert not reader.state.health
            may_end.set()
            await page.until(lambda: bool(reader.state.health))
            # After so many polls the statement is prepared, and then its result type changes.
            polls = page.changes
            await page.until(lambda: page.changes > polls + 30)
            execute(settings, "alter table traffic.kafka_offsets alter partition type bigint")
            await page.until(lambda: reader.state.problem is not None)
            await page.until(lambda: reader.state.problem is None)
            execute(settings, "alter table traffic.kafka_offsets rename to elsewhere")
            await page.until(lambda: reader.state.problem is not None)
            assert reader.state.problem is not None
            assert not reader.state.problem.is_unavailable
            execute(settings, "alter table traffic.elsewhere rename to kafka_offsets")
            await page.until(lambda: reader.state.problem is None)
            page.close()

    asyncio.run(scenario())


_FETCH = """
from fastapi.testclient import TestClient
from traffic_platform.api.app import create_app
from traffic_platform.dashboard.mount import mount
from traffic_platform.settings import load_settings

app = create_app(load_settings())
reader = mount(app).reader
with TestClient(app, client=("127.0.0.1", 1), base_url="http://127.0.0.1") as client:
    print(client.get("/").status_code, reader.is_reading, len(reader.changed.callbacks))
    for method, path in (("GET", "/api/nope"), ("GET", "/api"), ("POST", "/api/traffic/current"),
                         ("POST", "/health/live"), ("POST", "/api/sensors/a%2Fb"),
                         ("GET", "/nope?key=SECRET&a=b c")):
        answer = client.request(method, path)
        print(answer.status_code, answer.headers["content-type"], answer.headers.get("allow"))
    print(client.get("/api/sensors/", follow_redirects=False).headers["location"])
"""


def test_a_client_without_websocket_does_not_subscribe_and_api_errors_stay_problems(
    settings: Settings,
) -> None:
    fetched = subprocess.run(
        [sys.executable, "-c", _FETCH],
        env={**os.environ, **as_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fetched.stdout.splitlines() == [
        "200 True 0",
        "404 application/problem+json None",
        "404 application/problem+json None",
        "405 application/problem+json GET, HEAD",
        "405 application/problem+json GET, HEAD",
        "405 application/problem+json GET, HEAD",
        "404 text/html; charset=utf-8 None",
        "http://127.0.0.1/api/sensors",
    ], fetched.stderr
    assert "http://127.0.0.1/nope not found" in fetched.stderr
    assert "SECRET" not in fetched.stderr
