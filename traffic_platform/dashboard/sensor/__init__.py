"""One sensor, and the search for sensors."""
