"""Live readings as server-sent events."""
