"""Training techniques, one per file; each file opens with the idea, the formula and the paper."""
