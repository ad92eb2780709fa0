"""How often somebody may ask: a bucket of tokens for each key and each address, in memory."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

WINDOW_SECONDS = 60
# An address of which we know nothing any more begins with a full bucket.
_MOST_BUCKETS = 20_000


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go on, and what is left. Seconds until all is restored, or one is."""

    name: str
    allowed: bool
    limit: int
    remaining: int
    restored_s: int
    retry_s: int

    @property
    def policy(self) -> str:
        """The item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={self.limit};w={WINDOW_SECONDS}'

    @property
    def state(self) -> str:
        """The item of RateLimit, of the same draft."""
        return f'"{self.name}";r={self.remaining};t={self.restored_s}'


class Buckets:
    """Buckets of `limit` tokens that fill again within a minute; one for each name.

    Those that were not used for longest are forgotten when there are too many.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._found: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> Verdict:
        """Take one token of `who`, if there is one."""
        now = time.monotonic()
        tokens, since = self._found.pop(who, (float(self._limit), now))
        rate = self._limit / WINDOW_SECONDS
        tokens = min(float(self._limit), tokens + (now - since) * rate)
        allowed = tokens >= 1
        if allowed:
            tokens -= 1
        self._found[who] = (tokens, now)
        if len(self._found) > _MOST_BUCKETS:
            self._found.popitem(last=False)
        return Verdict(
            self._name,
            allowed,
            self._limit,
            int(tokens),
            math.ceil((self._limit - tokens) / rate),
            max(1, math.ceil((1 - tokens) / rate)),
        )


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The address that is counted: of IPv6 the /64, which one household or machine has whole."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
