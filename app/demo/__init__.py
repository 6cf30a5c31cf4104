"""A story worth looking at: the demo organisation's tickets, macros, articles, entities and posts."""
