"""Verification beside a live Kafka: lag, losses, other rules, a live stream, outages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from traffic_platform.errors import PermanentError, TransientError
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.kafka.admin import Broker
from traffic_platform.kafka.log_reader import is_compacted
from traffic_platform.settings import Settings, SettingsError
from traffic_platform.verify import VerifyReport, verify
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.integration.verify_sample import drain, flat

MakeTopic = Callable[..., str]
Produce = Callable[..., None]


def events(first: int, count: int) -> list[bytes]:
    """Return events of one sensor, one per minute."""
    return [flat("a", minute, 50.0) for minute in range(first, first + count)]


def drop_before(admin: AdminClient, topic: str, offset: int, partition: int = 0) -> None:
    """Delete messages before an offset, as Kafka's retention does."""
    where = TopicPartition(topic, partition, offset)
    admin.delete_records([where])[where].result(timeout=30)


def only_sentence(report: VerifyReport) -> str:
    """Return the sentence of a report with one finding."""
    assert len(report.findings) == 1, [finding.sentence for finding in report.findings]
    return report.findings[0].sentence


def test_nothing_holds_where_nothing_was_ever_sent(settings: Settings) -> None:
    report = verify(settings, deep=True)
    assert report.holds
    assert (report.rows["raw_events"], report.logs) == (0, [])


def test_messages_that_are_not_ingested_yet_are_lag_and_not_a_difference(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=2)
    produce(events(0, 4), partition=0)
    drain(settings)
    produce(events(4, 3), partition=0)
    produce(events(0, 2), partition=1)
    report = verify(settings, deep=True)
    assert report.holds
    assert [(log.next_offset, log.end, log.lag) for log in report.logs] == [(4, 7, 3), (0, 2, 2)]
    assert (report.lag, report.messages_in_kafka) == (5, 4)


def test_messages_that_kafka_dropped_after_they_were_stored_are_decoded_from_raw(
    settings: Settings, make_topic: MakeTopic, produce: Produce, admin: AdminClient
) -> None:
    make_topic(partitions=1)
    produce(events(0, 9))
    drain(settings)
    drop_before(admin, settings.raw_topic, 6)
    report = verify(settings, deep=True)
    assert report.holds, report.findings[0].sentence
    assert (report.messages_decoded, report.messages_in_kafka) == (9, 3)


def test_messages_that_kafka_dropped_before_they_were_stored_are_named_until_acknowledged(
    settings: Settings, make_topic: MakeTopic, produce: Produce, admin: AdminClient
) -> None:
    make_topic(partitions=1)
    produce(events(0, 3))
    drain(settings)
    produce(events(3, 5))
    drop_before(admin, settings.raw_topic, 7)
    sentence = only_sentence(verify(settings, deep=True))
    assert "partition 0" in sentence
    assert "offsets 3 to 6 are lost" in sentence

    drain(settings)
    sentence = only_sentence(verify(settings, deep=True))
    assert sentence.startswith(f"lost_ranges (topic {settings.raw_topic}, topic_no 1, partition 0")
    assert "offsets 3 to 6 lost by retention" in sentence

    with psycopg.connect(settings.endpoints().owner_url) as connection:
        connection.execute("update traffic.lost_ranges set acknowledged_at = now()")
    report = verify(settings, deep=True)
    assert report.holds
    assert report.acknowledged_losses == 1


def test_a_recreated_topic_is_named_before_and_after_a_run_noticed(
    settings: Settings, make_topic: MakeTopic, produce: Produce, admin: AdminClient
) -> None:
    topic = make_topic(partitions=1)
    produce(events(0, 3))
    drain(settings)
    admin.delete_topics([topic])[topic].result(timeout=30)
    sentence = only_sentence(verify(settings, deep=True))
    assert "expected the topic in Kafka" in sentence

    make_topic(partitions=1)
    produce(events(3, 2))
    finding = verify(settings, deep=True).findings[0]
    assert finding.table == "topics"
    assert "the topic was recreated" in finding.found

    drain(settings)
    report = verify(settings, deep=True)
    assert "lost by topic_recreated" in only_sentence(report)
    assert (report.messages_decoded, report.messages_in_kafka) == (5, 2)


def test_batches_of_other_rules_are_stale_and_not_different(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce(events(0, 4))
    drain(settings)
    stricter = settings.model_copy(update={"first_date": date(2025, 10, 5)})
    produce([flat("a", 24 * 60, 50.0)])
    drain(stricter)
    report = verify(stricter, deep=True)
    assert report.holds, report.findings[0].sentence
    assert [(stale.messages, stale.rules_version) for stale in report.stale] == [
        (4, verify(settings, deep=False).rules_version)
    ]
    assert report.stale_differing == 4  # each differs in processed and in quarantine


def test_a_live_stream_is_verified_at_one_moment(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=3)
    done = threading.Event()
    ingest_run = threading.Thread(
        target=run_ingest,
        args=(settings, [settings.raw_topic]),
        kwargs={
            "limits": RunLimits(seconds=120, idle_seconds=120),
            "run_id": None,
            "stop": done.is_set,
        },
    )
    ingest_run.start()
    try:
        stored: list[int] = []
        for round_number in range(5):
            produce(events(100 * round_number, 100))
            report = verify(settings, deep=True)
            assert report.holds, report.findings[0].sentence
            stored.append(report.messages_decoded)
    finally:
        done.set()
        ingest_run.join(60)
    assert stored == sorted(stored)
    drain(settings)
    assert verify(settings, deep=True).messages_decoded == 500


def test_an_outage_is_transient_and_reported_in_one_line(
    settings: Settings, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broker.__init__, "__defaults__", (0.5,))  # seconds to wait, by default 10
    make_topic()
    nobody = SecretStr("postgresql://nobody@127.0.0.1:1/traffic")
    no_postgres = settings.model_copy(update={"database_url": nobody, "read_database_url": nobody})
    with pytest.raises(TransientError, match="PostgreSQL") as postgres_error:
        verify(no_postgres, deep=False)
    no_kafka = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(TransientError, match="Kafka") as kafka_error:
        verify(no_kafka, deep=False)
    assert "\n" not in str(postgres_error.value) + str(kafka_error.value)


def test_a_database_that_was_never_migrated_is_refused(
    settings: Settings, postgres: PostgresServer
) -> None:
    empty = SecretStr(postgres.service.url("traffic_owner", "postgres"))
    with pytest.raises(PermanentError, match="traffic up"):
        verify(
            settings.model_copy(update={"database_url": empty, "read_database_url": empty}),
            deep=False,
        )


def test_another_time_zone_than_the_database_keeps_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="TRAFFIC_TIMEZONE=UTC"):
        verify(settings.model_copy(update={"timezone": "Europe/Berlin"}), deep=False)


def test_a_topic_that_drops_superseded_messages_is_recognised(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    compacted = make_topic(f"{settings.raw_topic}-compacted", cleanup_policy="compact,delete")
    plain = make_topic()
    produce([b"{}"], topic=compacted, key=b"k")
    produce([b"{}"], topic=plain)  # acknowledged, so the broker knows both topics
    assert is_compacted(settings.kafka_config(), compacted)
    assert not is_compacted(settings.kafka_config(), plain)
