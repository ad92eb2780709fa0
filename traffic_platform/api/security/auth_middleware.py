"""The gate: everything that is served, by HTTP or websocket, page and API alike, is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from traffic_platform.api.security.api_keys import ApiKeys, Grant, KeysUnknownError
from traffic_platform.api.security.caller import Caller
from traffic_platform.api.security.concurrency_limits import (
    EXPORTS,
    ConcurrencyLimits,
    Kind,
    kind_of,
)
from traffic_platform.api.security.headers import for_one_only, security_headers, with_headers
from traffic_platform.api.security.open_responses import OpenResponses, serve_socket
from traffic_platform.api.security.policy import Policy
from traffic_platform.api.security.rate_limits import Buckets, Verdict
from traffic_platform.api.security.rejections import (
    Header,
    Refusal,
    keys_unknown,
    missing_scope,
    no_key,
    too_many,
    too_many_open,
)
from traffic_platform.api.security.secret import hash_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Where the number of the key is found in the scope by those who count.
KEY_ID = "traffic.key_id"
# And there, of a request for which no place was left: kind and limit.
FULL = "traffic.full"

_HEALTH = ("/health/live", "/health/ready")
_WRONG_TRIES = 60  # a minute, of one address


class AuthMiddleware:
    """ASGI middleware that admits or refuses, by the policy of the settings."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: Policy,
        keyring: ApiKeys,
        responses: OpenResponses,
        places: Mapping[Kind, ConcurrencyLimits],
        images: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._policy = policy
        self._keyring = keyring
        self._responses = responses
        self._places = places
        self._headers = security_headers(images)
        self._keys = Buckets("key", policy.key_limit)
        self._addresses = Buckets("address", policy.address_limit)
        self._open_addresses = Buckets("address", policy.open_address_limit)
        self._wrong = Buckets("wrong-keys", _WRONG_TRIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = Caller.of(scope)
        send = with_headers(scope, send, self._headers)
        if caller.path in _HEALTH:
            await self._app(scope, receive, send)
            return
        grant: Grant | None = None
        refused = self._look_at_names(caller)
        limits: Sequence[Verdict] = ()
        if refused is None and self._policy.local_reads and caller.here:
            limits = self._counted(caller, None)
        elif refused is None:
            found = await self._admit(caller)
            refused, grant = (found, None) if isinstance(found, Refusal) else (None, found)
            limits = self._counted(caller, grant) if grant else ()
        refused = refused or _over_limit(limits)
        if refused:
            await refused.send(scope, send)
            return
        if limits:
            send = with_headers(scope, send, _limit_headers(limits))
        kind = kind_of(scope)
        if kind is None:
            await self._serve(scope, receive, send, grant)
            return
        key_id = grant.key_id if grant else None
        with self._places[kind].held(key_id, caller.network) as full:
            if full is None:
                await self._serve(scope, receive, send, grant)
                return
        scope[FULL] = (kind, full)
        await too_many_open(kind, full).send(scope, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, grant: Grant | None) -> None:
        if grant is None:
            await self._go_through(scope, receive, send, None)
            return
        scope[KEY_ID] = grant.key_id
        grant.users += 1
        try:
            await self._go_through(scope, receive, for_one_only(send), grant)
        finally:
            grant.users -= 1

    async def _go_through(
        self, scope: Scope, receive: Receive, send: Send, grant: Grant | None
    ) -> None:
        if scope["type"] == "http":
            await self._responses.serve(self._app, scope, receive, send, grant)
        elif grant:
            await serve_socket(self._app, scope, receive, send, grant)
        else:
            await self._app(scope, receive, send)

    def _look_at_names(self, caller: Caller) -> Refusal | None:
        if not caller.host_is_ours(self._policy):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This name is not known here; TRAFFIC_API_ALLOWED_HOSTS lists those that are.",
            )
        if not caller.origin_is_ours(self._policy):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "Pages of other origins may not ask, but those of TRAFFIC_API_CORS_ORIGINS.",
            )
        return None

    async def _admit(self, caller: Caller) -> Grant | Refusal:
        """The key's grant, if it holds and allows this path."""
        digest = hash_of(caller.key) if caller.key else None
        grant = None
        if digest:
            try:
                grant = await self._keyring.find(digest)
            except KeysUnknownError:
                return keys_unknown()
        if grant is None:
            tries = self._wrong.take(caller.network)
            if tries.allowed:
                return no_key(said=caller.key is not None)
            why = "Too many requests without a key that holds."
            return too_many(tries.retry_s, why, _limit_headers((tries,)))
        wanted = "export" if caller.path.startswith(EXPORTS) else "read"
        return grant if wanted in grant.scopes else missing_scope(wanted)

    def _counted(self, caller: Caller, grant: Grant | None) -> Sequence[Verdict]:
        """Take a token of the key and of the address, where there is a limit."""
        policy = self._policy
        if grant is None:
            limited = policy.open_address_limit > 0
            return [self._open_addresses.take(caller.network)] if limited else ()
        taken: list[Verdict] = []
        if policy.key_limit:
            taken.append(self._keys.take(str(grant.key_id)))
        if policy.address_limit:
            taken.append(self._addresses.take(caller.network))
        return taken


def _over_limit(limits: Iterable[Verdict]) -> Refusal | None:
    over = [verdict for verdict in limits if not verdict.allowed]
    if not over:
        return None
    names = " and ".join(f"this {verdict.name}" for verdict in over)
    why = f"Too many requests of {names}."
    return too_many(max(verdict.retry_s for verdict in over), why, _limit_headers(over))


def _limit_headers(limits: Iterable[Verdict]) -> tuple[Header, ...]:
    found = tuple(limits)
    if not found:
        return ()
    return (
        (b"ratelimit-policy", ", ".join(verdict.policy for verdict in found).encode()),
        (b"ratelimit", ", ".join(verdict.state for verdict in found).encode()),
    )
