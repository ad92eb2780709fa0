"""Puts the parts of this folder together."""

from __future__ import annotations

from dagster import Definitions

from traffic_platform.orchestration.assets import event_tables
from traffic_platform.orchestration.jobs import window_job
from traffic_platform.orchestration.sensors import offset_sensor
from traffic_platform.orchestration.topics import topic_specs
from traffic_platform.settings import Settings


def build_definitions(settings: Settings) -> Definitions:
    """Everything that Dagster shows and runs, for these settings."""
    window = window_job(settings)
    return Definitions(
        assets=[*topic_specs(settings), event_tables(settings)],
        jobs=[window],
        sensors=[offset_sensor(settings, window)],
    )
