"""The clean stream against processed_events: each event once, with its stored values."""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt

from traffic_platform.kafka.admin import BrokerTopic
from traffic_platform.kafka.log_reader import LogReader, is_compacted
from traffic_platform.kafka.messages import headers_of
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.postgres.connections import Connection
from traffic_platform.publish.encode import Encoder
from traffic_platform.publish.rows import Events
from traffic_platform.statements import statement
from traffic_platform.verify.dropped import read_dropped
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.stored_rows import CHUNK_MESSAGES, Outcomes, processed_range
from traffic_platform.verify.verify_report import Finding, VerifyReport

_SHARED = {column.name for column in fields(Outcomes)} & {column.name for column in fields(Events)}
_TWICE = "more than one, perhaps a copy"  # another producer may forward our message unchanged
Ints = npt.NDArray[np.int64]
GenerationKey = tuple[int, int]  # topic_no, partition


@dataclass(frozen=True)
class _Publication:
    """Progress of publishing a partition generation, as of the snapshot."""

    topic_no: int
    partition: int
    start_offset: int
    next_offset: int
    next_reprocessed: int
    destination: str
    destination_id: str
    destination_partition: int


@dataclass
class _Found:
    """Own messages of one source generation, in the order of delivery: offsets and hashes."""

    offsets: array[int] = field(default_factory=lambda: array("q"))
    hashes: array[int] = field(default_factory=lambda: array("q"))


def check_published(
    connection: Connection,
    kafka_config: dict[str, str],
    signer: Signer,
    generations: list[PartitionGeneration],
    topics: dict[str, BrokerTopic | None],
    report: VerifyReport,
) -> None:
    """Read the clean stream as a `read_committed` consumer does, and compare it with the events.

    The stream may already hold events that were published after the snapshot. Events that Kafka
    no longer holds are not expected.
    """
    rows = connection.execute(statement("verify/publications")).fetchall()
    publications = [_Publication(*row) for row in rows]
    with report.check("the clean stream holds each published event once") as check:
        check.rows = 0
        for name in sorted({publication.destination for publication in publications}):
            topic = topics.get(name)
            if topic is None:
                continue
            found = _read_ours(kafka_config, signer, topic)
            whole = _is_whole(connection, kafka_config, topic)
            by_key = {(item.topic_no, item.partition): item for item in generations}
            for publication in publications:
                if (publication.destination, publication.destination_id) == (name, topic.topic_id):
                    key = (publication.topic_no, publication.partition)
                    ours = found.get(key, _Found())
                    check.rows += len(ours.offsets)
                    report.add(_differences(connection, by_key[key], publication, ours, whole))


def _read_ours(
    kafka_config: dict[str, str], signer: Signer, topic: BrokerTopic
) -> dict[GenerationKey, _Found]:
    found: defaultdict[GenerationKey, _Found] = defaultdict(_Found)
    with LogReader(kafka_config, "traffic-verify") as kafka:
        for partition, ends in topic.partitions.items():
            if ends.low >= ends.end:
                continue
            kafka.seek(topic.name, partition, ends.low)
            for messages in kafka.read_below(ends.end):
                for message, headers in zip(messages, headers_of(messages), strict=True):
                    origin = signer.origin(headers, message.value())
                    if origin is not None:
                        ours = found[origin.topic_no, origin.partition]
                        ours.offsets.append(origin.offset)
                        ours.hashes.append(_hash(message.value() or b""))
    return found


def _is_whole(connection: Connection, kafka_config: dict[str, str], topic: BrokerTopic) -> bool:
    """Return True if Kafka still holds all messages ever published to a topic of this name."""
    if any(ends.low for ends in topic.partitions.values()):
        return False
    parameters = {"topic": topic.name, "topic_id": topic.topic_id}
    row = connection.execute(statement("verify/published_elsewhere"), parameters).fetchone()
    return not (row and row[0]) and not is_compacted(kafka_config, topic.name)


