"""Thresholds of the detector diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from traffic_platform.settings import Settings


@dataclass(frozen=True)
class Thresholds:
    """Shares and occupancies in percent, from the settings TRAFFIC_HEALTH_… of the same names.

    The defaults are those of Caltrans PeMS for the main line ("Urban", and "Rural" for
    `card_off_rural`): cagov/caldata-mdsa-caltrans-pems,
    transform/seeds/diagnostic_threshold_values.csv and
    models/intermediate/diagnostics/int_diagnostics__detector_status.sql. PeMS also fails a detector
    whose share equals the threshold. Here only a share above it fails, as PeMS's text says.
    """

    min_samples_percent: float = 60
    card_off_percent: float = 59
    card_off_rural_percent: float = 90
    high_occupancy: float = 70
    high_value_percent: float = 20
    occupancy_without_volume_percent: float = 2
    volume_without_occupancy_percent: float = 50
    constant_samples: int = 48

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the thresholds of the settings."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: getattr(settings, f"health_{name}") for name in names})

    def card_off(self, *, rural: bool) -> float:
        """Return the highest allowed share of readings with occupancy 0 (percent)."""
        return self.card_off_rural_percent if rural else self.card_off_percent
