"""Speed contour of a corridor."""
