"""Overview of road, detectors and pipeline now."""
