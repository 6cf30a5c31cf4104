"""Incoming text: decoding, cleaning, redaction, and the reading of fields, times and rows."""
