"""Corrections: made, taken back, handed to training."""
