"""API keys, limits and security headers, as one layer around every route, page and websocket."""
