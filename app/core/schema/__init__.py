"""The schema of the database: what a new file gets, and how an older one comes to the same."""
