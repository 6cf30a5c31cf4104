"""Leases: which process holds which claim, and how the claims of a dead process are freed."""
