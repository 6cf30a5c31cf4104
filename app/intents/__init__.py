"""Intents as people teach them: corrections, training examples, the lesson of the day."""
