"""A run that starts before its topic, and a run whose topic gains partitions."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka.admin import AdminClient, NewPartitions

from traffic_platform.settings import Settings
from traffic_platform_tests.faults.accounting import assert_exactly_once, lost_ranges, stored
from traffic_platform_tests.faults.feed import send
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until

MakeTopic = Callable[..., str]
StartRun = Callable[..., RunProcess]


def test_a_run_without_its_topic_gives_up_cleanly(settings: Settings, start_run: StartRun) -> None:
    code, output = start_run(limits={"outage_seconds": 1}).ended()
    assert (code, output["error"]) == (1, "TransientError")
    assert f"{settings.raw_topic} has no partition" in output["message"]
    assert stored(settings) == 0


def test_a_run_waits_for_its_topic_and_reads_it_from_the_first_message(
    settings: Settings, make_topic: MakeTopic, start_run: StartRun
) -> None:
    ingest_run = start_run()
    wait_until(
        lambda: "has no partition for this run yet" in ingest_run.log.read_text(), "the run waits"
    )
    make_topic(partitions=2)
    sent = send(settings, 100)
    wait_until(lambda: stored(settings) == 100, "every message is stored")
    ingest_run.end()
    assert_exactly_once(settings, sent)


def test_partitions_added_in_mid_stream_are_read_from_their_first_message(
    settings: Settings, admin: AdminClient, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=1)
    ingest_run = start_run(constants={"traffic_platform.ingest.session._DISCOVER_SECONDS": 1.0})
    sent = send(settings, 100)
    wait_until(lambda: stored(settings) == 100, "the first part is stored")
    for count in (3, 4):
        admin.create_partitions([NewPartitions(settings.raw_topic, count)])[
            settings.raw_topic
        ].result(timeout=30)
        wait_until(
            lambda count=count: _partitions(settings, admin) == count,
            "the topic has the new partitions",
        )
        for partition in range(count):
            sent += send(settings, 50, first=1000 * count + 50 * partition, partition=partition)
        total = len(sent)
        # The run asks Kafka for new partitions every second.
        wait_until(lambda total=total: stored(settings) == total, "all are read", seconds=25)
    assert ingest_run.running
    ingest_run.end()
    assert lost_ranges(settings) == []
    assert_exactly_once(settings, sent)


def _partitions(settings: Settings, admin: AdminClient) -> int:
    return len(admin.list_topics(timeout=30).topics[settings.raw_topic].partitions)
