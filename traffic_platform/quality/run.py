"""Evaluation of checks for a date, one after another."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from traffic_platform.errors import translated
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.quality.check import Check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import Outcome
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The outcome of a check, and its duration (s)."""

    check: Check
    outcome: Outcome
    seconds: float

    @property
    def is_error(self) -> bool:
        """True if an ERROR check failed."""
        failed = not self.outcome.passed and not self.outcome.broken
        return failed and self.check.severity == "ERROR"


def evaluate_checks(
    settings: Settings,
    checks: Iterable[Check],
    day: date | None = None,
    now: datetime | None = None,
) -> Iterator[Result]:
    """Evaluate checks for a local date (None: today), as the reading role.

    A check that cannot run (a statement timeout, an unexpected value) has a broken outcome, and the
    others continue. `now` decides which date is today and which are over; None: the current time.
    Raises TransientError while PostgreSQL is unavailable, PermanentError if it rejects the login,
    and SettingsError if the database keeps its dates in another time zone.
    """
    url = settings.reading_url()
    now = now or datetime.now(UTC)
    day = day or now.astimezone(ZoneInfo(settings.timezone)).date()
    with (
        translated(),
        connect(url, application_name="traffic-checks", autocommit=True) as connection,
    ):
        require_timezone(connection, settings.timezone)
        connection.execute(statement("quality/settings"))
        context = CheckContext(connection, url, day, settings.timezone, now)
        for check in checks:
            yield evaluate_check(check, context)


def newest_date(settings: Settings) -> date | None:
    """Return the newest local date that received data recently, None without data.

    Raises the same errors as `evaluate_checks`.
    """
    url = settings.reading_url()
    with translated(), connect(url, application_name="traffic-checks") as connection:
        require_timezone(connection, settings.timezone)
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        bounds = {"first_date": settings.first_date, "today": today}
        row = connection.execute(statement("quality/newest_date"), bounds).fetchone()
    return cast("date | None", row[0]) if row else None


def evaluate_check(check: Check, context: CheckContext) -> Result:
    """Evaluate one check. Raises the driver's error if the connection is lost."""
    started = time.monotonic()
    try:
        outcome = check.evaluate(context)
    except Exception as error:
        if context.connection.closed:
            raise
        log.warning("The check %s could not run.", check.name, exc_info=error)
        message = " ".join(str(error).split()) or type(error).__name__
        outcome = Outcome(False, f"The check could not run: {message[:300]}", broken=True)
    return Result(check, outcome, round(time.monotonic() - started, 3))
