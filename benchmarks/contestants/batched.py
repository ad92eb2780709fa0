"""The usual batch consumer: executemany upserts of 500 messages, one commit per batch."""

from __future__ import annotations

import asyncio

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.team import connected, prepare, reading, upsert

BATCH = 500


async def _drain(task: Task, committed: Committed) -> None:
    statement = upsert()
    async with connected(task) as (consumer, connection):
        stored = 0
        while stored < task.events:
            rows = []
            while len(rows) < BATCH:
                polled = await consumer.getmany(timeout_ms=1000, max_records=BATCH - len(rows))
                rows += [reading(m.value) for messages in polled.values() for m in messages]
            async with connection.begin():
                await connection.execute(statement, rows)
            committed(len(rows))
            stored += len(rows)
            await consumer.commit()


def drain(task: Task, committed: Committed) -> None:
    """Store the first `task.events` messages, a multiple of BATCH."""
    asyncio.run(_drain(task, committed))


if __name__ == "__main__":
    take_part(prepare, drain)
