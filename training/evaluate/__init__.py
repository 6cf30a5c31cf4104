"""Evaluation of the served artifacts: metrics, calibration, abstention, robustness, explanations and reports."""
