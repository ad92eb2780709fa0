"""Retries of statements that wait for other sessions' locks, without blocking those sessions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from psycopg import errors as pg

log = logging.getLogger(__name__)

# Sessions that come after us wait behind our request for a lock, so the request gives up soon.
LOCK_TIMEOUT: Final = "200ms"
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


@dataclass
class LockRetry:
    """Limits of the retries: `seconds` in all, and `stop` to end early; `pause` waits seconds."""

    seconds: float = 120.0
    pause: Callable[[float], object] = time.sleep
    stop: Callable[[], bool] = lambda: False

    def run(self, attempt: Callable[[], bool]) -> bool:
        """Call `attempt` until it meets no lock and return its result; False at the limit."""
        end = time.monotonic() + self.seconds
        wait = _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except (pg.LockNotAvailable, pg.DeadlockDetected) as error:
                if self.stop() or time.monotonic() + wait > end:
                    log.info("postponed to the next run: %s", error)
                    return False
                self.pause(wait)
                wait = min(2 * wait, _LONGEST_PAUSE)