def _differences(
    connection: Connection,
    generation: PartitionGeneration,
    publication: _Publication,
    found: _Found,
    whole: bool,
) -> Iterator[Finding]:
    offsets = np.array(found.offsets, dtype=np.int64)
    order = np.argsort(offsets, kind="stable")
    offsets, hashes = offsets[order], np.array(found.hashes, dtype=np.int64)[order]
    for offset in offsets[1:][offsets[1:] == offsets[:-1]].tolist():
        yield _finding(publication, offset, "one message in the clean stream", _TWICE)
    first = generation.start_offset if whole else int(offsets.min(initial=generation.next_offset))
    reprocessed = _reprocessed(connection, generation)
    backfilled = _offsets(connection, "verify/rebuilt_after_publishing", generation)
    ahead = _offsets(connection, "verify/published_ahead", generation)
    events_to = read_dropped(connection, generation).events_to
    encoder = Encoder()
    for begin in range(first, generation.next_offset, CHUNK_MESSAGES):
        end = min(begin + CHUNK_MESSAGES, generation.next_offset)
        stored, _ = processed_range(connection, generation, begin, end)
        low, high = np.searchsorted(offsets, (begin, end))
        yield from _chunk_differences(
            publication,
            stored,
            encoder,
            offsets[low:high],
            hashes[low:high],
            reprocessed,
            backfilled,
            ahead,
            events_to,
        )


def _chunk_differences(
    publication: _Publication,
    stored: Outcomes,
    encoder: Encoder,
    offsets: Ints,
    hashes: Ints,
    reprocessed: dict[int, int],
    backfilled: frozenset[int],
    ahead: frozenset[int],
    events_to: int,
) -> Iterator[Finding]:
    """Yield the differences of a chunk. Retention may have dropped events below `events_to`.

    `backfilled` are offsets whose event a backfill has changed or removed, published or not, and
    `ahead` offsets that were published before PostgreSQL went back to a time before their event.
    """
    due = dict(zip(stored.offset.tolist(), map(_hash, _values(encoder, stored)), strict=True))
    found = dict(zip(offsets.tolist(), hashes.tolist(), strict=True))
    for offset in sorted(due.keys() | found.keys()):
        if offset in backfilled:  # the published message keeps its values from before
            continue
        if offset not in due:
            if offset >= events_to and offset not in ahead:
                yield _finding(
                    publication, offset, "no message, since no event has this offset", "a message"
                )
        elif offset not in found:
            if _is_published(publication, offset, reprocessed):
                yield _finding(publication, offset, "a message in the clean stream", "none")
        elif due[offset] != found[offset]:
            yield _finding(publication, offset, "the event with its stored values", "another value")


def _is_published(publication: _Publication, offset: int, reprocessed: dict[int, int]) -> bool:
    """Return True if the positions are behind the event of an offset."""
    if offset in reprocessed:
        return reprocessed[offset] < publication.next_reprocessed
    return offset < publication.next_offset


def _reprocessed(connection: Connection, generation: PartitionGeneration) -> dict[int, int]:
    """Return the replay_no of each reprocessed event by its offset."""
    return dict(connection.execute(statement("verify/replayed"), vars(generation)).fetchall())


def _offsets(
    connection: Connection, name: LiteralString, generation: PartitionGeneration
) -> frozenset[int]:
    rows = connection.execute(statement(name), vars(generation)).fetchall()
    return frozenset(offset for (offset,) in rows)


def _values(encoder: Encoder, stored: Outcomes) -> list[bytes]:
    """Return the message of each event, as the publisher encodes it."""
    nothing = np.zeros(len(stored.offset), dtype=np.int64)
    columns = {name: getattr(stored, name) for name in _SHARED}
    return encoder.encode(
        Events(topic_no=nothing, partition=nothing, replay_no=nothing, **columns)
    ).values


def _hash(value: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "big", signed=True)


def _finding(publication: _Publication, offset: int, expected: str, found: str) -> Finding:
    key: dict[str, Any] = {
        "topic": publication.destination,
        "topic_no": publication.topic_no,
        "partition": publication.partition,
        "offset": offset,
    }
    return Finding("publications", key, expected, found)
