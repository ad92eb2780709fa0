"""Settings of the dashboard."""

from __future__ import annotations

from traffic_platform.settings.subject import HttpUrl, SubjectSettings


class DashboardSettings(SubjectSettings):
    """Dashboard and links"""

    map_tiles: HttpUrl | None = None
    """URL template of map tiles, such as `https://tiles.example/{z}/{x}/{y}.png`. Not set: the map
    has no background, and browsers load nothing from other hosts."""
    map_attribution: str = ""
    """Source of the tiles, which the map names."""
    dagster_url: HttpUrl | None = None
    """Address of Dagster's UI, for the dashboard's links and for `traffic backfill`. Not set: that
    of the running stack."""
