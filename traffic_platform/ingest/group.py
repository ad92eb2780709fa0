"""The position in the Kafka consumer group, for tools that show lag; the ledger never reads it.

A consumer that commits to its group cannot be closed before Kafka has answered, and librdkafka
asks without end while Kafka does not let it in (its issue 3740). So the fetching consumer commits
nothing: the admin client sets the offsets, and may be left without an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, TimeoutError

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

from traffic_platform.ingest.errors import PermanentError, not_allowed
from traffic_platform.ingest.fetch import Where

log = logging.getLogger(__name__)

Answer = Future[ConsumerGroupTopicPartitions]
Ask = Callable[[str, Mapping[Where, int]], Answer]
_LAST_SECONDS = 5.0  # how long the last offsets of a window may take


class GroupOffsets:
    """Tells Kafka how far the ledger is. What fails is logged, and told again with the next.

    `ask`: `Broker.set_group_offsets`.
    """

    def __init__(self, group: str, ask: Ask) -> None:
        self._group = group
        self._ask = ask
        self._asked: Answer | None = None
        self._refused: PermanentError | None = None

    def tell(self, positions: Mapping[Where, int]) -> None:
        """Next offsets to read. While Kafka has not answered the last, nothing is sent."""
        if self._asked is not None and self._asked.done():
            self._hear(self._asked, 0)
        if positions and self._asked is None and self._refused is None:
            self._asked = self._ask(self._group, positions)

    def tell_last(self, positions: Mapping[Where, int]) -> None:
        """As `tell`, and wait until Kafka has heard it, for a few seconds.

        Raises PermanentError when Kafka does not let us use the group.
        """
        if self._asked is not None:
            self._hear(self._asked, _LAST_SECONDS)
        self.tell(positions)
        if self._asked is not None:
            self._hear(self._asked, _LAST_SECONDS)
        if self._refused is not None:
            raise self._refused

    def _hear(self, asked: Answer, seconds: float) -> None:
        self._asked = None
        try:
            told = asked.result(timeout=seconds).topic_partitions
        except (KafkaException, TimeoutError) as error:
            self._refused = _missing_right(error, self._group)
            if self._refused is not None:
                log.warning("Kafka does not let us use group %s; storing goes on", self._group)
            else:
                log.info("the group's offsets were not set: %s", error)
            return
        for place in told or ():
            if place.error is not None:
                log.info("the group's offset of %s was not set: %s", place, place.error)


def _missing_right(error: Exception, group: str) -> PermanentError | None:
    reason = error.args[0] if isinstance(error, KafkaException) else None
    return not_allowed(reason, "Read", f"group {group}")
