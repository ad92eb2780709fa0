"""Lag, table sizes and rejected messages, read for people, checks and metrics."""
