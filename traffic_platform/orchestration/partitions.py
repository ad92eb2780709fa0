"""The platform's dates as Dagster partitions."""

from __future__ import annotations

from dagster import DailyPartitionsDefinition

from traffic_platform.settings import Settings


def event_dates(settings: Settings) -> DailyPartitionsDefinition:
    """Return the days of the platform's zone from the first date to today.

    An event belongs to the day of its own timestamp, not to that of its arrival.
    """
    return DailyPartitionsDefinition(
        start_date=settings.first_date.isoformat(), timezone=settings.timezone, end_offset=1
    )
