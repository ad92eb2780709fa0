"""A chunk of raw against Kafka, and its stored outcomes against those of today's rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from traffic_platform.events.columns import EVENT_NO
from traffic_platform.events.dates import from_microseconds
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


@dataclass(frozen=True)
class Decision:
    """Outcomes of the messages of a chunk under today's rules."""

    processed: Outcomes
    quarantined: Quarantine

    def without(self, offsets: Collection[int]) -> Decision:
        """Return a copy without the events at some offsets."""
        kept = ~np.isin(self.processed.offset, list(offsets))
        return Decision(self.processed.take(kept), self.quarantined)


@dataclass(frozen=True)
class Piece:
    """Messages that Kafka holds with `begin` <= offset < `end`, without our own messages.

    `own_messages` is their number.
    """

    begin: int
    end: int
    messages: Sequence[Message] = ()
    headers: Sequence[Headers | None] = ()
    own_messages: int = 0


def piece_of(begin: int, end: int, messages: Sequence[Message], signer: Signer) -> Piece:
    """Return a piece of the messages that were read."""
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
        own_messages=len(messages) - len(foreign),
    )


def decode_again(decoder: StoredMessageDecoder, raw: RawChunk) -> Decision:
    """Decode a chunk, each message by its own arrival."""
    decoded = decoder.decode(raw.values, raw.ingested_us)
    return Decision(
        Outcomes.of(decoded.processed, raw.offset),
        {
            (int(raw.offset[item.index]), EVENT_NO): (item.reason.value, item.detail)
            for item in decoded.quarantined
        },
    )


def raw_differences(
    generation: PartitionGeneration,
    raw: RawChunk,
    piece: Piece,
    may_lack: Callable[[int], bool],
    may_lack_raw: Callable[[int], bool],
) -> Iterator[Finding]:
    """Yield the differences between raw rows and a piece of Kafka's log.

    `may_lack` is True of offsets that Kafka may have dropped by its own rules, `may_lack_raw` of
    those that retention may have dropped from raw.
    """
    messages, headers = piece.messages, piece.headers
    offsets = [message.offset() or 0 for message in messages]
    begin, end = np.searchsorted(raw.offset, (piece.begin, piece.end)).tolist()
    stored: list[int] = raw.offset[begin:end].tolist()
    if offsets == stored and _all_equal(raw, range(begin, end), messages, headers):
        return
    held = dict(zip(offsets, zip(messages, headers, strict=True), strict=True))
    for offset in sorted(held.keys() - set(stored)):
        if not may_lack_raw(offset):
            expected = "the message that Kafka holds"
            yield Finding("raw_events", _key(generation, offset), expected, "none")
    for offset in stored:
        if offset not in held and not may_lack(offset):
            yield Finding(
                "raw_events", _key(generation, offset), "no row, as in Kafka", "a message"
            )
    for row, offset in enumerate(stored, begin):
        if offset in held:
            yield from _message_differences(generation, raw, row, *held[offset])


def outcome_differences(
    generation: PartitionGeneration,
    processed: Outcomes,
    quarantined: Quarantine,
    decision: Decision,
) -> Iterator[tuple[EventKey, Finding]]:
    """Yield (event, difference) where stored outcomes differ from decided ones."""
    if not _same_columns(processed, decision.processed):
        yield from _event_differences(generation, processed, decision.processed)
    if quarantined != decision.quarantined:
        yield from _quarantine_differences(generation, quarantined, decision.quarantined)


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
    generation: PartitionGeneration,
    raw: RawChunk,
    row: int,
    message: Message,
    headers: Headers | None,
) -> Iterator[Finding]:
    key = _key(generation, int(raw.offset[row]))
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
        expected = f"broker_timestamp {shown_time(due_us)}, as in Kafka"
        yield Finding("raw_events", key, expected, shown_time(found_us))


def _event_differences(
    generation: PartitionGeneration, stored: Outcomes, decided: Outcomes
) -> Iterator[tuple[EventKey, Finding]]:
    found_rows = _rows_by_event(stored)
    due_rows = _rows_by_event(decided)
    for event in sorted(found_rows.keys() | due_rows.keys()):
        key = _event_key(generation, event)
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
    generation: PartitionGeneration, stored: Quarantine, decided: Quarantine
) -> Iterator[tuple[EventKey, Finding]]:
    for event in sorted(stored.keys() | decided.keys()):
        due, found = decided.get(event), stored.get(event)
        if due != found:
            expected = f"{': '.join(due)}, as decoded again" if due else "no row, as decoded again"
            actual = ": ".join(found) if found else "none"
            yield (
                event,
                Finding("quarantined_events", _event_key(generation, event), expected, actual),
            )


def _same_columns(one: Outcomes, other: Outcomes) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(one.columns(), other.columns(), strict=True)
    )


def event_keys(outcomes: Outcomes) -> list[EventKey]:
    """Return the offset and event_no of each event."""
    return list(zip(outcomes.offset.tolist(), outcomes.event_no.tolist(), strict=True))


def _rows_by_event(outcomes: Outcomes) -> dict[EventKey, dict[str, Any]]:
    """Return rows with values for people, one for each key: another check names double keys."""
    return {
        event: {
            "sensor_id": UUID(bytes=outcomes.sensor_id[row].tobytes()),
            "timestamp": shown_time(int(outcomes.timestamp_us[row])),
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


def _key(generation: PartitionGeneration, offset: int) -> dict[str, Any]:
    return generation.numbers | {"offset": offset}


def _event_key(generation: PartitionGeneration, event: EventKey) -> dict[str, Any]:
    return _key(generation, event[0]) | {"event_no": event[1]}


def _flat(headers: list[tuple[str, bytes | None]] | None) -> Headers | None:
    """Return headers as raw_events stores them: name, value, name, value …"""
    if not headers:
        return None
    items: Headers = []
    for name, value in headers:
        items += [name.encode("utf-8", "surrogateescape"), value]
    return items


def shown_time(microseconds: int) -> str:
    """Return a time for people; MISSING_TIMESTAMP is null."""
    if microseconds == MISSING_TIMESTAMP:
        return "null"
    try:
        return from_microseconds(microseconds).isoformat()
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
    """Return some bytes around position `at`, and the number of all bytes."""
    if data is None:
        return "null"
    begin = max(0, at - _SHOWN_BYTES // 2)
    text = repr(data[begin : begin + _SHOWN_BYTES])
    where = f" from byte {begin}" if begin else ""
    return f"{text}{where} ({len(data)} bytes)"
