"""Storage: parts of the database, and the files of an installation."""
