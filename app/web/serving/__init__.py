"""Serving: the HTTP server with its limits, reverse proxies, and long answers."""
