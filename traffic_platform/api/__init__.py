"""What others read: the HTTP API, over the reading role of PostgreSQL."""
