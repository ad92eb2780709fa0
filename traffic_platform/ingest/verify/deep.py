"""The deep look: Kafka read again, every message decoded again, every row compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from traffic_platform.events.decode import Decoder
from traffic_platform.events.rules import Rules
from traffic_platform.ingest.broker import BrokerTopic
from traffic_platform.ingest.verify.compare import (
    Piece,
    decode_again,
    outcome_differences,
    raw_differences,
)
from traffic_platform.ingest.verify.kafka_log import KafkaLog, is_compacted
from traffic_platform.ingest.verify.ledger import Log, is_same_log
from traffic_platform.ingest.verify.report import VerifyReport
from traffic_platform.ingest.verify.snapshot import Connection
from traffic_platform.ingest.verify.stored import (
    RawChunk,
    processed_range,
    quarantined_range,
    raw_chunks,
)
from traffic_platform.statements import statement

Progress = Callable[[int], None]  # gets the number of messages just compared


@dataclass
class _Messages:
    """Kafka's side of one log, None where its messages are gone or are another log's."""

    kafka: KafkaLog | None
    compacted: bool = False

    def may_lack(self, offset: int) -> bool:
        """Whether Kafka has dropped a message by its own rules: retention or compaction."""
        return self.compacted or self.kafka is None or self.kafka.has_dropped(offset)


class DeepLook:
    """Compares log after log, with memory for one chunk."""

    def __init__(self, connection: Connection, kafka_config: dict[str, str], rules: Rules) -> None:
        self._connection = connection
        self._kafka_config = kafka_config
        self._rules = rules
        self._decoder = Decoder(rules)

    def check(
        self,
        logs: list[Log],
        topics: dict[str, BrokerTopic | None],
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        """Compare all logs; stops when the report is full."""
        with (
            report.check("raw equals Kafka, and decodes to the same rows") as check,
            KafkaLog(self._kafka_config) as kafka,
        ):
            for log in logs:
                self._check_log(log, topics.get(log.topic), kafka, report, progress)
            check.rows = report.messages_decoded

    def _check_log(
        self,
        log: Log,
        topic: BrokerTopic | None,
        kafka: KafkaLog,
        report: VerifyReport,
        progress: Progress,
    ) -> None:
        source = self._open(log, topic, kafka)
        stale = self._stale_ranges(log)
        for chunk in raw_chunks(self._connection, log):
            if report.room <= 0:
                return
            if source.kafka is not None:
                _compare_with_kafka(log, chunk, source, report)
            self._compare_outcomes(log, chunk, stale, report)
            report.messages_decoded += len(chunk)
            progress(len(chunk))

    def _open(self, log: Log, topic: BrokerTopic | None, kafka: KafkaLog) -> _Messages:
        """Kafka's messages of a log, from the first that both it and the ledger know."""
        if topic is None or not log.active or not is_same_log(log, topic):
            return _Messages(None)
        ends = topic.partitions.get(log.partition)
        if ends is None or not max(ends.low, log.start_offset) < log.next_offset <= ends.end:
            return _Messages(None)
        kafka.seek(log.topic, log.partition, max(ends.low, log.start_offset))
        return _Messages(kafka, is_compacted(self._kafka_config, log.topic))

    def _compare_outcomes(
        self, log: Log, chunk: RawChunk, stale: Ranges, report: VerifyReport
    ) -> None:
        bounds = (self._connection, log, chunk.begin, chunk.end)
        decision = decode_again(self._decoder, chunk)
        for offset, finding in outcome_differences(
            log, processed_range(*bounds), quarantined_range(*bounds), decision
        ):
            if offset in stale:
                report.stale_differing += 1
            else:
                report.add([finding])

    def _stale_ranges(self, log: Log) -> Ranges:
        rows = self._connection.execute(
            statement("verify/stale_ranges"),
            {
                "topic_no": log.topic_no,
                "partition": log.partition,
                "rules_version": self._rules.version,
            },
        ).fetchall()
        return Ranges(rows)


class Ranges:
    """Sorted ranges of offsets, without overlap."""

    def __init__(self, rows: list[tuple[int, int]]) -> None:
        self._begin = np.array([row[0] for row in rows], dtype=np.int64)
        self._end = np.array([row[1] for row in rows], dtype=np.int64)

    def __contains__(self, offset: int) -> bool:
        at = int(np.searchsorted(self._begin, offset, side="right")) - 1
        return at >= 0 and offset < int(self._end[at])


def _compare_with_kafka(log: Log, chunk: RawChunk, source: _Messages, report: VerifyReport) -> None:
    """Piece by piece, so that raw rows that are gone do not make memory grow."""
    assert source.kafka is not None
    reached = chunk.begin
    for messages in source.kafka.read_below(chunk.end):
        last = messages[-1].offset()
        assert last is not None
        piece = Piece(reached, last + 1, messages)
        report.add(raw_differences(log, chunk, piece, source.may_lack))
        report.messages_in_kafka += len(messages)
        reached = piece.end
    report.add(raw_differences(log, chunk, Piece(reached, chunk.end, []), source.may_lack))
