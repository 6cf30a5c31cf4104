"""Answers: macros, articles, search, drafts."""
