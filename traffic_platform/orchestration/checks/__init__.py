"""The asset checks in Dagster: their definitions, their job and their results."""
