"""Routes of sensors and their readings."""
