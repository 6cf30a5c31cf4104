"""Leases: which process holds what it claimed, and what a dead one leaves."""
