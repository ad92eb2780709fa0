"""Serving an application over HTTP."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from traffic_platform.settings import Settings


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until SIGTERM, then finish the requests in flight."""
    uvicorn.run(app, host=settings.api_host, port=settings.api_port)
