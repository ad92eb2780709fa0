"""Thresholds of detector health.

The values are those of Caltrans PeMS, as published in the repository
cagov/caldata-mdsa-caltrans-pems (transform/seeds/diagnostic_threshold_values.csv, mainline, and
models/intermediate/diagnostics). The last three are our own choice.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from traffic_platform.settings.subject import Percent, SubjectSettings


class HealthSettings(SubjectSettings):
    """Detector health

    Thresholds of the daily [diagnosis](detector-health.md) and of the live state. The defaults are
    those of Caltrans PeMS; the last three are our own choice. A changed threshold applies from the
    next run.
    """

    health_min_samples_percent: Percent = 60
    """A sensor with fewer samples than this share of the expected ones (percent) is
    `insufficient_data`."""
    health_card_off_percent: Percent = 59
    """A sensor with occupancy 0 in more than this share of its readings (percent) is `card_off`."""
    health_card_off_rural_percent: Percent = 90
    """The same share for sensors that were imported as rural."""
    health_high_occupancy: Percent = 70
    """An occupancy above this value (percent) is high."""
    health_high_value_percent: Percent = 20
    """A sensor with high occupancy in more than this share of its readings (percent) is
    `high_value`."""
    health_occupancy_without_volume_percent: Percent = 2
    """A sensor with volume 0 and an occupancy in more than this share of its readings (percent) is
    `intermittent`."""
    health_volume_without_occupancy_percent: Percent = 50
    """A sensor with occupancy 0 and a volume in more than this share of its readings (percent) is
    `intermittent`."""
    health_constant_samples: Annotated[int, Field(ge=2, le=204)] = 48
    """A sensor with the same occupancy, not 0, in this many consecutive 5-minute samples is
    `constant`."""
    health_forget_days: Annotated[int, Field(ge=1, le=3650)] = 60
    """A sensor that was never imported is no longer expected after this many days of silence."""
    health_silent_minutes: Annotated[float, Field(gt=0, le=60)] = 15
    """Live: a sensor is silent after this many minutes without a reading, and at least 3 of its
    intervals."""
    health_stuck_samples: Annotated[int, Field(ge=2)] = 10
    """Live: a sensor is stuck when at least this many readings of the last hour are all the
    same."""
