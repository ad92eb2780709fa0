"""Rows of the event tables (raw, processed, readings, quarantined): encode and write batches."""
