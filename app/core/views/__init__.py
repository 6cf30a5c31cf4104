"""Saved views: a filter or a dashboard kept under a name."""
