"""The dates of the platform, as Dagster's partitions."""

from __future__ import annotations

from dagster import DailyPartitionsDefinition

from traffic_platform.settings import Settings


def event_dates(settings: Settings) -> DailyPartitionsDefinition:
    """Days of the platform's zone from the first date on, today included.

    An event belongs to the day of its own timestamp, not of its arrival.
    """
    return DailyPartitionsDefinition(
        start_date=settings.first_date.isoformat(), timezone=settings.timezone, end_offset=1
    )
