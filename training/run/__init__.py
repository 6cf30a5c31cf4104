"""A training run: its folder, and the processes that work on it together."""
