"""What to answer: search in articles, macros offered, drafts composed. Pure functions."""
