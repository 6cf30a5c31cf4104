"""Events: one row for each change, read by history, undo, audit, live updates and webhooks."""
