"""Imports: tickets of another desk, and files of tickets."""
