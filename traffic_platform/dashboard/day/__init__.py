"""One date: roads, detector health and ingest runs."""
