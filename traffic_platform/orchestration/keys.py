"""Asset keys, owner and group names, shared by the modules and the tests."""

from __future__ import annotations

from typing import Final

from dagster import AssetKey

RAW_TOPIC: Final = AssetKey(["kafka", "traffic_raw"])
EVENTS_TOPIC: Final = AssetKey(["kafka", "traffic_events"])
RAW_EVENTS: Final = AssetKey("raw_events")
PROCESSED_EVENTS: Final = AssetKey("processed_events")
TRAFFIC_READINGS: Final = AssetKey("traffic_readings")
DETECTOR_HEALTH: Final = AssetKey("detector_health")
READINGS_5MIN: Final = AssetKey("readings_5min")
READINGS_HOURLY: Final = AssetKey("readings_hourly")
READINGS_DAILY: Final = AssetKey("readings_daily")
EVENT_TABLES: Final = (RAW_EVENTS, PROCESSED_EVENTS, TRAFFIC_READINGS)
ROLLUPS: Final = (READINGS_5MIN, READINGS_HOURLY, READINGS_DAILY)

OWNER: Final = "team:traffic-data"
EVENT_TABLES_GROUP: Final = "events"
TOPICS_GROUP: Final = "stream"
DERIVED_GROUP: Final = "derived"
