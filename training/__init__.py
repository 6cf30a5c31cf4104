"""Training: data in, an adapter with heads out; nothing here is needed to serve."""
