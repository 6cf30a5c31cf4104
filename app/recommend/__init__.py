"""Recommendations: a profile of each reader, and a ranking with reasons."""
