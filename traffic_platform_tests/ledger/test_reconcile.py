"""Changes to the ledger when a topic or partition has changed in Kafka."""

from __future__ import annotations

from dataclasses import replace

from traffic_platform.kafka.admin import BrokerTopic, PartitionEnds
from traffic_platform.ledger.reconcile import (
    BeginGeneration,
    ForgetEpoch,
    LedgerPartition,
    LostRange,
    RetireGeneration,
    SkipLost,
    is_truncated,
    reconcile,
)

TOPIC = BrokerTopic("traffic-raw", "topic-a", "cluster", {0: PartitionEnds(low=10, end=100)})
STORED = LedgerPartition(
    topic_no=1,
    partition=0,
    start_offset=0,
    next_offset=50,
    leader_epoch=3,
    last_seen_end=80,
    kafka_topic_id="topic-a",
    cluster_id="cluster",
)


def test_an_unchanged_partition_needs_no_change() -> None:
    assert reconcile(TOPIC, {0: STORED}, {}) == []


def test_a_new_partition_begins_at_its_first_message_without_a_loss() -> None:
    assert reconcile(TOPIC, {}, {}) == [
        BeginGeneration(0, start_offset=10, next_offset=10, lost=None)
    ]


def test_retention_beyond_the_ledger_loses_exactly_the_missing_offsets() -> None:
    behind = replace(STORED, next_offset=4)
    lost = LostRange(1, 0, 4, 10, "retention")
    assert reconcile(TOPIC, {0: behind}, {}) == [SkipLost(0, 10, lost)]


def test_a_recreated_topic_begins_a_generation_and_records_the_loss_of_the_old_one() -> None:
    recreated = replace(TOPIC, topic_id="topic-b")
    lost = LostRange(1, 0, 50, 80, "topic_recreated")
    assert reconcile(recreated, {0: STORED}, {}) == [BeginGeneration(0, 10, 10, lost)]


def test_a_drained_topic_that_is_recreated_has_a_loss_with_an_unknown_end() -> None:
    recreated = replace(TOPIC, topic_id="topic-b")
    drained = replace(STORED, last_seen_end=50)
    [change] = reconcile(recreated, {0: drained}, {})
    assert change.lost == LostRange(1, 0, 50, None, "topic_recreated")


def test_the_same_topic_id_in_another_cluster_begins_a_generation() -> None:
    elsewhere = replace(TOPIC, cluster_id="other")
    [change] = reconcile(elsewhere, {0: STORED}, {})
    assert isinstance(change, BeginGeneration)


def test_a_truncated_partition_continues_at_the_first_offset_that_differs() -> None:
    lost = LostRange(1, 0, 50, 80, "truncation")
    assert reconcile(TOPIC, {0: STORED}, {0: 30}) == [BeginGeneration(0, 30, 30, lost)]


def test_a_partition_that_ends_before_the_ledger_is_truncated() -> None:
    assert is_truncated(STORED, PartitionEnds(0, 49))
    assert not is_truncated(STORED, PartitionEnds(0, 50))


def test_an_added_partition_begins_and_the_others_continue() -> None:
    wider = replace(TOPIC, partitions={0: PartitionEnds(0, 60), 1: PartitionEnds(0, 5)})
    assert reconcile(wider, {0: STORED}, {}) == [BeginGeneration(1, 0, 0, None)]


def test_a_topic_recreated_with_fewer_partitions_ends_the_generations_of_the_others() -> None:
    recreated = BrokerTopic("traffic-raw", "topic-b", "cluster", {0: PartitionEnds(0, 0)})
    other = replace(STORED, partition=1)
    [first, second] = reconcile(recreated, {0: STORED, 1: other}, {})
    assert isinstance(first, BeginGeneration)
    assert second == RetireGeneration(1, LostRange(1, 1, 50, 80, "topic_recreated"))


def test_a_refused_epoch_is_forgotten_when_no_stored_message_differs() -> None:
    assert reconcile(TOPIC, {0: STORED}, {0: None}) == [ForgetEpoch(0)]
