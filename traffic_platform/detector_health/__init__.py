"""Detector health: a diagnosis of each sensor and local day, and its present state."""
