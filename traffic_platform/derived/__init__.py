"""What is computed from readings, and can be computed again at any time: detector health."""
