"""The only SQL: the database, its migrations, and one file per noun."""
