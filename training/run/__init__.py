"""A run: its folder, what it begins with, and the processes that share it."""
