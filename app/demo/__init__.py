"""The demo organisation: its story with tickets, macros, articles, companies and posts, and generated tickets."""
