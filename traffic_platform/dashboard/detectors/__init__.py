"""The dashboard's page `detectors`."""
