"""The model: which artifact is live, the engine that answers, shadow runs, /predict and /analyze."""
