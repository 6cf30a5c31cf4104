"""Artifacts: from a finished run to the folder that serves."""
