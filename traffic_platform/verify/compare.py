"""A chunk of raw against Kafka, and its outcomes against those that it decodes to today."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from traffic_platform.events.columns import EVENT_NO
from traffic_platform.kafka.messages import MISSING_TIMESTAMP, broker_times, headers_of
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.stored_rows import (
    EventKey,
    Headers,
    Outcomes,
    Quarantine,
    RawChunk,
)
from traffic_platform.verify.verify_report import Finding

_SHOWN_BYTES = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Decision:
    """What a chunk's messages turn into under today's rules."""

    processed: Outcomes
    quarantined: Quarantine

    def without(self, offsets: Collection[int]) -> Decision:
        """The same but for the events at some offsets."""
        kept = ~np.isin(self.processed.offset, list(offsets))
        return Decision(self.processed.take(kept), self.quarantined)


@dataclass(frozen=True)
class Piece:
    """All messages that Kafka holds with `begin` <= offset < `end`, but for our own echoes."""

    begin: int
    end: int
    messages: Sequence[Message] = ()
    headers: Sequence[Headers | None] = ()
    echoes: int = 0


def piece_of(begin: int, end: int, messages: Sequence[Message], signer: Signer) -> Piece:
    """A piece of what was read; to be made once for each message."""
    pairs = headers_of(messages)
    foreign = [
        row
        for row, (message, headers) in enumerate(zip(messages, pairs, strict=True))
        if headers is None or signer.origin(headers, message.value()) is None
    ]
    return Piece(
        begin,
        end,
        [messages[row] for row in foreign],
        [_flat(pairs[row]) for row in foreign],
        echoes=len(messages) - len(foreign),
    )


def decode_again(decoder: StoredMessageDecoder, raw: RawChunk) -> Decision:
    """Decode a chunk, each message judged by its own arrival."""
    decoded = decoder.decode(raw.values, raw.ingested_us)
    return Decision(
        Outcomes.of(decoded.processed, raw.offset),
        {
            (int(raw.offset[item.index]), EVENT_NO): (item.reason.value, item.detail)
            for item in decoded.quarantined
        },
    )


def raw_differences(
    log: PartitionGeneration,
    raw: RawChunk,
    piece: Piece,
    may_lack: Callable[[int], bool],
    may_lack_raw: Callable[[int], bool] = lambda _: False,
) -> Iterator[Finding]:
    """Raw rows against a piece of Kafka's log.

    `may_lack` tells whether Kafka has dropped an offset by its own rules, `may_lack_raw` whether
    retention has dropped it from raw.
    """
    messages, headers = piece.messages, piece.headers
    offsets = np.fromiter((m.offset() for m in messages), dtype=np.int64, count=len(messages))
    begin, end = np.searchsorted(raw.offset, (piece.begin, piece.end))
    if np.array_equal(offsets, raw.offset[begin:end]):
        rows = range(int(begin), int(end))
        if _all_equal(raw, rows, messages, headers):
            return
        held = dict(zip(offsets.tolist(), zip(messages, headers, strict=True), strict=True))
    else:
        stored = set(raw.offset[begin:end].tolist())
        for offset in offsets.tolist():
            if offset not in stored and not may_lack_raw(offset):
                yield Finding(
                    "raw_events", _key(log, offset), "the message that Kafka holds", "none"
                )
        held = dict(zip(offsets.tolist(), zip(messages, headers, strict=True), strict=True))
        for offset in raw.offset[begin:end].tolist():
            if offset not in held and not may_lack(offset):
                yield Finding("raw_events", _key(log, offset), "no row, as in Kafka", "a message")
        rows = [row for row in range(int(begin), int(end)) if int(raw.offset[row]) in held]
    for row in rows:
        yield from _message_differences(log, raw, row, *held[int(raw.offset[row])])


def outcome_differences(
    log: PartitionGeneration, processed: Outcomes, quarantined: Quarantine, decision: Decision
) -> Iterator[tuple[EventKey, Finding]]:
    """Stored outcomes against decided ones: (event, difference)."""
    if not _same_columns(processed, decision.processed):
        yield from _event_differences(log, processed, decision.processed)
    if quarantined != decision.quarantined:
        yield from _quarantine_differences(log, quarantined, decision.quarantined)


def _all_equal(
    raw: RawChunk, rows: range, messages: Sequence[Message], headers: Sequence[Headers | None]
) -> bool:
    part = slice(rows.start, rows.stop)
    return (
        [message.value() for message in messages] == list(raw.values[part])
        and [message.key() for message in messages] == list(raw.keys[part])
        and list(headers) == list(raw.headers[part])
        and np.array_equal(broker_times(messages), raw.broker_us[part])
    )


def _message_differences(
    log: PartitionGeneration, raw: RawChunk, row: int, message: Message, headers: Headers | None
) -> Iterator[Finding]:
    key = _key(log, int(raw.offset[row]))
    pairs: list[tuple[str, bytes | None, bytes | None]] = [
        ("value", message.value(), raw.values[row]),
        ("key", message.key(), raw.keys[row]),
    ]
    for name, due, found in pairs:
        if due != found:
            at = _first_difference(due, found)
            expected = f"{name} {_shown(due, at)}, as in Kafka"
            yield Finding("raw_events", key, expected, _shown(found, at))
    if headers != raw.headers[row]:
        yield Finding("raw_events", key, f"headers {headers}, as in Kafka", f"{raw.headers[row]}")
    due_us, found_us = int(broker_times([message])[0]), int(raw.broker_us[row])
    if due_us != found_us:
        expected = f"broker_timestamp {_time(due_us)}, as in Kafka"
        yield Finding("raw_events", key, expected, _time(found_us))


def _event_differences(
    log: PartitionGeneration, stored: Outcomes, decided: Outcomes
) -> Iterator[tuple[EventKey, Finding]]:
    found_rows = _rows_by_event(stored)
    due_rows = _rows_by_event(decided)
    for event in sorted(found_rows.keys() | due_rows.keys()):
        key = _event_key(log, event)
        due, found = due_rows.get(event), found_rows.get(event)
        if found is None:
            yield event, Finding("processed_events", key, f"{due}, as decoded again", "none")
        elif due is None:
            yield event, Finding("processed_events", key, "no row, as decoded again", f"{found}")
        elif due != found:
            names = [name for name in due if due[name] != found[name]]
            expected = ", ".join(f"{name} {due[name]}" for name in names)
            actual = ", ".join(f"{name} {found[name]}" for name in names)
            yield event, Finding("processed_events", key, f"{expected}, as decoded again", actual)


def _quarantine_differences(
    log: PartitionGeneration, stored: Quarantine, decided: Quarantine
) -> Iterator[tuple[EventKey, Finding]]:
    for event in sorted(stored.keys() | decided.keys()):
        due, found = decided.get(event), stored.get(event)
        if due != found:
            expected = f"{': '.join(due)}, as decoded again" if due else "no row, as decoded again"
            actual = ": ".join(found) if found else "none"
            yield event, Finding("quarantined_events", _event_key(log, event), expected, actual)


def _same_columns(one: Outcomes, other: Outcomes) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(one.columns(), other.columns(), strict=True)
    )


def event_keys(outcomes: Outcomes) -> list[EventKey]:
    """The offset and event_no of each event."""
    return list(zip(outcomes.offset.tolist(), outcomes.event_no.tolist(), strict=True))


def _rows_by_event(outcomes: Outcomes) -> dict[EventKey, dict[str, Any]]:
    """Rows with values for people; of rows that share a key, which is named elsewhere, one."""
    return {
        event: {
            "sensor_id": UUID(bytes=outcomes.sensor_id[row].tobytes()),
            "timestamp": _time(int(outcomes.timestamp_us[row])),
            **{name: _number(column[row]) for name, column in outcomes.measures._asdict().items()},
            "quality_score": _number(outcomes.quality_score[row]),
            "interval_s": _number(outcomes.interval_s[row]),
            "quality_flags": int(outcomes.quality_flags[row]),
            "format": int(outcomes.format[row]),
        }
        for row, event in enumerate(event_keys(outcomes))
    }


def _number(value: np.float64) -> str:
    return "null" if np.isnan(value) else repr(float(value))


def _key(log: PartitionGeneration, offset: int) -> dict[str, Any]:
    return {"topic_no": log.topic_no, "partition": log.partition, "offset": offset}


def _event_key(log: PartitionGeneration, event: EventKey) -> dict[str, Any]:
    return _key(log, event[0]) | {"event_no": event[1]}


def _flat(headers: list[tuple[str, bytes | None]] | None) -> Headers | None:
    """As raw_events has them: name, value, name, value …"""
    if not headers:
        return None
    items: Headers = []
    for name, value in headers:
        items += [name.encode("utf-8", "surrogateescape"), value]
    return items


def _time(microseconds: int) -> str:
    if microseconds == MISSING_TIMESTAMP:
        return "null"
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return f"{microseconds} µs after 1970"


def _first_difference(one: bytes | None, other: bytes | None) -> int:
    if one is None or other is None:
        return 0
    length = min(len(one), len(other))
    a, b = np.frombuffer(one, np.uint8, length), np.frombuffer(other, np.uint8, length)
    unequal: npt.NDArray[np.int64] = np.flatnonzero(a != b)
    return int(unequal[0]) if len(unequal) else length


def _shown(data: bytes | None, at: int) -> str:
    """Some bytes around position `at`, and how many there are."""
    if data is None:
        return "null"
    begin = max(0, at - _SHOWN_BYTES // 2)
    text = repr(data[begin : begin + _SHOWN_BYTES])
    where = f" from byte {begin}" if begin else ""
    return f"{text}{where} ({len(data)} bytes)"
