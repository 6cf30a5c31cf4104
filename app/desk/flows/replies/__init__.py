"""What an agent writes: suggested, called back, and what became of what was suggested."""
