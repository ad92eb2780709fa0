"""The asset checks in Dagster: definitions, job, schedules and results."""
