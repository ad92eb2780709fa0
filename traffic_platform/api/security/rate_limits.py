"""Rate limits in memory: a token bucket for each key and each address."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

WINDOW_SECONDS = 60
# Bounds the memory. An address whose bucket was dropped starts again with a full one.
_MOST_BUCKETS = 20_000


@dataclass(frozen=True)
class Verdict:
    """The result for one request.

    remaining: tokens left. restored_s: seconds until the bucket is full. retry_s: seconds until it
    has a token again.
    """

    name: str
    allowed: bool
    limit: int
    remaining: int
    restored_s: int
    retry_s: int

    @property
    def policy(self) -> str:
        """Item of the header RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={self.limit};w={WINDOW_SECONDS}'

    @property
    def state(self) -> str:
        """Item of the header RateLimit (same draft)."""
        return f'"{self.name}";r={self.remaining};t={self.restored_s}'


class TokenBuckets:
    """Buckets of `limit` tokens that refill within a minute, one for each owner.

    When there are too many, the least recently used one is dropped.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, owner: str) -> Verdict:
        """Take a token from the owner's bucket, if it has one."""
        now = time.monotonic()
        tokens, since = self._buckets.pop(owner, (float(self._limit), now))
        rate = self._limit / WINDOW_SECONDS
        tokens = min(float(self._limit), tokens + (now - since) * rate)
        allowed = tokens >= 1
        if allowed:
            tokens -= 1
        self._buckets[owner] = (tokens, now)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
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
    """Return the address to count: of IPv6 the /64, which belongs to one household or machine."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
