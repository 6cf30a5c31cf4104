"""Events: one row for every change, which history, undo, audit, live updates and webhooks read."""
