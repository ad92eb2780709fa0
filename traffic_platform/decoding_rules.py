"""Decoding rules from the settings."""

from __future__ import annotations

from traffic_platform.events.rules import Rules
from traffic_platform.settings import Settings


def rules_of(settings: Settings) -> Rules:
    """Return the settings that decide the results of decoding."""
    return Rules(
        first_date=settings.first_date,
        naive_timezone=settings.naive_timezone,
        timezone=settings.timezone,
        unknown_sensors=settings.unknown_sensors,
    )
