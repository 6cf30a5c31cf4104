"""Readers of feeds, files and folders from outside."""
