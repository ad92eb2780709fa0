"""Ingest runs in Dagster: the offset sensor, its plan, and the asset that drains."""
