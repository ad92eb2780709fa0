"""Dagster's instance: storage, launcher and processes of runs."""
