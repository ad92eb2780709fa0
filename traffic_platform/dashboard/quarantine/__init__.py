"""The dashboard's page `quarantine`."""
