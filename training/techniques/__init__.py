"""Techniques: one a file, each with its idea, its formula and its paper."""
