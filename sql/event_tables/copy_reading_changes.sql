copy traffic.reading_changes (start, added) from stdin (format binary)
