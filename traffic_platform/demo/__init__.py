"""Demonstration feeds: Portland's recorded hour, recordings, and a synthetic corridor."""
