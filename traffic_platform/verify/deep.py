"""The deep verification: read Kafka again, decode every message again, compare every row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.kafka.admin import BrokerTopic
from traffic_platform.kafka.log_reader import LogReader, is_compacted
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.postgres.connections import Connection
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.statements import statement
from traffic_platform.verify.compare import (
    Decision,
    Piece,
    decode_again,
    event_keys,
    outcome_differences,
    piece_of,
    raw_differences,
)
from traffic_platform.verify.dropped import Dropped, read_dropped
from traffic_platform.verify.ledger_sums import PartitionGeneration, is_same_generation
from traffic_platform.verify.order import OrderTimes
from traffic_platform.verify.stale_rules import OtherRules
from traffic_platform.verify.stored_rows import (
    Quarantine,
    RawChunk,
    processed_range,
    quarantined_range,
    raw_chunks,
)
from traffic_platform.verify.verify_report import Finding, VerifyReport

Progress = Callable[[int], None]  # gets the number of compared messages


@dataclass
class _Messages:
    """Kafka's messages of one generation. `kafka` is None where Kafka does not hold them."""

    kafka: LogReader | None
    compacted: bool = False
    whole: bool = False  # Kafka holds all messages that the ledger has counted
    dropped: Dropped = field(default_factory=Dropped)

    def may_lack(self, offset: int) -> bool:
        """Return True if Kafka's retention or compaction may have dropped a message."""
        return self.compacted or self.kafka is None or self.kafka.has_dropped(offset)


class DeepVerification:
    """Comparison of one generation after another, with memory for one chunk."""

    def __init__(
        self,
        connection: Connection,
        kafka_config: dict[str, str],
        rules: Rules,
        signer: Signer,
    ) -> None:
        self._connection = connection
        self._signer = signer
        self._kafka_config = kafka_config
        self._rules = rules
        self._decoder = StoredMessageDecoder.of(rules, connection)
        self._without_sensors = StoredMessageDecoder(rules, lambda _sensors: set())

    def check(
        self,
        generations: list[PartitionGeneration],
        topics: dict[str, BrokerTopic | None],
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        """Compare all generations until the report is full."""
        with (
            report.check("raw equals Kafka, and decodes to the same rows") as check,
            LogReader(self._kafka_config, "traffic-verify") as kafka,
        ):
            for generation in generations:
                self._check_generation(
                    generation, topics.get(generation.topic), kafka, report, progress
                )
            check.rows = report.messages_decoded

    def _check_generation(
        self,
        generation: PartitionGeneration,
        topic: BrokerTopic | None,
        kafka: LogReader,
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        source = self._open(generation, topic, kafka)
        source.dropped = read_dropped(self._connection, generation)
        own_messages = 0
        others = OtherRules(self._connection, generation, self._rules.version)
        order = OrderTimes(self._connection, generation)
        for chunk in raw_chunks(self._connection, generation):
            if report.room <= 0:
                return
            if source.kafka is not None:
                own_messages += self._compare_with_kafka(generation, chunk, source, report)
            self._compare_outcomes(generation, chunk, source.dropped, others, report)
            report.add(order.differences(chunk))
            report.messages_decoded += len(chunk)
            progress(len(chunk))
        if source.whole:
            self._check_own_messages(generation, own_messages, report)

    def _check_own_messages(
        self, generation: PartitionGeneration, found: int, report: VerifyReport
    ) -> None:
        row = self._connection.execute(statement("verify/echoes"), vars(generation)).fetchone()
        audited = int(row[0]) if row else 0
        if audited != found:
            expected = f"echoes adding up to {found}, the own messages in Kafka"
            report.add([Finding("micro_batches", generation.numbers, expected, f"{audited}")])

    def _open(
        self, generation: PartitionGeneration, topic: BrokerTopic | None, kafka: LogReader
    ) -> _Messages:
        """Return Kafka's messages, from the first offset that Kafka and the ledger both know."""
        if topic is None or not generation.active or not is_same_generation(generation, topic):
            return _Messages(None)
        ends = topic.partitions.get(generation.partition)
        if (
            ends is None
            or not max(ends.low, generation.start_offset) < generation.next_offset <= ends.end
        ):
            return _Messages(None)
        kafka.seek(generation.topic, generation.partition, max(ends.low, generation.start_offset))
        compacted = is_compacted(self._kafka_config, generation.topic)
        return _Messages(
            kafka, compacted, whole=ends.low <= generation.start_offset and not compacted
        )

    def _compare_with_kafka(
        self,
        generation: PartitionGeneration,
        chunk: RawChunk,
        source: _Messages,
        report: VerifyReport,
    ) -> int:
        """Compare a chunk with Kafka, and return the number of own messages.

        Missing raw rows do not make memory grow, because the comparison goes piece by piece.
        """
        assert source.kafka is not None
        lacks = source.may_lack, source.dropped.may_lack_raw
        reached, own_messages = chunk.begin, 0
        for messages in source.kafka.read_below(chunk.end):
            last = messages[-1].offset()
            assert last is not None
            piece = piece_of(reached, last + 1, messages, self._signer)
            report.add(raw_differences(generation, chunk, piece, *lacks))
            report.messages_in_kafka += len(messages)
            reached, own_messages = piece.end, own_messages + piece.own_messages
        report.add(raw_differences(generation, chunk, Piece(reached, chunk.end), *lacks))
        return own_messages

    def _compare_outcomes(
        self,
        generation: PartitionGeneration,
        chunk: RawChunk,
        dropped: Dropped,
        others: OtherRules,
        report: VerifyReport,
    ) -> None:
        bounds = (self._connection, generation, chunk.begin, chunk.end)
        decision = decode_again(self._decoder, chunk)
        processed, batch_ids = processed_range(*bounds)
        quarantined, rules = quarantined_range(*bounds)
        batches = dict(zip(event_keys(processed), batch_ids.tolist(), strict=True))
        processed, quarantined = dropped.with_raw(processed, quarantined, chunk.offset)
        if waiting := self._waiting(chunk, quarantined, decision):
            report.waiting_for_replay += len(waiting)
            decision = decision.without(waiting)
            quarantined = {key: why for key, why in quarantined.items() if key[0] not in waiting}
        decided = dropped.without_events(decision.processed, processed.offset)
        decision = Decision(decided, decision.quarantined)
        found = list(outcome_differences(generation, processed, quarantined, decision))
        stale: set[int] = set()  # a message may differ both in processed and in quarantine
        for key, finding in found:
            if others.decided(key[0], batches.get(key), rules.get(key)):
                stale.add(key[0])
            else:
                report.add([finding])
        report.stale_differing += len(stale)

    def _waiting(
        self, chunk: RawChunk, quarantined: Quarantine, decision: Decision
    ) -> frozenset[int]:
        """Return offsets quarantined for a sensor that was unknown then and is registered now.

        Only offsets with the reason and detail that an unknown sensor gives: others differ.
        """
        if self._rules.unknown_sensors != "quarantine":
            return frozenset()
        offsets = [key[0] for key, (why, _) in quarantined.items() if why == Reason.UNKNOWN_SENSOR]
        offsets = np.intersect1d(offsets, decision.processed.offset)
        if len(offsets) == 0:
            return frozenset()
        rows = np.flatnonzero(np.isin(chunk.offset, offsets)).tolist()
        due = decode_again(self._without_sensors, chunk.take(rows)).quarantined
        return frozenset(key[0] for key, why in due.items() if why == quarantined[key])
