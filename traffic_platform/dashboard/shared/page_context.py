"""Settings, database and reader, as every page needs them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from traffic_platform.api.database import Connection, Database
from traffic_platform.dashboard.reader.reader import Reader
from traffic_platform.dashboard.shared.time_format import Zone
from traffic_platform.settings import Settings


@dataclass(frozen=True)
class PageContext:
    """The application that serves the dashboard, and the reader of its process.

    `running`, `one_at_a_time`: queries about a running day, which pages share (follow_day.py).
    """

    app: FastAPI
    settings: Settings
    reader: Reader
    running: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict[Hashable, Any])
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, app: FastAPI) -> PageContext:
        """Make the context of an application of `create_app`, whose database opens later."""
        settings: Settings = app.state.settings
        return cls(app, settings, Reader(settings, lambda: app.state.database))

    @property
    def zone(self) -> Zone:
        """The platform's time zone."""
        return Zone(self.reader.state.zone)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Return a connection for reads. Raises psycopg_pool.PoolTimeout."""
        database: Database = self.app.state.database
        return database.connection()

    @property
    def dagster_url(self) -> str | None:
        """URL of Dagster's UI: the setting, else that of the running stack, else None."""
        if self.settings.dagster_url is not None:
            return self.settings.dagster_url.rstrip("/")
        try:
            state = json.loads((self.settings.home / "run" / "state.json").read_text())
            url = state.get("dagster_url") if state.get("phase") == "ready" else None
        except (OSError, ValueError, AttributeError):
            return None
        return url if isinstance(url, str) and url.startswith("http") else None
