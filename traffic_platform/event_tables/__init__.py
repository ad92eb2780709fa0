"""Encoding and writing rows of the event tables: raw, processed, readings, quarantined."""
