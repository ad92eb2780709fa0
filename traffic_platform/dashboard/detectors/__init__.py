"""Detectors with faults, now and on a day."""
