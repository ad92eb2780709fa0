"""Exports of a date as CSV and Parquet."""
