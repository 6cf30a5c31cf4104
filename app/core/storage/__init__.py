"""Storage: what stands around the database and the files of an installation."""
