"""Measurements of speed, latency, memory and storage on this machine. See README.md."""
