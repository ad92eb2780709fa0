"""Retries of a transaction that failed because of another session or a missing row."""

from __future__ import annotations

import logging

import psycopg
from psycopg import errors as pg

from traffic_platform.errors import TransientError
from traffic_platform.event_tables.write import Tables

log = logging.getLogger(__name__)

_RETRIED_IN_PLACE = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
_TRIES = 5


class Retries:
    """The failures of one transaction that the caller repeats.

    The first failures of a transaction need a cure (`Tables.forget`), not a pause. `what` names the
    transaction in the log.
    """

    def __init__(self, tables: Tables, what: str) -> None:
        self._tables = tables
        self._what = what
        self._failures = 0

    def after(self, error: psycopg.Error) -> None:
        """Prepare the next attempt; raise when another attempt cannot help or five have failed."""
        if isinstance(error, pg.ForeignKeyViolation) and not self._tables.registers_sensors:
            raise TransientError("a registered sensor was deleted") from error
        if isinstance(error, pg.ForeignKeyViolation | pg.CheckViolation):
            self._tables.forget()  # a sensor or a partition is missing
        elif not isinstance(error, _RETRIED_IN_PLACE):
            raise error
        self._failures += 1
        if self._failures == _TRIES:
            raise error
        log.info("writing %s again: %s", self._what, error)
