"""Sensors: import from CSV, the registry, and lookup of known sensors."""
