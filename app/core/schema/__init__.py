"""The schema of the database, and the upgrade of older files to it."""
