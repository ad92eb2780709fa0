"""Roll-ups beside an ingest run, in a thread and over a connection of their own.

An error here never stops ingest: it is logged, and the roll-up is retried. Dirty buckets wait in
the database.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

from psycopg import errors

from traffic_platform.errors import translate
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.rollups.infer_intervals import infer
from traffic_platform.rollups.roll_up import roll_up
from traffic_platform.rollups.rollup_tables import RollupResult
from traffic_platform.settings import Settings

log = logging.getLogger(__name__)

# The thread rests at least REST_SECONDS and REST_TIMES the time of the last roll-up, so that
# roll-ups cost ingest about a sixth of one core. On a busy machine a roll-up takes longer but costs
# no more: a longer rest would only let the queue grow.
REST_SECONDS = 2.0
REST_TIMES = 5
LONGEST_REST_SECONDS = 10.0
# Interval without a call of `stored`: reprocessing or an import may have appended buckets.
POLL_SECONDS = 10.0
_RETRY_SECONDS = (1.0, 30.0)  # first and longest wait after an error
_INFER_SECONDS = 3600.0
# Limits of the last roll-up: at the end of a run, and at its end while the stack shuts down.
LAST_SECONDS = 120.0
HURRIED_SECONDS = 2.0


def open_connection(settings: Settings) -> Connection:
    """Open a connection of the writing role for roll-ups. Raises psycopg.OperationalError."""
    url = settings.endpoints().ingest_url
    connection = connect(url, application_name="traffic-rollup", autocommit=True)
    # Tables grow quickly from nothing, so a cached plan soon becomes a bad one.
    connection.prepare_threshold = None
    return connection


class BackgroundRollups:
    """Roll up while the block runs, and roll up the rest for at most `last_seconds` at its end.

    with BackgroundRollups(settings) as rollups:
        run_ingest(…, stored=rollups.stored)
    rollups.take()    # the result since the last call
    """

    def __init__(self, settings: Settings, *, last_seconds: float = LAST_SECONDS) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="traffic-rollup", daemon=True)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._result = RollupResult()
        self._infer_at = 0.0
        self._retry_seconds = _RETRY_SECONDS[0]
        self._last_seconds = last_seconds

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: object, error: object, _traceback: object) -> None:
        self._ending.set()
        self._wake.set()
        self._thread.join()
        try:
            if error is None or isinstance(error, Exception):
                self._roll_up_rest()
        finally:
            self._disconnect()

    def stored(self) -> None:
        """Announce a committed batch. Returns at once."""
        self._wake.set()

    def hurry(self) -> None:
        """Limit the roll-up at the end to HURRIED_SECONDS."""
        self._last_seconds = min(self._last_seconds, HURRIED_SECONDS)

    def take(self) -> RollupResult:
        """Return the result since the last call."""
        with self._lock:
            result, self._result = self._result, RollupResult()
        return result

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            if not self._ending.is_set():
                self._ending.wait(self._roll_up_safely())

    def _roll_up_safely(self) -> float:
        """Roll up once, and return the seconds to rest."""
        began = time.monotonic()
        try:
            result = self._roll_up_once()
        except Exception as error:
            return self._failed(error)
        if result.left or result.busy:  # busy: another run rolls up
            self._wake.set()
        self._retry_seconds = _RETRY_SECONDS[0]
        rest = max(REST_SECONDS, REST_TIMES * (time.monotonic() - began))
        return min(rest, LONGEST_REST_SECONDS)

    def _roll_up_once(self, wait_seconds: float = 0.0) -> RollupResult:
        result = roll_up(self._connected(), wait_seconds=wait_seconds)
        with self._lock:
            self._result.add(result)
        if time.monotonic() >= self._infer_at:
            self._infer()
        return result

    def _infer(self) -> bool:
        """Infer missing values, and return True when that made buckets dirty."""
        self._infer_at = time.monotonic() + _INFER_SECONDS
        try:
            inferred = infer(self._connected(), only_missing=True, wait_seconds=0.0)
        except errors.LockNotAvailable:
            return False
        return inferred.free_flow_speeds > 0

    def _roll_up_rest(self) -> None:
        until = time.monotonic() + self._last_seconds
        try:
            self._roll_up_until(until)
            if time.monotonic() < until and self._infer():
                self._roll_up_until(until)
        except Exception as error:
            self._failed(error)

    def _roll_up_until(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            result = self._roll_up_once(left)
            if result.busy or not result.left:
                return

    def _failed(self, error: Exception) -> float:
        """Log the error, and return the seconds until the next attempt."""
        known = translate(error)
        log.warning(
            "roll-up failed and will be retried: %s",
            known or error,
            exc_info=None if known else error,
        )
        self._disconnect()
        self._wake.set()
        wait = self._retry_seconds
        self._retry_seconds = min(2 * wait, _RETRY_SECONDS[1])
        return wait

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = open_connection(self._settings)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def roll_up_all(settings: Settings) -> RollupResult:
    """Roll up until no bucket is dirty. After a logged error the rest waits for the next call."""
    with BackgroundRollups(settings) as rollups:
        pass
    return rollups.take()
