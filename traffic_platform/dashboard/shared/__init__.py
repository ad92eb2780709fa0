"""Parts that all pages of the dashboard share."""
