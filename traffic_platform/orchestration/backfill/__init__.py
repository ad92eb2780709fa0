"""Backfills of dates as Dagster runs."""
