"""The dashboard's page `overview`."""
