"""Jobs: long work that is accepted as a row at once and done by a worker later."""
