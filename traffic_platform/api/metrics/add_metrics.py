"""The metrics of an application: counted around it, served at /metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping

import psycopg
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from traffic_platform.api.database import Database
from traffic_platform.api.metrics.pipeline_metrics import Pipeline, PipelineReader
from traffic_platform.api.metrics.request_metrics import RequestMetrics, RequestMetricsMiddleware
from traffic_platform.api.security.concurrency_limits import ConcurrencyLimits, Kind

# Several scrapers within this time share one read of the database.
_KEEP_SECONDS = 1.0


class MetricsPage(Collector):
    """The registry and the response of /metrics, and the collector of the pipeline's state."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._pipeline: Pipeline | None = None  # None if the database is unavailable
        self.registry.register(self)
        self._reader = PipelineReader()
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the pipeline."""
        yield GaugeMetricFamily(
            "traffic_database_up",
            "1 if the database answered; at 0 the metrics of the pipeline are missing.",
            value=float(self._pipeline is not None),
        )
        if self._pipeline is not None:
            yield from self._pipeline.families()

    async def render(self, database: Database, accept: str) -> Response:
        """Return the metrics in the format that the scraper accepts."""
        async with self._lock:
            if time.monotonic() - self._read_at >= _KEEP_SECONDS:
                try:
                    self._pipeline = await self._reader.read(database)
                except psycopg.Error:  # the pool's errors are subclasses
                    self._pipeline = None
                self._read_at = time.monotonic()
        encode, content_type = choose_encoder(accept)
        return Response(encode(self.registry), headers={"Content-Type": content_type})


def add_metrics(app: FastAPI, limits: Mapping[Kind, ConcurrencyLimits]) -> None:
    """Count requests and open responses of `app`, and serve /metrics."""
    page = MetricsPage()
    app.add_middleware(RequestMetricsMiddleware, metrics=RequestMetrics(page.registry, limits))

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        accept = request.headers.get("accept", "")
        return await page.render(request.app.state.database, accept)
