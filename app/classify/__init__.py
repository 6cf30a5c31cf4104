"""The model at work: which artifact is live, and the engine that answers for it."""
