"""How far the ledger is behind Kafka, and who is draining: what a plan needs. Moves nothing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from traffic_platform.errors import translate
from traffic_platform.kafka.admin import Broker
from traffic_platform.ledger.offsets import read_ledger
from traffic_platform.ledger.partition_locks import Holder, read_holders
from traffic_platform.postgres.connections import connect
from traffic_platform.publish.positions import Lag, destinations, publisher_lock, read_lag
from traffic_platform.settings import Settings

# Kafka ends a transaction after its producer's transaction.timeout.ms, a minute by default. What is
# open for three belongs to a producer that asked for more (15 minutes at most), or never ends.
OPEN_SECONDS = 180


@dataclass(frozen=True)
class OpenTransaction:
    """A producer's transaction that hides a partition's messages from `offset` on."""

    topic: str
    partition: int
    offset: int
    messages: int

    def __str__(self) -> str:
        """One sentence for people."""
        return (
            f"{self.topic} [{self.partition}]: a producer's transaction is open since more than"
            f" {OPEN_SECONDS / 60:g} minutes, and {self.messages} messages from offset"
            f" {self.offset} on cannot be read before it ends"
        )


@dataclass(frozen=True)
class PartitionLag:
    """A partition's log, `start` to `end` (read_committed), and the ledger's `next_offset` in it.

    `next_offset` is None for a log that the ledger does not know yet: never read, or made again.
    """

    topic: str
    partition: int
    next_offset: int | None
    start: int
    end: int

    @property
    def lag(self) -> int:
        """Messages (offsets) between the ledger and the end of the log."""
        known = self.start if self.next_offset is None else max(self.next_offset, self.start)
        return max(0, self.end - known)

    @property
    def needs_window(self) -> bool:
        """Whether a window has something to do here: messages, or a log that changed."""
        if self.next_offset is None:
            return True
        return self.end != self.next_offset or self.start > self.next_offset


class LagReader:
    """Reads lag and holders, over one admin client and one connection, both opened when needed.

    Every method raises TransientError while PostgreSQL or Kafka is away, PermanentError when
    they refuse us, and connects again at the next call.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._broker: Broker | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def read(self, topics: Sequence[str]) -> list[PartitionLag]:
        """The lag of every partition of the topics that exist."""
        try:
            return [lag for topic in topics for lag in self._read_topic(topic)]
        except Exception as error:
            raise self._translated(error) from error

    def open_transactions(self, lags: Sequence[PartitionLag]) -> list[OpenTransaction]:
        """What has held back the ends in `lags` for OPEN_SECONDS: a request or two a topic."""
        ends: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for lag in lags:
            ends[lag.topic][lag.partition] = lag.end
        older_than_ms = int((time.time() - OPEN_SECONDS) * 1000)
        try:
            return [
                OpenTransaction(topic, partition, of_topic[partition], mark - of_topic[partition])
                for topic, of_topic in ends.items()
                for partition, mark in self._connect_broker()
                .held_back(topic, of_topic, older_than_ms)
                .items()
            ]
        except Exception as error:
            raise self._translated(error) from error

    def holders(self, topics: Sequence[str] | None = None) -> list[Holder]:
        """Who holds the partitions of the topics (default: all that are ingested)."""
        try:
            return read_holders(self._connect(), topics or self._settings.ingest_topics)
        except Exception as error:
            raise self._translated(error) from error

    @property
    def publishes(self) -> bool:
        """Whether the settings want anything published."""
        return bool(destinations(self._settings))

    def publication_lag(self) -> Lag:
        """What is stored and not published yet."""
        try:
            return read_lag(self._connect(), self._settings)
        except Exception as error:
            raise self._translated(error) from error

    def publishers(self) -> list[Holder]:
        """Who publishes."""
        return self.holders([publisher_lock(self._settings)])

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._broker = None

    def _read_topic(self, name: str) -> list[PartitionLag]:
        topic = self._connect_broker().describe(name)
        if topic is None:
            return []
        ledger = read_ledger(self._connect(), name)
        identity = (topic.topic_id, topic.cluster_id)
        lags: list[PartitionLag] = []
        for partition, ends in topic.partitions.items():
            known = ledger.get(partition)
            same = known is not None and (known.kafka_topic_id, known.cluster_id) == identity
            lags.append(
                PartitionLag(
                    topic=name,
                    partition=partition,
                    next_offset=known.next_offset if known and same else None,
                    start=ends.low,
                    end=ends.end,
                )
            )
        return lags

    def _connect_broker(self) -> Broker:
        if self._broker is None:
            self._broker = Broker(self._settings.kafka_config())
        return self._broker

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._settings.endpoints().ingest_url,
                application_name="traffic-plan",
                autocommit=True,
            )
        return self._connection

    def _translated(self, error: Exception) -> Exception:
        self.close()
        return translate(error) or error
