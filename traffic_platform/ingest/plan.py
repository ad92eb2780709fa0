"""How far the ledger is behind Kafka, and who is draining: what a plan needs. Moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from traffic_platform.ingest.broker import Broker
from traffic_platform.ingest.connections import connect
from traffic_platform.ingest.errors import translate
from traffic_platform.ingest.ledger import read_ledger
from traffic_platform.ingest.locks import Holder, read_holders
from traffic_platform.settings import Settings


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

    def holders(self, topics: Sequence[str] | None = None) -> list[Holder]:
        """Who holds the partitions of the topics (default: the raw topic)."""
        try:
            return read_holders(self._connect(), topics or [self._settings.raw_topic])
        except Exception as error:
            raise self._translated(error) from error

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._broker = None

    def _read_topic(self, name: str) -> list[PartitionLag]:
        if self._broker is None:
            self._broker = Broker(self._settings.kafka_config())
        topic = self._broker.describe(name)
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
