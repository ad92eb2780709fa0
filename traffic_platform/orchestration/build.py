"""Puts the parts of this folder together."""

from __future__ import annotations

from dagster import Definitions

from traffic_platform.orchestration.topics import topic_specs
from traffic_platform.settings import Settings


def build_definitions(settings: Settings) -> Definitions:
    """Everything that Dagster shows and runs, for these settings."""
    return Definitions(assets=[*topic_specs(settings)])
