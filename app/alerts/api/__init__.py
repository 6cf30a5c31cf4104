"""API operations."""
