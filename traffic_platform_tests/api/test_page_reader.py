"""Requests of pages during a database outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg_pool import PoolTimeout
from pydantic import SecretStr

from traffic_platform.api import database
from traffic_platform.api.database import Connection, Database
from traffic_platform.api.local_dates import Day
from traffic_platform.api.traffic.page_reader import PageReader
from traffic_platform.settings import Settings


def test_in_an_outage_waiting_requests_fail_together(
    api_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any number of dates, only the three workers wait for a connection."""
    monkeypatch.setattr(database.new_pool, "__defaults__", (0.5,))  # seconds to wait, by default 5
    unreachable = SecretStr("postgresql://u:secret@127.0.0.1:1/d")
    settings = api_settings().model_copy(update={"read_database_url": unreachable})
    waits: list[str] = []
    connect = Database.connection

    @asynccontextmanager
    async def counted(self: Database) -> AsyncGenerator[Connection]:
        waits.append("one")
        async with connect(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "connection", counted)

    async def ask() -> list[object]:
        async with Database.open(settings) as opened:
            reader = PageReader(opened)
            return await asyncio.gather(
                *(reader.read(day(number), 0, 50) for number in range(28)), return_exceptions=True
            )

    answers = asyncio.run(ask())
    assert {type(answer) for answer in answers} == {PoolTimeout}
    assert len(waits) == 3


def day(number: int) -> Day:
    lower = datetime(2025, 10, 1, tzinfo=UTC) + timedelta(days=number)
    return Day(date(2025, 10, 1 + number), "UTC", lower, lower + timedelta(days=1))
