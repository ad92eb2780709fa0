"""Trying again what other sessions keep us from, without keeping them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from psycopg import errors as pg

log = logging.getLogger(__name__)

# Whoever comes while we wait for a lock waits behind us: so long at most, then everybody goes on.
LOCK_TIMEOUT: Final = "200ms"
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


@dataclass
class LockRetry:
    """How long upkeep tries in all; `pause` waits so many seconds, or less where it should stop."""

    seconds: float = 120.0
    pause: Callable[[float], object] = time.sleep
    stop: Callable[[], bool] = lambda: False

    def tries(self, attempt: Callable[[], bool]) -> bool:
        """Call until it does not meet a lock; its answer, or False when patience has ended."""
        end = time.monotonic() + self.seconds
        wait = _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except (pg.LockNotAvailable, pg.DeadlockDetected) as error:
                if self.stop() or time.monotonic() + wait > end:
                    log.info("left for the next time: %s", error)
                    return False
                self.pause(wait)
                wait = min(2 * wait, _LONGEST_PAUSE)
