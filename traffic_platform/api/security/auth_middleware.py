"""The middleware that admits or rejects every HTTP request and websocket, of API and dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from traffic_platform.api.security.api_keys import ApiKeys, Grant, KeysUnavailableError
from traffic_platform.api.security.caller import Caller
from traffic_platform.api.security.concurrency_limits import (
    EXPORTS,
    ConcurrencyLimits,
    Kind,
    kind_of,
)
from traffic_platform.api.security.headers import (
    security_headers,
    with_headers,
    without_shared_cache,
)
from traffic_platform.api.security.open_responses import OpenResponses, serve_socket
from traffic_platform.api.security.policy import Policy
from traffic_platform.api.security.rate_limits import TokenBuckets, Verdict
from traffic_platform.api.security.rejections import (
    KEYS_UNAVAILABLE,
    UNKNOWN_HOST,
    UNKNOWN_ORIGIN,
    Header,
    Rejection,
    invalid_key,
    missing_scope,
    too_many_open,
    too_many_requests,
)
from traffic_platform.api.security.secret import hash_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Entries of the ASGI scope, for the metrics: the key's number, and kind and limit of a rejected
# event stream or export.
KEY_ID = "traffic.key_id"
FULL = "traffic.full"

_HEALTH = ("/health/live", "/health/ready")
_INVALID_KEYS = 60  # requests a minute by address


class AuthMiddleware:
    """ASGI middleware that admits or rejects requests by the policy of the settings."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: Policy,
        keys: ApiKeys,
        responses: OpenResponses,
        limits: Mapping[Kind, ConcurrencyLimits],
        images: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._policy = policy
        self._keys = keys
        self._responses = responses
        self._limits = limits
        self._headers = security_headers(images)
        self._by_key = TokenBuckets("key", policy.key_limit)
        self._by_address = TokenBuckets("address", policy.address_limit)
        self._by_open_address = TokenBuckets("address", policy.open_address_limit)
        self._invalid_keys = TokenBuckets("wrong-keys", _INVALID_KEYS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or reject a request or a websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = Caller.of(scope)
        send = with_headers(scope, send, self._headers)
        if caller.path in _HEALTH:
            await self._app(scope, receive, send)
            return
        grant: Grant | None = None
        rejection = self._check_names(caller)
        verdicts: Sequence[Verdict] = ()
        if rejection is None and self._policy.local_reads and caller.is_local:
            verdicts = self._take_tokens(caller, None)
        elif rejection is None:
            found = await self._find_grant(caller)
            rejection, grant = (found, None) if isinstance(found, Rejection) else (None, found)
            verdicts = self._take_tokens(caller, grant) if grant else ()
        rejection = rejection or _over_limit(verdicts)
        if rejection:
            await rejection.send(scope, receive, send)
            return
        if verdicts:
            send = with_headers(scope, send, _limit_headers(verdicts))
        kind = kind_of(scope)
        if kind is None:
            await self._serve(scope, receive, send, grant)
            return
        key_id = grant.key_id if grant else None
        with self._limits[kind].reserve(key_id, caller.network) as full:
            if full is None:
                await self._serve(scope, receive, send, grant)
                return
        scope[FULL] = (kind, full)
        await too_many_open(kind, full).send(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, grant: Grant | None) -> None:
        if grant is not None:
            scope[KEY_ID] = grant.key_id
            grant.users += 1
            send = without_shared_cache(send)
        try:
            if scope["type"] == "http":
                await self._responses.serve(self._app, scope, receive, send, grant)
            elif grant:
                await serve_socket(self._app, scope, receive, send, grant)
            else:
                await self._app(scope, receive, send)
        finally:
            if grant:
                grant.users -= 1

    def _check_names(self, caller: Caller) -> Rejection | None:
        if not caller.has_known_host(self._policy):
            return UNKNOWN_HOST
        return None if caller.has_known_origin(self._policy) else UNKNOWN_ORIGIN

    async def _find_grant(self, caller: Caller) -> Grant | Rejection:
        """Return the grant of the key, if the key is valid and allows this path."""
        digest = hash_of(caller.key) if caller.key else None
        grant = None
        if digest:
            try:
                grant = await self._keys.find(digest)
            except KeysUnavailableError:
                return KEYS_UNAVAILABLE
        if grant is None:
            verdict = self._invalid_keys.take(caller.network)
            if verdict.allowed:
                return invalid_key(sent=caller.key is not None)
            detail = "Too many requests without a valid key. Wait, or use a valid key."
            return too_many_requests(verdict.retry_s, detail, _limit_headers([verdict]))
        scope = "export" if caller.path.startswith(EXPORTS) else "read"
        return grant if scope in grant.scopes else missing_scope(scope)

    def _take_tokens(self, caller: Caller, grant: Grant | None) -> Sequence[Verdict]:
        """Take a token of the key and of the address, if they have limits."""
        policy = self._policy
        if grant is None:
            limited = policy.open_address_limit > 0
            return [self._by_open_address.take(caller.network)] if limited else ()
        verdicts: list[Verdict] = []
        if policy.key_limit:
            verdicts.append(self._by_key.take(str(grant.key_id)))
        if policy.address_limit:
            verdicts.append(self._by_address.take(caller.network))
        return verdicts


def _over_limit(verdicts: Iterable[Verdict]) -> Rejection | None:
    over = [verdict for verdict in verdicts if not verdict.allowed]
    if not over:
        return None
    names = " and ".join(f"this {verdict.name}" for verdict in over)
    seconds = max(verdict.retry_s for verdict in over)
    return too_many_requests(seconds, f"Too many requests of {names}.", _limit_headers(over))


def _limit_headers(verdicts: Sequence[Verdict]) -> tuple[Header, ...]:
    return (
        (b"ratelimit-policy", ", ".join(verdict.policy for verdict in verdicts).encode()),
        (b"ratelimit", ", ".join(verdict.state for verdict in verdicts).encode()),
    )
