"""Latency from producing a message to its visible row, through the running stack."""

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

_QUERY_SECONDS = 0.005
_LAST_ROW_SECONDS = 60.0
_LEDGER = "select topic_no, partition, next_offset from traffic.kafka_offsets"
_DELIVERED = "select sum(delivered) from traffic.micro_batches"
_ROWS = (
    'select "timestamp", topic_no, partition, "offset" from traffic.traffic_readings'
    ' join traffic.sensors using (sensor_id) where external_id like %s and "timestamp" >= %s'
)

Generation = tuple[int, int]  # topic_no, partition


def measure_first_row(stack: Stack) -> dict[str, float]:
    """Send 10 events of 2025-10-04 to an idle stack. Return the seconds to the first and tenth.

    A reader polls the number of readings every 5 ms.
    """
    wait_until(stack.is_idle, 180, "a stack without a draining ingest run")
    topic = stack.settings.raw_topic
    producer = Producer({"bootstrap.servers": stack.endpoints.kafka_bootstrap_servers})
    producer.list_topics(topic, timeout=10)  # connects, as a client that has sent before
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
    """Send `rate` events per second for `seconds` and return latencies in milliseconds.

    A reader queries the ledger every 5 ms. A batch's rows and the new offsets in the ledger commit
    together, so a reader sees both at the same time. The rows themselves are read afterwards,
    because queries for each missing row would load the machine more, the later the row is.
    Raises RuntimeError when an event has no row in the end.
    """
    plan = Plan(stack.endpoints.kafka_bootstrap_servers, stack.settings.raw_topic, rate, seconds)
    seen: dict[Generation, list[tuple[int, float]]] = {}
    with stack.reader() as reader, SteadyStream(plan) as stream:
        before = _count(reader, _DELIVERED)
        while not stream.ended:
            _note_offsets(reader, seen)
            time.sleep(_QUERY_SECONDS)
        sent = stream.sent()
        deadline = time.monotonic() + _LAST_ROW_SECONDS
        while _count(reader, _DELIVERED) < before + sent.events and time.monotonic() < deadline:
            _note_offsets(reader, seen)
            time.sleep(_QUERY_SECONDS)
        _note_offsets(reader, seen)
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


def _note_offsets(
    reader: psycopg.Connection[Any], seen: dict[Generation, list[tuple[int, float]]]
) -> None:
    """Note new offsets of the ledger, and the time at which the reader first saw each."""
    ledger = reader.execute(_LEDGER).fetchall()
    now = time.monotonic()
    for topic_no, partition, next_offset in ledger:
        advances = seen.setdefault((topic_no, partition), [])
        if not advances or next_offset > advances[-1][0]:
            advances.append((next_offset, now))


def _seen_at(advances: list[tuple[int, float]], offset: int) -> float:
    """Return the time at which the reader first saw the ledger beyond `offset`."""
    return advances[bisect_right(advances, offset, key=lambda advance: advance[0])][1]


def _wait_for_rows(reader: psycopg.Connection[Any], rows: int) -> float:
    """Wait until the reader sees so many readings. Return the monotonic time."""
    deadline = time.monotonic() + _LAST_ROW_SECONDS
    while _count(reader, "select count(*) from traffic.traffic_readings") < rows:
        if time.monotonic() > deadline:
            raise TimeoutError(f"fewer than {rows} rows after {_LAST_ROW_SECONDS:.0f} s")
        time.sleep(_QUERY_SECONDS)
    return time.monotonic()


def _count(reader: psycopg.Connection[Any], query: LiteralString) -> int:
    row = reader.execute(query).fetchone()
    return int(row[0] or 0) if row else 0
