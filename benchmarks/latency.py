"""From produce to a row that a reader sees, through the running stack."""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from confluent_kafka import Producer

from benchmarks.report import percentile
from benchmarks.running_stack import Stack, wait_until
from benchmarks.steady import Plan, SteadyStream
from benchmarks.stream import event

_LOOK_SECONDS = 0.005
_LAST_ROW_SECONDS = 60.0
_LEDGER = "select topic_no, partition, next_offset from traffic.kafka_offsets"
_DELIVERED = "select sum(delivered) from traffic.micro_batches"
_ROWS = (
    'select "timestamp", topic_no, partition, "offset" from traffic.traffic_readings'
    ' join traffic.sensors using (sensor_id) where external_id like %s and "timestamp" >= %s'
)

Generation = tuple[int, int]  # topic_no, partition


def measure_first_row(stack: Stack) -> dict[str, float]:
    """Send 10 events of 2025-10-04 to an idle stack; seconds until the first row and the tenth."""
    wait_until(stack.is_idle, 180, "a stack without a window at work")
    topic = stack.settings.raw_topic
    producer = Producer({"bootstrap.servers": stack.endpoints.kafka_bootstrap_servers})
    producer.list_topics(topic, timeout=10)  # connected, as a client that has sent before
    with stack.reader() as reader:
        started = time.monotonic()
        for number in range(10):
            value = event(f"first-{number}", f"2025-10-04T12:00:0{number}Z", 61.25, 1200, 9.5)
            producer.produce(topic, value)
        producer.flush(10)
        first = _wait_for_rows(reader, 1) - started
        tenth = _wait_for_rows(reader, 10) - started
    return {"first_row_s": round(first, 2), "ten_rows_s": round(tenth, 2)}


def measure_latency(stack: Stack, rate: float, seconds: float) -> dict[str, Any]:
    """Send `rate` events a second for `seconds`; latencies in milliseconds.

    A reader asks the ledger every 5 ms how far it has come. A batch's rows and its move of the
    ledger commit together, so whoever sees the one sees the other; the rows themselves are read
    afterwards. (To ask for every missing row would take the more of the machine, the later it is.)
    Raises RuntimeError when an event has no row in the end.
    """
    plan = Plan(stack.endpoints.kafka_bootstrap_servers, stack.settings.raw_topic, rate, seconds)
    seen: dict[Generation, list[tuple[int, float]]] = {}
    with stack.reader() as reader, SteadyStream(plan) as stream:
        before = _count(reader, _DELIVERED)
        while not stream.ended:
            _look(reader, seen)
            time.sleep(_LOOK_SECONDS)
        sent = stream.sent()
        deadline = time.monotonic() + _LAST_ROW_SECONDS
        while _count(reader, _DELIVERED) < before + sent.events and time.monotonic() < deadline:
            _look(reader, seen)
            time.sleep(_LOOK_SECONDS)
        _look(reader, seen)
        first = datetime.fromisoformat(sent.first_timestamp)
        rows = reader.execute(_ROWS, ("steady-%", first)).fetchall()
    if len(rows) != sent.events:
        raise RuntimeError(f"{len(rows)} of {sent.events} events have a row")
    ordered = sorted(
        _seen_at(seen[row[1], row[2]], row[3]) - sent.due(row[0], rate) for row in rows
    )
    return {
        "events_per_s": rate,
        "seconds": seconds,
        "events": len(ordered),
        "p50_ms": round(percentile(ordered, 0.5) * 1000, 1),
        "p99_ms": round(percentile(ordered, 0.99) * 1000, 1),
        "max_ms": round(ordered[-1] * 1000, 1),
        "producer_late_p99_ms": sent.late_p99_ms,
    }


def _look(reader: psycopg.Connection[Any], seen: dict[Generation, list[tuple[int, float]]]) -> None:
    """Note where the ledger is, and when that was first seen."""
    ledger = reader.execute(_LEDGER).fetchall()
    now = time.monotonic()
    for topic_no, partition, next_offset in ledger:
        moves = seen.setdefault((topic_no, partition), [])
        if not moves or next_offset > moves[-1][0]:
            moves.append((next_offset, now))


def _seen_at(moves: list[tuple[int, float]], offset: int) -> float:
    """When the ledger was first seen beyond `offset`."""
    return moves[bisect_right(moves, offset, key=lambda move: move[0])][1]


def _wait_for_rows(reader: psycopg.Connection[Any], rows: int) -> float:
    """The moment at which so many readings are seen."""
    deadline = time.monotonic() + _LAST_ROW_SECONDS
    while _count(reader, "select count(*) from traffic.traffic_readings") < rows:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {rows} rows within {_LAST_ROW_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic()


def _count(reader: psycopg.Connection[Any], query: LiteralString) -> int:
    row = reader.execute(query).fetchone()
    return int(row[0] or 0) if row else 0
