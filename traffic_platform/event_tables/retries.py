"""Retries of a transaction that another session, or a missing row it needs, made fail."""

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
    """Counts the failures of one transaction that is tried again in place."""

    def __init__(self, tables: Tables, what: str) -> None:
        self._tables = tables
        self._what = what
        self._failures = 0

    def after(self, error: psycopg.Error) -> None:
        """Make ready for another try; raises where that cannot help, or has not often enough."""
        if isinstance(error, pg.ForeignKeyViolation) and not self._tables.registers_sensors:
            raise TransientError("a sensor that was known has been deleted") from error
        if isinstance(error, pg.ForeignKeyViolation | pg.CheckViolation):
            self._tables.forget()  # a sensor, or a partition for the rows
        elif not isinstance(error, _RETRIED_IN_PLACE):
            raise error
        self._failures += 1
        if self._failures == _TRIES:
            raise error
        log.info("%s is stored again: %s", self._what, error)
