"""The base of every page and API operation: access, error pages, forms, security headers, live updates."""
