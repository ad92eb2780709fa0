"""Evaluating checks, one after another, for a date."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from traffic_platform.errors import translate
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
    """What a check found, and how long it took (s)."""

    check: Check
    outcome: Outcome
    seconds: float

    @property
    def is_error(self) -> bool:
        """Whether it failed and that is an error."""
        failed = not self.outcome.passed and not self.outcome.broken
        return failed and self.check.severity == "ERROR"


def evaluate_checks(
    settings: Settings,
    checks: Iterable[Check],
    day: date | None = None,
    now: datetime | None = None,
) -> Iterator[Result]:
    """Evaluate checks for a date of the platform's zone (None: today), as the reading role.

    One that cannot be carried out (a statement that takes too long, a value that nobody thought of)
    has a broken outcome, and the others go on. `now` is the moment that "today" and "over" are
    judged by; None: this one. Raises TransientError while PostgreSQL is away, PermanentError when
    it refuses us, SettingsError when this database keeps its dates in another time zone.
    """
    url = settings.reading_url()
    now = now or datetime.now(UTC)
    day = day or now.astimezone(ZoneInfo(settings.timezone)).date()
    try:
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            require_timezone(connection, settings.timezone)
            connection.execute(statement("quality/settings"))
            context = CheckContext(connection, url, day, settings.timezone, now)
            for check in checks:
                yield evaluate_check(check, context)
    except Exception as error:
        raise translate(error) or error from error


def newest_date(settings: Settings) -> date | None:
    """The newest date that data came for lately (the platform's zone), None before any.

    Raises as `evaluate_checks` does.
    """
    try:
        with connect(settings.reading_url(), application_name="traffic-checks") as connection:
            require_timezone(connection, settings.timezone)
            today = datetime.now(ZoneInfo(settings.timezone)).date()
            bounds = {"first_date": settings.first_date, "today": today}
            row = connection.execute(statement("quality/newest_date"), bounds).fetchone()
    except Exception as error:
        raise translate(error) or error from error
    return cast("date | None", row[0]) if row else None


def evaluate_check(check: Check, context: CheckContext) -> Result:
    """Evaluate one check. Raises what the driver raises when the connection is lost."""
    started = time.monotonic()
    try:
        outcome = check.evaluate(context)
    except Exception as error:
        if context.connection.closed:
            raise
        log.warning("check %s cannot be evaluated", check.name, exc_info=error)
        said = " ".join(str(error).split()) or type(error).__name__
        outcome = Outcome(False, f"It could not be evaluated: {said[:300]}", broken=True)
    return Result(check, outcome, round(time.monotonic() - started, 3))
