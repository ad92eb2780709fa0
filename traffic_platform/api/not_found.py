"""Problem documents for unknown API paths, although the dashboard at `/` serves every path."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

_API = "/api"


def keep_problems(app: FastAPI) -> None:
    """Answer unknown API paths, and wrong methods of any route, with problem documents.

    It covers the routes that exist at the call. Call it before the dashboard is mounted at `/`.
    """
    app.router.routes.append(_UnmatchedRoute(app.router.routes))


class _UnmatchedRoute(BaseRoute):
    """The last API route. It matches the requests that belong to the API but have no route."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._router = Router(list(routes))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match paths below /api, and paths of a route that has other methods."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        ours = path == _API or path.startswith(f"{_API}/") or self._is_known(scope)
        return (Match.FULL if ours else Match.NONE), {}

    def _is_known(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.PARTIAL for route in self._router.routes)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 404, 405 and Allow, or a redirect to the path without its last slash."""
        await self._router(scope, receive, send)
