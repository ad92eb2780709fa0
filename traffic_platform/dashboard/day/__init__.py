"""The dashboard's page `day`."""
