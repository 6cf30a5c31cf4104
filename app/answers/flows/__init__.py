"""Reading and writing of macros, articles and drafts."""
