"""Where stages meet: one flow a file, from what came in to what is stored and told."""
