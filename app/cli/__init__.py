"""The commands of `flask --app wsgi`, a group a file."""
