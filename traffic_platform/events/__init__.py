"""Message bytes to events to columns. Pure: no I/O, and no import from other packages."""
