"""Settings of the platform by subject, validated once.

A process builds one `Settings` at its edge (a command, Dagster's resource, a test) and passes it
on. `Settings.endpoints` returns the addresses of PostgreSQL and Kafka: from the settings themselves
or, for the embedded servers, from the file that `traffic up` writes.
"""

from traffic_platform.settings.endpoints import Endpoints, SettingsError
from traffic_platform.settings.settings import Settings, load_settings
from traffic_platform.settings.subject import listed
from traffic_platform.settings.unknown import unknown_settings

__all__ = ["Endpoints", "Settings", "SettingsError", "listed", "load_settings", "unknown_settings"]
