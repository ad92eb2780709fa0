"""Live readings as server-sent events, from real messages."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import psycopg
import pytest

from traffic_platform.api.app import create_app
from traffic_platform.api.stream import live_readings
from traffic_platform.api.stream.event_history import MOST_AT_A_TIME, EventHistory
from traffic_platform.rollups import roll_up_all
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import Served, served
from traffic_platform_tests.integration.once import drain

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
Event = dict[str, str]


def message(number: int, speed: float = 50.0) -> bytes:
    at = (NOON + timedelta(seconds=20 * number)).isoformat()
    document = {"sensor_id": f"s{number % 3}", "timestamp": at, "speed": speed, "volume": number}
    return json.dumps(document).encode()


@contextlib.contextmanager
def listening(serve: Served, last_event_id: str | None = None) -> Iterator[Iterator[Event]]:
    """Yield the events of one client as they arrive."""
    headers = {} if last_event_id is None else {"last-event-id": last_event_id}
    url = f"{serve.url}/api/traffic/stream"
    with (
        httpx.Client(timeout=httpx.Timeout(60)) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        if not line and "event" in event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def volumes(found: Iterator[Event]) -> list[int]:
    return [json.loads(event["data"])["volume"] for event in found]


def test_stored_readings_are_streamed_once_and_a_client_resumes(
    serve: Served,
    settings: Settings,
    owner: psycopg.Connection,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic(partitions=3)
    produce([message(number) for number in range(3)])
    drain(settings)  # before a client listens
    with listening(serve) as one, listening(serve) as other:
        assert next(one)["event"] == next(other)["event"] == "ready"
        for begin in (10, 20):
            for partition in range(3):
                wanted = range(begin + 3 * partition, begin + 3 * partition + 3)
                produce([message(number) for number in wanted], partition=partition)
            drain(settings)
            for listener in (one, other):
                found = list(islice(listener, 9))
                assert {event["event"] for event in found} == {"reading"}
                assert sorted(volumes(iter(found))) == list(range(begin, begin + 9))
        last = found[-3]["id"]
        with psycopg.connect(settings.endpoints().owner_url) as connection:
            row = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and application_name = 'traffic-api-shared'"
            ).fetchone()
        assert row == (1,)
    # While no client listens.
    produce([message(40), message(40, speed=60.0), message(10)])
    drain(settings)
    with listening(serve, last) as again:
        assert [event["id"] for event in islice(again, 2)] == [event["id"] for event in found[-2:]]
        later = list(islice(again, 2))
    # Of two messages with the same sensor and time, the later one becomes the reading.
    assert sorted(volumes(iter(later))) == [10, 40]
    assert {json.loads(event["data"])["speed"] for event in later} == {50.0, 60.0}
    with listening(serve, "another-7") as lost:
        assert next(lost)["event"] == "reset"
    roll_up_all(settings)
    totals = httpx.get(f"{serve.url}/api/traffic/historical/2025-10-04").json()
    stored = owner.execute("select count(*) from traffic.traffic_readings").fetchone()
    assert (totals["total"],) == stored


@pytest.mark.parametrize("chunks", [[1, 2, 3], [5], [2, 2, 2, 2, 2]])
def test_a_history_returns_all_later_events_or_reports_a_gap(chunks: list[int]) -> None:
    history, seen = EventHistory(most=4), 0
    for size in chunks:
        history.add([str(seen + number + 1) for number in range(size)])
        seen += size
        for number in range(seen + 1):
            event_id = history.id_of(number)
            if history.number_of(event_id) is None:
                assert seen - number > 4
                continue
            found: list[Any] = []
            position = number
            while position < seen:
                events_, position = history.after(position)
                found += [line for line in events_.decode().split("\n") if line.startswith("data")]
            assert found == [f"data: {later}" for later in range(number + 1, seen + 1)]
    for invalid in ("", "x", history.id_of(seen + 1), history.id_of(0)[:-1], "9" * 30):
        assert history.number_of(invalid) is None
    assert history.number_of(f"{history.id_of(0)[:-1]}{'9' * 30}") is None


def test_many_events_are_sent_in_parts_and_a_client_resumes_after_any() -> None:
    """Bytes wait in memory for a slow client, so each part is small."""
    history = EventHistory()
    history.add([str(number) for number in range(1, 15_001)])
    found: list[int] = []
    position = 0
    while position < history.newest:
        events_, position = history.after(position)
        part = list(events(iter(events_.decode().split("\n"))))
        assert 0 < len(part) <= MOST_AT_A_TIME == 500
        assert history.number_of(part[-1]["id"]) == position
        # A client that left in the middle of the part gets only the rest of it.
        middle = history.number_of(part[200]["id"])
        assert middle is not None
        rest, end = history.after(middle)
        assert (rest, end) == (events_[-len(rest) :], position)
        assert rest.count(b"\ndata: ") == len(part) - 201
        found += [int(event["data"]) for event in part]
    assert found == list(range(1, 15_001))


def test_an_idle_client_gets_heartbeats(
    api_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_readings, "HEARTBEAT_SECONDS", 0.1)
    with (
        served(create_app(api_settings())) as running,
        httpx.stream("GET", f"{running.url}/api/traffic/stream", timeout=60) as answer,
    ):
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event")) == "event: ready"
        comments = [line for line in islice(lines, 7) if line.startswith(":")]
        assert comments == [": heartbeat"] * 3
