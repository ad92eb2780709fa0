"""Sensors: import of CSV tables, the registry, and look-ups of registered sensors."""
