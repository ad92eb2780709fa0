"""The dashboard's page `corridor`."""
