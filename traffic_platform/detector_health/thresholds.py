"""Thresholds of the detector diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
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
        return cls(
            min_samples_percent=settings.health_min_samples_percent,
            card_off_percent=settings.health_card_off_percent,
            card_off_rural_percent=settings.health_card_off_rural_percent,
            high_occupancy=settings.health_high_occupancy,
            high_value_percent=settings.health_high_value_percent,
            occupancy_without_volume_percent=settings.health_occupancy_without_volume_percent,
            volume_without_occupancy_percent=settings.health_volume_without_occupancy_percent,
            constant_samples=settings.health_constant_samples,
        )

    def card_off(self, *, rural: bool) -> float:
        """Return the highest allowed share of readings with occupancy 0 (percent)."""
        return self.card_off_rural_percent if rural else self.card_off_percent
