"""A verification from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import TransientError, translate
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.ledger.offsets import read_ledger
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.identity import read_identity, require_timezone
from traffic_platform.settings import Settings
from traffic_platform.statements import statement
from traffic_platform.verify.clean_stream import check_published
from traffic_platform.verify.deep import DeepLook
from traffic_platform.verify.dropped import read_by_sums
from traffic_platform.verify.event_rows import (
    check_audit,
    check_reading_ids,
    check_references,
    check_rows,
)
from traffic_platform.verify.ledger_sums import (
    PartitionGeneration,
    check_ledger,
    describe_topics,
    generation_states,
    kafka_differences,
    read_generations,
    read_stale,
)
from traffic_platform.verify.snapshot import Connection, open_snapshot
from traffic_platform.verify.verify_report import VerifyReport

Progress = Callable[[str, int, int | None], None]
"""Gets what is being looked at, and messages done of how many (0 of None: not counted)."""


def verify(settings: Settings, deep: bool, progress: Progress | None = None) -> VerifyReport:
    """Prove that Kafka's offsets, ledger, audit rows and tables agree; deep: also every message.

    Looks at one moment of the database, so that it may run beside a live stream. Raises
    TransientError while PostgreSQL or Kafka is away, PermanentError when they refuse us,
    SettingsError when this database keeps its dates in another time zone.
    """
    prepare_interpreter()
    try:
        with open_snapshot(settings.endpoints().read_url) as connection:
            return look(connection, settings, deep, progress or no_progress)
    except Exception as error:
        raise translate(error) or error from error


def look(
    connection: Connection, settings: Settings, deep: bool, progress: Progress
) -> VerifyReport:
    """Verify what one transaction sees. Raises what the drivers raise."""
    rules = rules_of(settings)
    report = VerifyReport(deep, _moment(connection), rules.version)
    started = time.monotonic()
    connection.execute(statement("verify/settings"))
    require_timezone(connection, settings.timezone)
    logs = read_generations(connection)
    broker = Broker(settings.kafka_config())
    names = {log.topic for log in logs} | set(settings.ingest_topics)
    topics = describe_topics(broker, names)
    report.logs = generation_states(logs, topics)
    report.stale = read_stale(connection, rules.version)
    report.by_sums = read_by_sums(connection)

    progress("ledger", 0, None)
    check_ledger(connection, report)
    with report.check("the ledger agrees with Kafka's offsets"):
        report.add(kafka_differences(logs, topics, lambda log: _next_offset_now(settings, log)))
    progress("tables", 0, None)
    check_rows(connection, report)
    progress("audit", 0, None)
    check_audit(connection, report, settings.timezone, settings.raw_topic)
    check_references(connection, report)
    if deep:
        progress("readings", 0, None)
        check_reading_ids(connection, report)
        config, signer = settings.kafka_config(), _signer(settings)
        _look_deep(DeepLook(connection, config, rules, signer), logs, topics, report, progress)
        progress("clean stream", 0, None)
        check_published(connection, config, signer, logs, topics, report)
        _check_identity(broker, topics)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _signer(settings: Settings) -> Signer:
    """Our own messages are known by a key that the reading role does not see."""
    url = settings.endpoints().ingest_url
    with connect(url, application_name="traffic-verify") as connection:
        return Signer(read_identity(connection))


def _look_deep(
    look: DeepLook,
    logs: list[PartitionGeneration],
    topics: dict[str, BrokerTopic | None],
    report: VerifyReport,
    progress: Progress,
) -> None:
    total = sum(log.raw for log in logs)
    progress("messages", 0, total)
    look.check(logs, topics, report, lambda _: progress("messages", report.messages_decoded, total))


def _check_identity(broker: Broker, topics: dict[str, BrokerTopic | None]) -> None:
    """A consumer goes on reading, in silence, a topic that was deleted and made again."""
    for name, topic in topics.items():
        if topic is not None and broker.topic_id(name) != topic.topic_id:
            raise TransientError(f"topic {name} was made again while it was read: verify again.")


def _moment(connection: Connection) -> datetime:
    row = connection.execute("select now()").fetchone()
    assert row is not None
    return row[0]


def _next_offset_now(settings: Settings, log: PartitionGeneration) -> int:
    """Where the ledger is outside the snapshot; a log that was replaced since has no say."""
    connection: psycopg.Connection[Any]
    with connect(settings.endpoints().read_url, application_name="traffic-verify") as connection:
        known = read_ledger(connection, log.topic).get(log.partition)
    return log.next_offset if known is None else max(log.next_offset, known.next_offset)


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Says nothing."""
