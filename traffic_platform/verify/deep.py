"""The deep look: Kafka read again, every message decoded again, every row compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.kafka.admin import BrokerTopic
from traffic_platform.kafka.log_reader import LogReader, is_compacted
from traffic_platform.kafka.origin_header import Signer
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
from traffic_platform.verify.snapshot import Connection
from traffic_platform.verify.stale_rules import OtherRules
from traffic_platform.verify.stored_rows import (
    Quarantine,
    RawChunk,
    processed_range,
    quarantined_range,
    raw_chunks,
)
from traffic_platform.verify.verify_report import Finding, VerifyReport

Progress = Callable[[int], None]  # gets the number of messages just compared


@dataclass
class _Messages:
    """Kafka's side of one log, None where its messages are gone or are another log's."""

    kafka: LogReader | None
    compacted: bool = False
    whole: bool = False  # Kafka holds everything that the ledger has counted
    dropped: Dropped = field(default_factory=Dropped)

    def may_lack(self, offset: int) -> bool:
        """Whether Kafka has dropped a message by its own rules: retention or compaction."""
        return self.compacted or self.kafka is None or self.kafka.has_dropped(offset)


class DeepLook:
    """Compares log after log, with memory for one chunk."""

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
        logs: list[PartitionGeneration],
        topics: dict[str, BrokerTopic | None],
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        """Compare all logs; stops when the report is full."""
        with (
            report.check("raw equals Kafka, and decodes to the same rows") as check,
            LogReader(self._kafka_config, "traffic-verify") as kafka,
        ):
            for log in logs:
                self._check_log(log, topics.get(log.topic), kafka, report, progress)
            check.rows = report.messages_decoded

    def _check_log(
        self,
        log: PartitionGeneration,
        topic: BrokerTopic | None,
        kafka: LogReader,
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        source = self._open(log, topic, kafka)
        source.dropped = read_dropped(self._connection, log)
        echoes = 0
        others = OtherRules(self._connection, log, self._rules.version)
        for chunk in raw_chunks(self._connection, log):
            if report.room <= 0:
                return
            if source.kafka is not None:
                echoes += self._compare_with_kafka(log, chunk, source, report)
            self._compare_outcomes(log, chunk, source.dropped, others, report)
            report.messages_decoded += len(chunk)
            progress(len(chunk))
        if source.whole:
            self._check_echoes(log, echoes, report)

    def _check_echoes(self, log: PartitionGeneration, found: int, report: VerifyReport) -> None:
        row = self._connection.execute(statement("verify/echoes"), vars(log)).fetchone()
        audited = int(row[0]) if row else 0
        if audited != found:
            key = {"topic_no": log.topic_no, "partition": log.partition}
            expected = f"{found} echoes in all, as in Kafka"
            report.add([Finding("micro_batches", key, expected, f"{audited}")])

    def _open(
        self, log: PartitionGeneration, topic: BrokerTopic | None, kafka: LogReader
    ) -> _Messages:
        """Kafka's messages of a log, from the first that both it and the ledger know."""
        if topic is None or not log.active or not is_same_generation(log, topic):
            return _Messages(None)
        ends = topic.partitions.get(log.partition)
        if ends is None or not max(ends.low, log.start_offset) < log.next_offset <= ends.end:
            return _Messages(None)
        kafka.seek(log.topic, log.partition, max(ends.low, log.start_offset))
        compacted = is_compacted(self._kafka_config, log.topic)
        return _Messages(kafka, compacted, whole=ends.low <= log.start_offset and not compacted)

    def _compare_with_kafka(
        self, log: PartitionGeneration, chunk: RawChunk, source: _Messages, report: VerifyReport
    ) -> int:
        """Piece by piece, so that raw rows that are gone do not make memory grow. Echoes found."""
        assert source.kafka is not None
        reached, echoes = chunk.begin, 0
        for messages in source.kafka.read_below(chunk.end):
            last = messages[-1].offset()
            assert last is not None
            piece = piece_of(reached, last + 1, messages, self._signer)
            report.add(
                raw_differences(log, chunk, piece, source.may_lack, source.dropped.may_lack_raw)
            )
            report.messages_in_kafka += len(messages)
            reached, echoes = piece.end, echoes + piece.echoes
        rest = Piece(reached, chunk.end)
        report.add(raw_differences(log, chunk, rest, source.may_lack, source.dropped.may_lack_raw))
        return echoes

    def _compare_outcomes(
        self,
        log: PartitionGeneration,
        chunk: RawChunk,
        dropped: Dropped,
        others: OtherRules,
        report: VerifyReport,
    ) -> None:
        bounds = (self._connection, log, chunk.begin, chunk.end)
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
        found = list(outcome_differences(log, processed, quarantined, decision))
        stale: set[int] = set()  # a message may differ in processed and in quarantine
        for key, finding in found:
            if others.decided(key[0], batches.get(key), rules.get(key)):
                stale.add(key[0])
            else:
                report.add([finding])
        report.stale_differing += len(stale)

    def _waiting(
        self, chunk: RawChunk, quarantined: Quarantine, decision: Decision
    ) -> frozenset[int]:
        """Offsets that are rightly in quarantine for a sensor that was not registered, and is now.

        Rightly: as a message whose sensor nobody knows is quarantined.
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
