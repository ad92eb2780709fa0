"""Common parts of the usual consumers: aiokafka, SQLAlchemy on asyncpg, one table.

They decode flat JSON with json.loads, do not validate it, and commit offsets to Kafka only after
PostgreSQL has the rows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer
from sqlalchemy import Column, DateTime, Double, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.contestants import Task

METADATA = MetaData()
READINGS = Table(
    "readings",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("timestamp", DateTime(timezone=True), primary_key=True),
    Column("speed", Double),
    Column("volume", Integer),
    Column("occupancy", Double),
)


def upsert() -> Insert:
    """Return the statement that inserts a reading or replaces its measures."""
    new = insert(READINGS)
    measures = {name: new.excluded[name] for name in ("speed", "volume", "occupancy")}
    return new.on_conflict_do_update(index_elements=["sensor_id", "timestamp"], set_=measures)


def reading(value: bytes | None) -> dict[str, Any]:
    """Return a message as a row."""
    event = json.loads(value or b"null")
    event["timestamp"] = datetime.fromisoformat(event["timestamp"])
    return event


def prepare(task: Task) -> None:
    """Create the table."""

    async def make() -> None:
        engine = create_async_engine(_url(task))
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        await engine.dispose()

    asyncio.run(make())


@asynccontextmanager
async def connected(task: Task) -> AsyncGenerator[tuple[AIOKafkaConsumer, AsyncConnection]]:
    """Open a consumer at the beginning of the topic, and one connection for its rows."""
    consumer = AIOKafkaConsumer(
        task.topic,
        bootstrap_servers=task.bootstrap_servers,
        group_id=task.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    engine = create_async_engine(_url(task))
    await consumer.start()
    try:
        async with engine.connect() as connection:
            yield consumer, connection
    finally:
        await consumer.stop()
        await engine.dispose()


def _url(task: Task) -> str:
    return task.owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
