"""The nouns of Bellwether: frozen dataclasses and their enums, a noun a file; they import nothing else."""
