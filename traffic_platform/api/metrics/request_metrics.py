"""Metrics of requests, as the outermost middleware, so that rejections count too."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from traffic_platform.api.security.auth_middleware import FULL, KEY_ID
from traffic_platform.api.security.concurrency_limits import ConcurrencyLimits, Kind
from traffic_platform.api.security.open_responses import is_event_stream

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PAGE = "/_nicegui"
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class RequestMetrics:
    """The metrics of one application, in its own registry."""

    def __init__(
        self, registry: CollectorRegistry, limits: Mapping[Kind, ConcurrencyLimits]
    ) -> None:
        self.seconds = Histogram(
            "traffic_api_request_duration_seconds",
            "Time until a response was sent, or until an event stream started.",
            ("route", "method", "status"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.open = Gauge(
            "traffic_api_open_connections",
            "Open event streams, exports and websockets.",
            ("kind",),
            registry=registry,
        )
        for kind, each in limits.items():
            self.open.labels(kind).set_function(partial(getattr, each, "in_use"))
        self.full = Counter(
            "traffic_api_open_refusals",
            "Event streams and exports that were rejected because too many were open.",
            ("kind", "limit"),
            registry=registry,
        )
        self.by_key = Counter(
            "traffic_api_key_requests",
            "Requests and websockets admitted by key.",
            ("key_id",),
            registry=registry,
        )
        self.key_used = Gauge(
            "traffic_api_key_last_used_timestamp_seconds",
            "Time of the last request by key, since this process started.",
            ("key_id",),
            registry=registry,
        )


class RequestMetricsMiddleware:
    """ASGI middleware that counts requests and measures their time."""

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and count a request or a websocket."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._metrics.open.labels("websocket").track_inprogress():
            try:
                await self._app(scope, receive, send)
            finally:
                self._count_key(scope)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 500  # if the application fails before it answers
        stream = False

        async def send_and_observe(message: Message) -> None:
            nonlocal status, stream
            if message["type"] == "http.response.start":
                status = message["status"]
                stream = is_event_stream(message)
                if stream:
                    self._observe(scope, status, began)
                    self._count_key(scope)
            await send(message)

        try:
            await self._app(scope, receive, send_and_observe)
        finally:
            if not stream:
                self._observe(scope, status, began)
                self._count_key(scope)
            if FULL in scope:
                self._metrics.full.labels(*scope[FULL]).inc()

    def _observe(self, scope: Scope, status: int, began: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        labels = (_route(scope), method, str(status))
        self._metrics.seconds.labels(*labels).observe(time.perf_counter() - began)

    def _count_key(self, scope: Scope) -> None:
        key_id = scope.get(KEY_ID)
        if key_id is not None:
            self._metrics.by_key.labels(str(key_id)).inc()
            self._metrics.key_used.labels(str(key_id)).set_to_current_time()


def _route(scope: Scope) -> str:
    """Return the template of the route, not the path: clients choose paths freely."""
    if scope["path"].startswith(_PAGE):
        return f"{_PAGE}/*"
    path = getattr(scope.get("route"), "path_format", None)
    return path if isinstance(path, str) else "none"
