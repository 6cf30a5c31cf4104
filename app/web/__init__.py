"""What every page and API operation stands on: access, error pages, forms, security headers, live updates."""
