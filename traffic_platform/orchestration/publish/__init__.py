"""The clean stream as a Dagster asset, and the job that publishes it."""
