"""The sensor that reports failed checks and runs to a webhook."""
