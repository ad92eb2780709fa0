"""Dashboard on the same application as the API."""
