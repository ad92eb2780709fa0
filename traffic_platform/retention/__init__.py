"""Dropping partitions that are older than the settings keep, with their accounting."""
