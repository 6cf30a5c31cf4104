"""What happens, in order, each in one transaction."""
