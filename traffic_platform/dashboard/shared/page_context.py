"""What every page needs: settings, the database, the reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from traffic_platform.api.database import Connection, Database
from traffic_platform.dashboard.shared.reader import Reader
from traffic_platform.dashboard.shared.time_format import Zone
from traffic_platform.settings import Settings


@dataclass(frozen=True)
class PageContext:
    """The application that the page is mounted on, and the reader of its process.

    `asked`, `one_at_a_time`: questions about a running day, which pages share (redrawing.py).
    """

    app: FastAPI
    settings: Settings
    reader: Reader
    asked: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict[Hashable, Any])
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, app: FastAPI) -> PageContext:
        """For an application of `create_app`; its database opens when it is served."""
        settings: Settings = app.state.settings
        return cls(app, settings, Reader(settings, lambda: app.state.database))

    @property
    def zone(self) -> Zone:
        """The platform's zone."""
        return Zone(self.reader.state.zone)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A reading connection. Raises psycopg_pool.PoolTimeout when the server is away."""
        database: Database = self.app.state.database
        return database.connection()

    @property
    def dagster_url(self) -> str | None:
        """Dagster's own page: the setting, else what the running stack says; None: not known."""
        if self.settings.dagster_url is not None:
            return self.settings.dagster_url.rstrip("/")
        try:
            state = json.loads((self.settings.home / "run" / "state.json").read_text())
            url = state.get("dagster_url") if state.get("phase") == "ready" else None
        except (OSError, ValueError, AttributeError):
            return None
        return url if isinstance(url, str) and url.startswith("http") else None
