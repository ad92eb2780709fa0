"""The simplest consumer: one upsert and one commit per message."""

from __future__ import annotations

import asyncio
import time

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.team import connected, prepare, reading, upsert

_KAFKA_COMMIT_SECONDS = 1.0  # like the platform; a commit for each message would be slower


async def _drain(task: Task, committed: Committed) -> None:
    statement = upsert()
    async with connected(task) as (consumer, connection):
        stored = 0
        commit_at = time.monotonic() + _KAFKA_COMMIT_SECONDS
        async for message in consumer:
            async with connection.begin():
                await connection.execute(statement, reading(message.value))
            committed(1)
            stored += 1
            if time.monotonic() >= commit_at:
                await consumer.commit()
                commit_at = time.monotonic() + _KAFKA_COMMIT_SECONDS
            if stored == task.events:
                break
        await consumer.commit()


def drain(task: Task, committed: Committed) -> None:
    """Store the first `task.events` messages."""
    asyncio.run(_drain(task, committed))


if __name__ == "__main__":
    take_part(prepare, drain)
