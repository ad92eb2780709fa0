"""Who may look: keys, limits and headers, as one layer around everything that is served."""
