"""Backfills of dates as Dagster runs, and the dates that need one."""
