"""Evaluation: scores, calibration, and what is measured on the served files."""
