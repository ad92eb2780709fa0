"""Prometheus metrics of the API and of the pipeline."""
