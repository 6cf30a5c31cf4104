"""Replies of agents: suggestions, their outcomes, and calling a reply back."""
