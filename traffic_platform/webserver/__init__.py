"""Dagster's webserver with the host and origin checks of the API."""
