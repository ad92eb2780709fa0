"""State of the network, read from PostgreSQL once for all open pages."""
