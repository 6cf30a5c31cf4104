"""The schema of the database: frozen migrations, each applied once."""
