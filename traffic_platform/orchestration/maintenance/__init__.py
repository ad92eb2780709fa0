"""Scheduled jobs: maintenance of the tables, and retention of Dagster's own records."""
