"""Decisions about a log that is not as the ledger left it."""

from __future__ import annotations

from dataclasses import replace

from traffic_platform.kafka.admin import BrokerTopic, PartitionEnds
from traffic_platform.ledger.reconcile import (
    Begin,
    ForgetEpoch,
    LedgerPartition,
    LostRange,
    Retire,
    SkipLost,
    is_truncated,
    reconcile,
)

TOPIC = BrokerTopic("traffic-raw", "topic-a", "cluster", {0: PartitionEnds(low=10, end=100)})
KNOWN = LedgerPartition(
    topic_no=1,
    partition=0,
    start_offset=0,
    next_offset=50,
    leader_epoch=3,
    last_seen_end=80,
    kafka_topic_id="topic-a",
    cluster_id="cluster",
)


def test_a_log_that_is_as_the_ledger_left_it_changes_nothing() -> None:
    assert reconcile(TOPIC, {0: KNOWN}, {}) == []


def test_a_partition_never_seen_begins_at_its_first_message_and_nothing_is_lost() -> None:
    assert reconcile(TOPIC, {}, {}) == [Begin(0, start_offset=10, next_offset=10, lost=None)]


def test_retention_beyond_the_ledger_is_a_loss_of_exactly_the_missing_offsets() -> None:
    behind = replace(KNOWN, next_offset=4)
    lost = LostRange(1, 0, 4, 10, "retention")
    assert reconcile(TOPIC, {0: behind}, {}) == [SkipLost(0, 10, lost)]


def test_a_topic_made_again_begins_a_new_log_and_what_the_old_one_held_is_lost() -> None:
    again = replace(TOPIC, topic_id="topic-b")
    lost = LostRange(1, 0, 50, 80, "topic_recreated")
    assert reconcile(again, {0: KNOWN}, {}) == [Begin(0, 10, 10, lost)]


def test_a_drained_topic_made_again_has_a_loss_whose_end_nobody_can_know() -> None:
    again = replace(TOPIC, topic_id="topic-b")
    drained = replace(KNOWN, last_seen_end=50)
    [change] = reconcile(again, {0: drained}, {})
    assert change.lost == LostRange(1, 0, 50, None, "topic_recreated")


def test_the_same_topic_id_in_another_cluster_is_another_log() -> None:
    elsewhere = replace(TOPIC, cluster_id="other")
    [change] = reconcile(elsewhere, {0: KNOWN}, {})
    assert isinstance(change, Begin)


def test_a_truncated_log_goes_on_from_where_it_begins_to_differ() -> None:
    lost = LostRange(1, 0, 50, 80, "truncation")
    assert reconcile(TOPIC, {0: KNOWN}, {0: 30}) == [Begin(0, 30, 30, lost)]


def test_a_log_that_ends_before_the_ledger_is_truncated() -> None:
    assert is_truncated(KNOWN, PartitionEnds(0, 49))
    assert not is_truncated(KNOWN, PartitionEnds(0, 50))


def test_an_added_partition_begins_while_the_others_go_on() -> None:
    wider = replace(TOPIC, partitions={0: PartitionEnds(0, 60), 1: PartitionEnds(0, 5)})
    assert reconcile(wider, {0: KNOWN}, {}) == [Begin(1, 0, 0, None)]


def test_a_topic_made_again_with_fewer_partitions_loses_the_logs_of_the_others_too() -> None:
    again = BrokerTopic("traffic-raw", "topic-b", "cluster", {0: PartitionEnds(0, 0)})
    other = replace(KNOWN, partition=1)
    [first, second] = reconcile(again, {0: KNOWN, 1: other}, {})
    assert isinstance(first, Begin)
    assert second == Retire(1, LostRange(1, 1, 50, 80, "topic_recreated"))


def test_a_refused_epoch_that_no_stored_message_differs_from_is_forgotten_and_nothing_is_lost() -> (
    None
):
    assert reconcile(TOPIC, {0: KNOWN}, {0: None}) == [ForgetEpoch(0)]
