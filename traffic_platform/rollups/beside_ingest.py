"""Folds beside a window: a thread and a connection of their own, outside every ingest transaction.

What goes wrong here never stops ingest: it is logged and tried again, and what is dirty waits in
the database.
"""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors

from traffic_platform.errors import translate
from traffic_platform.postgres.connections import connect
from traffic_platform.rollups.infer_intervals import infer
from traffic_platform.rollups.roll_up import roll_up
from traffic_platform.rollups.rollup_tables import RollupResult
from traffic_platform.settings import Settings

log = logging.getLogger(__name__)

# After a fold the thread rests this long, and so many times what the fold took: folding is to cost
# ingest a sixth of one core at most.
REST_SECONDS = 2.0
REST_TIMES = 5
# Without a word from the window it looks this often: a replay or an import may have appended.
LOOK_SECONDS = 10.0
_RETRY_SECONDS = (1.0, 30.0)  # first and longest wait after an error
_INFER_SECONDS = 3600.0
# At the end of a window everything is folded; where the stack goes down, what there is time for.
LAST_SECONDS = 120.0
HURRIED_SECONDS = 2.0


def open_connection(settings: Settings) -> psycopg.Connection[Any]:
    """A connection of the writing role for folds. Raises psycopg.OperationalError."""
    url = settings.endpoints().ingest_url
    connection = connect(url, application_name="traffic-fold", autocommit=True)
    # Tables grow from nothing: a plan is good for the moment that it is made for.
    connection.prepare_threshold = None
    return connection


class BackgroundRollups:
    """Folds while its block runs, and at its end what is left, for `last_seconds` at most.

    with LiveFolds(settings) as folds:
        run_window(…, stored=folds.stored)
    folds.take()    # what was folded since the last call
    """

    def __init__(self, settings: Settings, *, last_seconds: float = LAST_SECONDS) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="traffic-fold", daemon=True)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._folded = RollupResult()
        self._infer_at = 0.0
        self._retry_seconds = _RETRY_SECONDS[0]
        self._last_seconds = last_seconds

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._wake.set()
        self._thread.join()
        try:
            if error is None or isinstance(error, Exception):
                self._fold_rest()
        finally:
            self._disconnect()

    def stored(self) -> None:
        """Say that something was stored. Returns at once."""
        self._wake.set()

    def hurry(self) -> None:
        """Spend little time at the end."""
        self._last_seconds = min(self._last_seconds, HURRIED_SECONDS)

    def take(self) -> RollupResult:
        """What was folded since the last call."""
        with self._lock:
            folded, self._folded = self._folded, RollupResult()
        return folded

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
            if not self._ending.is_set():
                self._ending.wait(self._fold_safely())

    def _fold_safely(self) -> float:
        """Fold once; the seconds to rest."""
        began = time.monotonic()
        try:
            folded = self._fold_once()
        except Exception as error:
            return self._failed(error)
        if folded.left or folded.busy:  # busy: another window's fold, or VACUUM for a moment
            self._wake.set()
        self._retry_seconds = _RETRY_SECONDS[0]
        return max(REST_SECONDS, REST_TIMES * (time.monotonic() - began))

    def _fold_once(self, wait_seconds: float = 0.0) -> RollupResult:
        folded = roll_up(self._connected(), wait_seconds=wait_seconds)
        with self._lock:
            self._folded.add(folded)
        if time.monotonic() >= self._infer_at:
            self._infer()
        return folded

    def _infer(self) -> bool:
        """Infer what is missing; whether that has made anything dirty."""
        self._infer_at = time.monotonic() + _INFER_SECONDS
        try:
            inferred = infer(self._connected(), only_missing=True, wait_seconds=0.0)
        except errors.LockNotAvailable:
            return False
        return inferred.free_flow_speeds > 0

    def _fold_rest(self) -> None:
        until = time.monotonic() + self._last_seconds
        try:
            self._fold_until(until)
            if time.monotonic() < until and self._infer():
                self._fold_until(until)
        except Exception as error:
            self._failed(error)

    def _fold_until(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            folded = self._fold_once(left)
            if folded.busy or not folded.left:
                return

    def _failed(self, error: Exception) -> float:
        """Say what went wrong; the seconds until the next try."""
        known = translate(error)
        log.warning(
            "readings were not rolled up, and will be: %s",
            known or error,
            exc_info=None if known else error,
        )
        self._disconnect()
        self._wake.set()
        wait = self._retry_seconds
        self._retry_seconds = min(2 * wait, _RETRY_SECONDS[1])
        return wait

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = open_connection(self._settings)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def roll_up_all(settings: Settings) -> RollupResult:
    """Fold until nothing is dirty. An error is logged; what is dirty then waits for the next."""
    with BackgroundRollups(settings) as folds:
        pass
    return folds.take()
