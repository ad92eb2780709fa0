"""The HTTP API. It reads PostgreSQL with the reading role."""
