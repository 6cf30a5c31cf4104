"""The engine: texts to calibrated predictions, from any thread."""
