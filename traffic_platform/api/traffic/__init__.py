"""Routes of readings: historical pages and the current reading of each sensor."""
