"""Message bytes to typed events to columns. Pure: no I/O, no knowledge of the other rooms."""
