"""Jobs: long work, accepted in a row at once and done by a worker later."""
