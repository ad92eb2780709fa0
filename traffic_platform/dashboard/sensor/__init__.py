"""The dashboard's page `sensor`."""
