"""Serving: the HTTP server with its limits, proxies, and long answers."""
