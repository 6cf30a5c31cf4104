"""Core: time, settings, database, events, jobs and permissions; every area uses it, and it imports none of them."""
