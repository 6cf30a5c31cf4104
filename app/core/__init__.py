"""What every area stands on and that knows none of them: time, settings, database, events, jobs, permissions."""
