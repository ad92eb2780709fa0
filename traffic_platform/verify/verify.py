"""A verification from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import TransientError, translate
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.ledger.offsets import read_ledger
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import read_identity, require_timezone
from traffic_platform.settings import Settings
from traffic_platform.statements import statement
from traffic_platform.verify.clean_stream import check_published
from traffic_platform.verify.deep import DeepVerification
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
from traffic_platform.verify.snapshot import open_snapshot
from traffic_platform.verify.verify_report import VerifyReport

Progress = Callable[[str, int, int | None], None]
"""Gets the stage, the number of messages done and of all messages (None: not counted)."""


def verify(settings: Settings, deep: bool, progress: Progress | None = None) -> VerifyReport:
    """Prove that Kafka's offsets, ledger, audit rows and tables agree; deep: also each message.

    It reads one snapshot of the database, so it may run beside a live stream. Raises
    TransientError while PostgreSQL or Kafka is unavailable, PermanentError when they refuse the
    connection, and SettingsError when this database keeps its dates in another time zone.
    """
    prepare_interpreter()
    try:
        with open_snapshot(settings.endpoints().read_url) as connection:
            return verify_snapshot(connection, settings, deep, progress or no_progress)
    except Exception as error:
        raise translate(error) or error from error


def verify_snapshot(
    connection: Connection, settings: Settings, deep: bool, progress: Progress
) -> VerifyReport:
    """Verify the snapshot of one transaction. Raises the errors of the drivers."""
    rules = rules_of(settings)
    report = VerifyReport(deep, _snapshot_time(connection), rules.version)
    started = time.monotonic()
    connection.execute(statement("verify/settings"))
    require_timezone(connection, settings.timezone)
    generations = read_generations(connection)
    broker = Broker(settings.kafka_config())
    names = {generation.topic for generation in generations} | set(settings.ingest_topics)
    topics = describe_topics(broker, names)
    report.logs = generation_states(generations, topics)
    report.stale = read_stale(connection, rules.version)
    report.by_sums = read_by_sums(connection)

    progress("ledger", 0, None)
    check_ledger(connection, report)
    with report.check("the ledger agrees with Kafka's offsets"):
        report.add(kafka_differences(generations, topics, partial(_next_offset_now, settings)))
    progress("tables", 0, None)
    check_rows(connection, report)
    progress("audit", 0, None)
    check_audit(connection, report, settings.timezone, settings.raw_topic)
    check_references(connection, report)
    if deep:
        progress("readings", 0, None)
        check_reading_ids(connection, report)
        config, signer = settings.kafka_config(), _signer(settings)
        deeply = DeepVerification(connection, config, rules, signer)
        _verify_messages(deeply, generations, topics, report, progress)
        progress("clean stream", 0, None)
        check_published(connection, config, signer, generations, topics, report)
        _check_identity(broker, topics)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _signer(settings: Settings) -> Signer:
    """Return the signer of own messages. The reading role may not see its key."""
    url = settings.endpoints().ingest_url
    with connect(url, application_name="traffic-verify") as connection:
        return Signer(read_identity(connection))


def _verify_messages(
    deeply: DeepVerification,
    generations: list[PartitionGeneration],
    topics: dict[str, BrokerTopic | None],
    report: VerifyReport,
    progress: Progress,
) -> None:
    total = sum(generation.raw for generation in generations)
    progress("messages", 0, total)
    deeply.check(
        generations,
        topics,
        report,
        lambda _: progress("messages", report.messages_decoded, total),
    )


def _check_identity(broker: Broker, topics: dict[str, BrokerTopic | None]) -> None:
    """Raise TransientError if a topic was recreated, because consumers do not notice it."""
    for name, topic in topics.items():
        if topic is not None and broker.topic_id(name) != topic.topic_id:
            raise TransientError(
                f"Topic {name} was recreated during the verification. Run `traffic verify` again."
            )


def _snapshot_time(connection: Connection) -> datetime:
    row = connection.execute("select now()").fetchone()
    assert row is not None
    return row[0]


def _next_offset_now(settings: Settings, generation: PartitionGeneration) -> int:
    """Return the ledger's offset outside the snapshot, or a larger one of the snapshot.

    A generation that has taken over since may have a smaller offset.
    """
    with connect(settings.endpoints().read_url, application_name="traffic-verify") as connection:
        known = read_ledger(connection, generation.topic).get(generation.partition)
    return max(generation.next_offset, known.next_offset if known else 0)


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Ignore the progress."""
