"""Rejected messages."""
