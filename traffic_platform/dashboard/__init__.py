"""The page that people look at, on the same application as the API."""
