"""Maintenance of the tables and of Dagster's own storage, as scheduled jobs."""
