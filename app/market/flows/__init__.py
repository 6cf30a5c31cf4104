"""The acts of this area, each in one transaction."""
