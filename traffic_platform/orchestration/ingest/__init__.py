"""Ingest runs in Dagster: the offset sensor, its decisions, and the asset that drains."""
