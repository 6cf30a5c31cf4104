"""What a reader may want next: a profile from feedback, a ranking with reasons. Pure functions."""
