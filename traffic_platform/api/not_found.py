"""What no route answers, where a page at `/` would answer it with HTML: it stays a problem."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

_API = "/api"


def keep_problems(app: FastAPI) -> None:
    """Answer unknown paths of the API, and wrong methods of any route, as without a page.

    For the routes that are there by now; call it before a page is mounted behind them.
    """
    app.router.routes.append(_Unrouted(app.router.routes))


class _Unrouted(BaseRoute):
    """Stands behind some routes, and takes what is theirs although none of them serves it."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._router = Router(list(routes))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path is one of the API's, or of a route that has other methods."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        ours = path == _API or path.startswith(f"{_API}/") or self._is_known(scope)
        return (Match.FULL if ours else Match.NONE), {}

    def _is_known(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.PARTIAL for route in self._router.routes)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """404, 405 with Allow, or the redirect to the path without a slash at its end."""
        await self._router(scope, receive, send)
