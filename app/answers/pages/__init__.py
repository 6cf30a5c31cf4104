"""Pages about answers: macros as agents see them, and the administrator's sections."""
